/** The merge: whatever the sources do, facts reach the core one by one and come out as numbered entries. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Subject } from 'rxjs';
import { createBalancer } from '../../src/actors/balancer.ts';
import type { Entry, Fact } from '../../src/actors/events.ts';
import { mergeFacts } from '../../src/streams/facts.ts';
import { backend, coreConfig, given, received } from '../support/core.ts';
import { raise } from './support.ts';

const drained = (id: string): Fact => ({ type: 'operator.drained', backend: id });

/** A merge of two sources that can be spoken through, on a clock that the test sets. */
function mergeTwo() {
  const balancer = createBalancer();
  const left$ = new Subject<Fact>();
  const right$ = new Subject<Fact>();
  const entries$ = new Subject<Entry>();
  const entries: Entry[] = [];
  const steps: { fact: Fact; at: number }[] = [];
  const time = { now: 1_000 };
  const watched = {
    ...balancer,
    step(fact: Fact, at: number) {
      steps.push({ fact, at });
      return balancer.step(fact, at);
    },
  };
  const running = mergeFacts([left$, right$], watched, { now: () => time.now }, entries$, raise);
  entries$.subscribe((entry) => entries.push(entry));
  return { left$, right$, entries$, entries, steps, time, running };
}

describe('the merge', () => {
  it('numbers facts from 1 and counts by one, whichever source they come from', () => {
    const { left$, right$, entries } = mergeTwo();
    left$.next(drained('a'));
    right$.next(drained('b'));
    right$.next(drained('c'));
    left$.next(drained('d'));
    assert.deepEqual(
      entries.map(({ v, seq, fact }) => [v, seq, 'backend' in fact && fact.backend]),
      [
        [1, 1, 'a'],
        [1, 2, 'b'],
        [1, 3, 'c'],
        [1, 4, 'd'],
      ],
    );
  });

  it('stamps each fact with the time of the clock and tells the core the same', () => {
    const { left$, right$, entries, steps, time } = mergeTwo();
    left$.next(drained('a'));
    time.now = 2_500;
    right$.next(drained('b'));
    assert.deepEqual(
      entries.map(({ at }) => at),
      [1_000, 2_500],
    );
    assert.deepEqual(
      steps.map(({ at }) => at),
      [1_000, 2_500],
    );
  });

  it('puts what the core decided into the entry', () => {
    const { left$, entries } = mergeTwo();
    const config = coreConfig({ backends: [backend('a')] });
    left$.next({ type: 'gateway.started', version: 'test', config });
    left$.next(received(1));
    assert.deepEqual(entries[1]?.decisions, given(config).when(received(1)));
  });

  it('lets everybody hear of a fact before the next, though carrying it out leads to that one at once', () => {
    const { left$, right$, entries$, steps } = mergeTwo();
    const heard: string[] = [];
    const listen = (name: string) =>
      entries$.subscribe(({ seq }) => heard.push(`${name} ${seq} of ${steps.length}`));
    listen('first');
    entries$.subscribe(({ seq }) => {
      if (seq === 1) {
        right$.next(drained('b'));
        left$.next(drained('c'));
      }
      if (seq === 2) left$.next(drained('d'));
    });
    listen('last');
    left$.next(drained('a'));
    assert.deepEqual(heard, [
      'first 1 of 1',
      'last 1 of 1',
      'first 2 of 2',
      'last 2 of 2',
      'first 3 of 3',
      'last 3 of 3',
      'first 4 of 4',
      'last 4 of 4',
    ]);
    assert.deepEqual(
      steps.map(({ fact }) => 'backend' in fact && fact.backend),
      ['a', 'b', 'c', 'd'],
    );
  });

  it('has taken a fact in by the time its source goes on', () => {
    const { left$, entries } = mergeTwo();
    left$.next(drained('a'));
    assert.equal(entries.length, 1);
  });

  it('goes on when a source completes', () => {
    const { left$, right$, entries$, entries } = mergeTwo();
    let isComplete = false;
    entries$.subscribe({
      complete() {
        isComplete = true;
      },
    });
    left$.complete();
    right$.next(drained('a'));
    assert.equal(entries.length, 1);
    assert.equal(isComplete, false);
  });

  it('ends with the error of a core that cannot take a fact, and takes in no further one', () => {
    const facts$ = new Subject<Fact>();
    const errors: unknown[] = [];
    let steps = 0;
    const broken = {
      ...createBalancer(),
      step() {
        steps += 1;
        throw new TypeError('broken');
      },
    };
    const clock = { now: () => 0 };
    const running = mergeFacts([facts$], broken, clock, new Subject(), (error) => errors.push(error));
    facts$.next(drained('a'));
    facts$.next(drained('b'));
    assert.deepEqual([errors, steps, running.closed], [[new TypeError('broken')], 1, true]);
  });

  it('takes nothing in once it has been ended', () => {
    const { left$, steps, running } = mergeTwo();
    running.unsubscribe();
    left$.next(drained('a'));
    assert.deepEqual(steps, []);
  });
});
