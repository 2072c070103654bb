/**
 * The place that the reader wants to see. It is kept until it is shown: a log is looked at while it is still being read,
 * and an address may name a moment that has not been reached yet.
 */
import type { Overview } from '../api.ts';
import type { Point } from './client.ts';
import { isGrowing, isReadTo } from './model/progress.ts';
import type { Parts, Questions } from './questions.ts';

export type Place = {
  /** Shows a moment, as soon as it has been read, and stays there. */
  goTo(point: Point): void;
  /** The reader wants to see something else: what was wanted is forgotten. */
  leave(): void;
  /** Asks for what is wanted, again if more of the log is known than when it was last asked for. */
  tick(): void;
  /** What is wanted and not shown yet; null if the page is where it was sent. */
  wanted(): Point | null;
};

const NOT_READ_YET = 'The log has not been read that far yet. The moment is shown as soon as it has.';

/** @returns a place at the end of a recording, where it is opened; a live gateway is followed instead */
export function createPlace({ state, dispatch }: Parts, questions: Questions): Place {
  let wanted: Point | null = 'end';
  let askedWith: Overview | null = null;

  const tell = (notice: string) => dispatch({ type: 'set', values: { notice } });
  const ask = () => {
    const { overview } = state();
    if (wanted === null || overview === null || !isReadTo(overview, wanted)) return;
    askedWith = overview;
    const point = wanted;
    // The end moves while a recording is being read.
    const isFinal = point !== 'end' || !isGrowing(overview);
    questions.moment({
      point,
      // The slider stays where the reader put it, even if nothing happened just then.
      movesCursor: point === 'end' || 'seq' in point,
      came(moment) {
        if (wanted !== point || !isFinal) return;
        wanted = null;
        const isMissing = point !== 'end' && 'seq' in point && moment.seq !== point.seq;
        if (isMissing) tell(`The log has no entry ${point.seq}. This is entry ${moment.seq}.`);
      },
    });
  };
  return {
    goTo(point) {
      wanted = point;
      if (point !== 'end' && 'at' in point) dispatch({ type: 'moved', at: point.at });
      else dispatch({ type: 'modeSet', mode: 'paused' });
      const { overview } = state();
      if (overview !== null && !isReadTo(overview, point)) tell(NOT_READ_YET);
      ask();
    },
    leave() {
      wanted = null;
    },
    tick() {
      const { overview } = state();
      if (overview?.source.kind === 'live' && wanted === 'end') wanted = null;
      if (overview !== askedWith) ask();
    },
    wanted: () => wanted,
  };
}
