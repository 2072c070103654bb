/** The timers outside the core: when they fire, what stops them, and that the core is told. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { Subject } from 'rxjs';
import { createBalancer } from '../../src/actors/balancer.ts';
import type { Decision, Entry, Fact } from '../../src/actors/events.ts';
import { mergeFacts } from '../../src/streams/facts.ts';
import { ejectionDeadlines, queueDeadlines, sweepTicks } from '../../src/streams/timers.ts';
import { backend, coreConfig, ended, only, received } from '../support/core.ts';
import { entryOf, raise, stopClock } from './support.ts';

/** The longest duration that a config may have. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const queued = (request: number, deadline: number): Decision => ({
  type: 'request.queued',
  request,
  length: 1,
  deadline,
});
const fired = (request: number): Fact => ({ type: 'timer.fired', timer: 'queue', request });

function watchDeadlines(t: TestContext) {
  const clock = stopClock(t);
  const entries$ = new Subject<Entry>();
  const facts: Fact[] = [];
  const running = queueDeadlines(entries$).subscribe((fact) => facts.push(fact));
  t.after(() => running.unsubscribe());
  return {
    facts,
    running,
    pass: clock.pass,
    /** Whatever the fact was, these decisions came of it, now. */
    decided: (...decisions: Decision[]) => entries$.next(entryOf(received(0), decisions, Date.now())),
    entry: (entry: Entry) => entries$.next(entry),
  };
}

describe('the deadline of a request that waits', () => {
  it('is told once, at its time', async (t) => {
    const { decided, pass, facts } = watchDeadlines(t);
    decided(queued(1, 500));
    await pass(499);
    assert.deepEqual(facts, []);
    await pass(1);
    assert.deepEqual(facts, [fired(1)]);
    await pass(10_000);
    assert.equal(facts.length, 1);
  });

  it('counts from the time of its entry', async (t) => {
    const { entry, pass, facts } = watchDeadlines(t);
    entry(entryOf(received(1), [queued(1, 1_700_000_000_500)], 1_700_000_000_000));
    await pass(499);
    assert.deepEqual(facts, []);
    await pass(1);
    assert.deepEqual(facts, [fired(1)]);
  });

  it('is told at once when it is past', async (t) => {
    const { entry, pass, facts } = watchDeadlines(t);
    entry(entryOf(received(1), [queued(1, 900)], 1_000));
    await pass(1);
    assert.deepEqual(facts, [fired(1)]);
  });

  it('is kept for each request by itself', async (t) => {
    const { decided, pass, facts } = watchDeadlines(t);
    decided(queued(1, 300), queued(2, 200));
    decided(queued(3, 400));
    await pass(250);
    assert.deepEqual(facts, [fired(2)]);
    await pass(250);
    assert.deepEqual(facts, [fired(2), fired(1), fired(3)]);
  });

  const ends: readonly (readonly [string, Entry])[] = [
    [
      'is selected for a backend',
      entryOf(received(0), [{ type: 'backend.selected', request: 1, backend: 'a' }]),
    ],
    ['is rejected', entryOf(received(0), [{ type: 'request.rejected', request: 1, code: 'queue_full' }])],
    ['is aborted by its client', entryOf({ type: 'client.aborted', request: 1 })],
  ];
  for (const [title, end] of ends) {
    it(`is dropped when the request ${title}, and only its own`, async (t) => {
      const { decided, entry, pass, facts } = watchDeadlines(t);
      decided(queued(1, 500), queued(2, 600));
      entry(end);
      await pass(1_000);
      assert.deepEqual(facts, [fired(2)]);
    });
  }

  it('is the new one only, when the request waits again after a retry', async (t) => {
    const { decided, pass, facts } = watchDeadlines(t);
    decided(queued(1, 500));
    await pass(300);
    decided({ type: 'backend.selected', request: 1, backend: 'a' });
    await pass(100);
    decided(queued(1, 900));
    await pass(499);
    assert.deepEqual(facts, []);
    await pass(1);
    assert.deepEqual(facts, [fired(1)]);
  });

  it('is replaced when the request is queued again without having been selected', async (t) => {
    const { decided, pass, facts } = watchDeadlines(t);
    decided(queued(1, 500));
    decided(queued(1, 800));
    await pass(700);
    assert.deepEqual(facts, []);
    await pass(100);
    assert.deepEqual(facts, [fired(1)]);
  });

  it('is not told after the streams have ended', async (t) => {
    const { decided, pass, running, facts } = watchDeadlines(t);
    decided(queued(1, 500));
    running.unsubscribe();
    await pass(1_000);
    assert.deepEqual(facts, []);
  });

  it('keeps no timer running after the streams have ended', () => {
    const timersRunning = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const entries$ = new Subject<Entry>();
    const before = timersRunning();
    const running = queueDeadlines(entries$).subscribe();
    entries$.next(entryOf(received(1), [queued(1, 60_000), queued(2, 70_000)]));
    assert.equal(timersRunning(), before + 2);
    running.unsubscribe();
    assert.equal(timersRunning(), before);
  });

  it('makes the core reject the request, and comes to nothing when it has been served', async (t) => {
    const clock = stopClock(t);
    const control$ = new Subject<Fact>();
    const entries$ = new Subject<Entry>();
    const decisions: Decision[] = [];
    const sources = [control$, queueDeadlines(entries$)];
    const running = mergeFacts(sources, createBalancer(), { now: () => Date.now() }, entries$, raise);
    t.after(() => running.unsubscribe());
    entries$.subscribe((entry) => decisions.push(...entry.decisions));
    const config = coreConfig({ backends: [backend('a')], pool: { size: 1 }, queue: { timeoutMs: 500 } });
    control$.next({ type: 'gateway.started', version: 'test', config });
    for (const request of [1, 2, 3]) control$.next(received(request));
    control$.next({ type: 'socket.opened', backend: 'a', socket: 1 });
    control$.next(ended(1, 1));
    await clock.pass(499);
    assert.deepEqual(only(decisions, 'request.rejected'), []);
    await clock.pass(1);
    assert.deepEqual(only(decisions, 'request.rejected'), [
      { type: 'request.rejected', request: 3, code: 'queue_timeout' },
    ]);
  });
});

describe('the end of an ejection', () => {
  const changed = (to: 'ejected' | 'healthy' | 'draining', deadline?: number): Decision => ({
    type: 'backend.changed',
    backend: 'a',
    from: to === 'ejected' ? 'healthy' : 'ejected',
    to,
    reason: 'test',
    ...(deadline === undefined ? {} : { deadline }),
  });
  const watch = (t: TestContext) => {
    const clock = stopClock(t);
    const { entries$, facts } = watchEjections(t);
    const decided = (...decisions: Decision[]) => entries$.next(entryOf(received(0), decisions, Date.now()));
    return { facts, decided, pass: clock.pass };
  };
  const ended: Fact = { type: 'timer.fired', timer: 'ejection', backend: 'a' };

  it('is told once it is surely over, since a timer may come a millisecond early', async (t) => {
    const { decided, pass, facts } = watch(t);
    decided(changed('ejected', 500));
    await pass(500);
    assert.deepEqual(facts, []);
    await pass(1);
    assert.deepEqual(facts, [ended]);
  });

  it('is not told when the backend has left the state before', async (t) => {
    const { decided, pass, facts } = watch(t);
    decided(changed('ejected', 500));
    decided(changed('draining'));
    await pass(1_000);
    assert.deepEqual(facts, []);
  });

  it('is that of the last ejection only', async (t) => {
    const { decided, pass, facts } = watch(t);
    decided(changed('ejected', 500));
    decided(changed('healthy'), changed('ejected', 900));
    await pass(800);
    assert.deepEqual(facts, []);
    await pass(200);
    assert.deepEqual(facts, [ended]);
  });
});

describe('the end of an ejection that lasts as long as can be configured', () => {
  const longest: Decision = {
    ...{ type: 'backend.changed', backend: 'a', from: 'healthy', to: 'ejected', reason: 'test' },
    deadline: MAX_TIMER_MS,
  };

  it('is told at its time', async (t) => {
    const { entries$, facts } = watchEjections(t);
    const { pass } = stopClock(t);
    entries$.next(entryOf(received(0), [longest]));
    await pass(MAX_TIMER_MS);
    assert.deepEqual(facts, []);
    await pass(1);
    assert.equal(facts.length, 1);
  });

  it('is not told at once, as node fires a timer that is too long', async (t) => {
    const { entries$, facts } = watchEjections(t);
    entries$.next(entryOf(received(0), [longest]));
    // Set later and for longer, so that it fires behind one that was set to 1 ms.
    await setTimeout(5);
    assert.deepEqual(facts, []);
  });

  it('is not told after the streams have ended, in its second wait either', async (t) => {
    const { entries$, facts, running } = watchEjections(t);
    const { pass } = stopClock(t);
    entries$.next(entryOf(received(0), [{ ...longest, deadline: 2 * MAX_TIMER_MS }]));
    await pass(MAX_TIMER_MS);
    running.unsubscribe();
    await pass(MAX_TIMER_MS + 1);
    assert.deepEqual(facts, []);
  });
});

function watchEjections(t: TestContext) {
  const entries$ = new Subject<Entry>();
  const facts: Fact[] = [];
  const running = ejectionDeadlines(entries$).subscribe((fact) => facts.push(fact));
  t.after(() => running.unsubscribe());
  return { entries$, facts, running };
}

describe('sweep ticks', () => {
  it('come after each interval, at the length it has when the wait begins', async (t) => {
    const clock = stopClock(t);
    const settings = { probeIntervalMs: 1, sweepIntervalMs: 1_000 };
    const times: number[] = [];
    const running = sweepTicks(() => settings).subscribe((fact) => {
      assert.deepEqual(fact, { type: 'timer.fired', timer: 'sweep' });
      times.push(Date.now());
    });
    t.after(() => running.unsubscribe());
    await clock.pass(1_000);
    settings.sweepIntervalMs = 300;
    for (let ms = 0; ms < 1_700; ms += 100) await clock.pass(100);
    assert.deepEqual(times, [1_000, 2_000, 2_300, 2_600]);
  });

  it('end with their subscription', async (t) => {
    const clock = stopClock(t);
    const facts: Fact[] = [];
    const running = sweepTicks(() => ({ probeIntervalMs: 1, sweepIntervalMs: 100 })).subscribe((fact) =>
      facts.push(fact),
    );
    await clock.pass(100);
    running.unsubscribe();
    await clock.pass(1_000);
    assert.equal(facts.length, 1);
  });
});
