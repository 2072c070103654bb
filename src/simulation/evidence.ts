/**
 * Keeps account of what a simulated course rests on: answers as they were recorded, and answers that had to be
 * assumed. Up to the first assumption every decision is exact; from there on the course is an estimate.
 */
import type { Moment } from './world.ts';

/**
 * `recorded`: the backend served this request, at this moment. `moved`: it served it, at another moment or over another
 * kind of socket. `drawn`: one of its answers to other requests. `borrowed`: an answer of another backend, as it has
 * given none itself.
 */
export type AnswerSource = 'recorded' | 'moved' | 'drawn' | 'borrowed';

export type AnswerCounts = Readonly<Record<AnswerSource, number>>;

export type Evidence = {
  answer(source: AnswerSource, now: Moment): void;
  /** Something was assumed at this moment: decisions up to it, itself included, are exact. */
  assume(now: Moment): void;
  /** A fact with this moment enters the core; one that is in no record is an assumption itself. */
  enter(now: Moment): void;
  readonly answers: AnswerCounts;
  /** Number of the last recorded entry whose decisions are exact; undefined while all are. */
  readonly exactUntil: number | undefined;
};

/** @param start number of the entry before the first */
export function createEvidence(start: number): Evidence {
  const answers = { recorded: 0, moved: 0, drawn: 0, borrowed: 0 };
  let exactUntil: number | undefined;
  let last = start;
  const assume = ({ rank }: Moment) => {
    exactUntil ??= rank ?? last;
  };
  return {
    answers,
    assume,
    answer(source, now) {
      answers[source] += 1;
      if (source !== 'recorded') assume(now);
    },
    enter(now) {
      if (now.rank === undefined) assume(now);
      else last = now.rank;
    },
    get exactUntil() {
      return exactUntil;
    },
  };
}
