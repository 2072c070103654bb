/** What tests of the inspector share: a log that is read, and the same log played entry by entry. */

import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Entry } from '../../src/actors/events.ts';
import { createPlayback } from '../../src/actors/explain/playback.ts';
import { type BackendView, viewBackends } from '../../src/actors/view.ts';
import { readLog } from '../../src/io/event-log/reader.ts';
import type { Moment, Overview } from '../../src/io/inspector/api.ts';
import {
  type Answerer,
  createAnswerer,
  type HistoryQuestion,
} from '../../src/io/inspector/history/answers.ts';
import type { Reading } from '../../src/io/inspector/history/reading.ts';
import { PATIENCE_MS } from '../support/patience.ts';

export type Played = {
  readonly entry: Entry;
  readonly backends: readonly BackendView[];
  readonly waiting: number;
  readonly inFlight: number;
};

/** Each entry of a log with the state a core has after it, by plain replay. */
export async function playAll(path: string): Promise<Played[]> {
  const played: Played[] = [];
  const playback = createPlayback({
    begin: () => undefined,
    before: () => undefined,
    after(entry, { core }) {
      const waiting = core.pool.getSnapshot().context.waiting.length;
      played.push({ entry, backends: viewBackends(core), waiting, inFlight: core.requests.size });
    },
  });
  for await (const items of readLog(path, { onDamage: () => playback.interrupt() })) {
    for (const item of items) playback.take(item);
  }
  return played;
}

const SOURCE: Overview['source'] = { kind: 'recording', title: 'the test', version: '', canChange: false };

export type Asker = {
  overview(buckets?: number): Promise<Overview>;
  moment(point?: { readonly seq?: number; readonly at?: number }): Promise<Moment>;
  readonly answer: Answerer['answer'];
};

/** Asks a log that has been read, or is. */
export function asker(reading: Reading): Asker {
  const { answer } = createAnswerer(reading, SOURCE);
  const ask = async <Result>(question: HistoryQuestion, is: (value: object) => value is Result & object) => {
    const found = await answer(question);
    assert.ok(found !== undefined && found !== null && is(found), `no answer to ${JSON.stringify(question)}`);
    return found;
  };
  return {
    answer,
    overview: (buckets = 300) =>
      ask({ ask: 'overview', buckets, notes: [] }, (value): value is Overview => 'rates' in value),
    moment: (point = {}) => ask({ ask: 'moment', ...point }, (value): value is Moment => 'picks' in value),
  };
}

/** What `BackendView` has of each backend of a moment. */
export function viewsOf({ backends }: Moment): BackendView[] {
  return backends.map(({ since, reason, lastTransition, lastChange, eligibility, ...view }) => view);
}

/** Resolves when it holds; what is looked at is a file that grows, which tells nobody. */
export async function eventually(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, `still not: ${what}`);
    await delay(5);
  }
}
