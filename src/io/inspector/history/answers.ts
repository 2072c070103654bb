/** Answers the questions of the page about one log, which may still be read. */
import type { Overview } from '../api.ts';
import type { ThreadQuestion } from '../thread.ts';
import { Entries } from './entries.ts';
import { Moments } from './moments.ts';
import type { Reading } from './reading.ts';
import { Stretches } from './stretches.ts';

export type Answerer = {
  /** @returns plain JSON; undefined if the log has no entry yet */
  answer(question: HistoryQuestion): Promise<object | null | undefined>;
};

export type HistoryQuestion = Exclude<ThreadQuestion, { ask: 'chart' }>;

export function createAnswerer(reading: Reading, source: Overview['source']): Answerer {
  const { index } = reading;
  const stretches = new Stretches(index);
  const moments = new Moments(index, stretches);
  const entries = new Entries(index, stretches);
  return {
    async answer(question) {
      switch (question.ask) {
        case 'overview':
          return overviewOf(reading, source, question);
        case 'moment':
          if (question.seq !== undefined) return moments.atSeq(question.seq);
          return question.at === undefined ? moments.end() : moments.atTime(question.at);
        case 'entries':
          return entries.page(question.query);
        case 'step':
          return entries.step(question.seq, question.to);
      }
    },
  };
}

function overviewOf(
  { index, progress, failure }: Reading,
  source: Overview['source'],
  { buckets, notes, shown }: Extract<ThreadQuestion, { ask: 'overview' }>,
): Overview {
  return {
    source: { ...source, version: source.version || index.product },
    progress,
    first: index.first,
    last: index.last,
    notes: [...notes, ...(failure === undefined ? [] : [failure]), ...index.notes()],
    backends: index.bands.report(index.last?.at ?? 0),
    rates: index.rates.report(buckets, shown),
    marks: index.marks.report(),
  };
}
