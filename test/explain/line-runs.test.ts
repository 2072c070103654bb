/** Long runs of others getting their turn are told by their ends. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LifeEvent } from '../../src/actors/explain/life.ts';
import { shortenLineRuns } from '../../src/io/explain/line-runs.ts';

function served(request: number): LifeEvent {
  return { seq: request, at: request, type: 'line', what: 'served', request, backend: 'a', place: 1 };
}

function returned(request: number): LifeEvent {
  return { seq: request, at: request, type: 'line', what: 'returned', request, backend: null, place: 1 };
}

describe('a run of changes in the line', () => {
  it('of four is told in full', () => {
    const run = [1, 2, 3, 4].map(served);
    assert.deepEqual(
      shortenLineRuns(run),
      run.map((event) => ({ event })),
    );
  });

  it('that is longer is told by its first, its last and how many there were between', () => {
    const run = [1, 2, 3, 4, 5, 6].map(served);
    assert.deepEqual(shortenLineRuns(run), [
      { event: run[0] },
      { leftOut: 4, what: 'served' },
      { event: run[5] },
    ]);
  });

  it('ends where something else happens', () => {
    const timeline = [1, 2, 3].map(served).concat(returned(4), [5, 6, 7].map(served));
    assert.deepEqual(
      shortenLineRuns(timeline),
      timeline.map((event) => ({ event })),
    );
  });
});
