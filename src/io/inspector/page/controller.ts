/**
 * Carries out what the reader asks for, and keeps the page up to date: often what moves, seldom what does not, and
 * nothing for each request.
 */
import type { StepTo } from '../api.ts';
import type { Point } from './client.ts';
import { advanced } from './model/playback.ts';
import { isGrowing } from './model/progress.ts';
import { boundsOf, type Change, type PageState } from './model/state.ts';
import { createPlace, type Place } from './place.ts';
import { createQuestions, entriesWanted, messageOf, type Parts, type Questions } from './questions.ts';

export type Controller = {
  /** Asks for what has to be asked again and again; to be called about every `TICK_MS`. */
  tick(): void;
  /** Shows a moment, as soon as it has been read, and stays there. */
  goTo(point: Point): void;
  /** Where the page was sent and is not yet; null if it is there. */
  wanted(): Point | null;
  step(to: StepTo): void;
  playOrPause(): void;
  follow(): void;
  /** Asks for the figures of the view again, when the reader has changed it. */
  refreshOverview(): void;
  search(id: string): void;
  carryOut(change: Change): void;
};

export const TICK_MS = 50;
const MOMENT_EVERY_MS = 250;
const PLAYED_MOMENT_EVERY_MS = 100;
const OVERVIEW_EVERY_MS = 1000;
const ENTRIES_EVERY_MS = 1000;
/** While nothing moves, a new place is shown at once. */
const ENTRIES_SETTLE_MS = 150;

/** So long what came of something is told. */
const NOTICE_MS = 6000;

export function createController(parts: Parts): Controller {
  const { client, state, dispatch } = parts;
  const questions = createQuestions(parts);
  const place = createPlace(parts, questions);
  const tell = (notice: string) => dispatch({ type: 'set', values: { notice } });
  const refresh = createRefresher(parts, questions, place);
  return {
    tick() {
      refresh();
      place.tick();
    },
    goTo: place.goTo,
    wanted: place.wanted,
    step(to) {
      const found = (target: { readonly seq: number } | null) =>
        target === null ? tell(NOTHING_THERE[to]) : place.goTo({ seq: target.seq });
      // Not from what is shown: that may be behind, and a press would be lost.
      questions.step({ to, from: () => place.wanted() ?? shownPoint(state()), found });
    },
    playOrPause: () => startOrStop(parts, questions, place),
    follow() {
      const isLive = state().overview?.source.kind === 'live';
      if (!isLive) return place.goTo('end');
      place.leave();
      dispatch({ type: 'modeSet', mode: 'following' });
    },
    refreshOverview: questions.overview,
    search(id) {
      const wanted = id.trim();
      dispatch({ type: 'set', values: { search: wanted === '' ? null : { id: wanted, story: null } } });
      if (wanted !== '') questions.story(wanted);
    },
    carryOut(change) {
      client.change(change).then(tell, (error: unknown) => tell(messageOf(error)));
    },
  };
}

/** @returns what asks for everything that is due; to be called at each tick */
function createRefresher(parts: Parts, questions: Questions, place: Place): () => void {
  const { state, dispatch, localNow } = parts;
  const isDue = createDueTimes(localNow);
  const noticeIsOld = createAge(localNow, NOTICE_MS);
  let lastTick = localNow();
  let shownEntries = '';
  let grew = true;

  const refreshMoment = ({ mode, cursor, overview }: PageState) => {
    if (mode === 'playing' && cursor !== null) {
      if (isDue('moment', PLAYED_MOMENT_EVERY_MS))
        questions.moment({ point: { at: cursor }, movesCursor: false });
    } else if (mode === 'following' && hasPresent(overview) && isDue('moment', MOMENT_EVERY_MS)) {
      questions.moment({ point: 'end', movesCursor: false });
    }
  };
  const refreshEntries = (now: PageState) => {
    const wanted = entriesWanted(now);
    if (wanted === undefined || wanted === shownEntries) return;
    const isMoving = now.mode !== 'paused' && now.range === 'moment';
    if (!isDue('entries', isMoving ? ENTRIES_EVERY_MS : ENTRIES_SETTLE_MS)) return;
    shownEntries = wanted;
    questions.entries(wanted);
  };
  return () => {
    const elapsedMs = localNow() - lastTick;
    lastTick += elapsedMs;
    if (state().mode === 'playing') play(parts, place, elapsedMs);
    const { overview, chart, notice } = state();
    refreshMoment(state());
    refreshEntries(state());
    // Once more when all has been read: how finely it is best divided follows from its length.
    const grows = isGrowing(overview);
    if ((grows && isDue('overview', OVERVIEW_EVERY_MS)) || (grew && !grows)) questions.overview();
    grew = grows;
    if (chart === null && isDue('chart', OVERVIEW_EVERY_MS)) questions.chart();
    if (noticeIsOld(notice) && notice !== '') dispatch({ type: 'set', values: { notice: '' } });
  };
}

const NOTHING_THERE: Readonly<Record<StepTo, string>> = {
  nextEntry: 'This is the last entry.',
  previousEntry: 'This is the first entry.',
  nextChange: 'No backend changes its state after this.',
  previousChange: 'No backend changes its state before this.',
};

function shownPoint({ moment }: PageState): Point {
  return moment === null ? 'end' : { seq: moment.seq };
}

/** Whether there is a moment to ask for: an entry, or a gateway whose notes tell why it has none. */
function hasPresent(overview: PageState['overview']): boolean {
  return overview !== null && (overview.last !== null || overview.notes.length > 0);
}

function play({ state, dispatch }: Parts, place: Place, elapsedMs: number): void {
  const { cursor, speed, overview } = state();
  const bounds = boundsOf(state());
  if (cursor === null || bounds === null) return;
  const { at, isAtEnd } = advanced(cursor, elapsedMs, speed, bounds.until);
  // Where a recording has been read to is not its end: playback waits for more.
  const isOver = isAtEnd && (overview?.source.kind === 'live' || !isGrowing(overview));
  dispatch({ type: 'played', at, isAtEnd: isOver });
  if (state().mode === 'paused') place.goTo({ at });
}

function startOrStop({ state, dispatch }: Parts, questions: Questions, place: Place): void {
  const { mode, cursor, overview } = state();
  if (mode !== 'paused') {
    // Playback asks now and then only: what is shown is a little behind the slider.
    if (mode === 'playing' && cursor !== null) place.goTo({ at: cursor });
    else dispatch({ type: 'modeSet', mode: 'paused' });
    return;
  }
  const bounds = boundsOf(state());
  const isAtEnd = cursor === null || bounds === null || cursor >= bounds.until || place.wanted() === 'end';
  place.leave();
  // At the end of a recording there is nothing to play but the whole of it.
  if (isAtEnd && overview?.source.kind === 'recording' && overview.first !== null) {
    dispatch({ type: 'moved', at: overview.first.at });
    questions.moment({ point: { seq: overview.first.seq }, movesCursor: false });
  }
  dispatch({ type: 'modeSet', mode: 'playing' });
}

/** @returns a function that tells whether it is time again for something, and remembers that it said so */
function createDueTimes(localNow: () => number): (what: string, everyMs: number) => boolean {
  const last = new Map<string, number>();
  return (what, everyMs) => {
    const now = localNow();
    if (now - (last.get(what) ?? Number.NEGATIVE_INFINITY) < everyMs) return false;
    last.set(what, now);
    return true;
  };
}

/** @returns a function that tells whether it has been given the same value for so long */
function createAge(localNow: () => number, ageMs: number): (value: string) => boolean {
  let last = '';
  let since = 0;
  return (value) => {
    if (value !== last) [last, since] = [value, localNow()];
    return localNow() - since >= ageMs;
  };
}
