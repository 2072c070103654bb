/** How long an idle connection is kept where its backend says how long it keeps it. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createIdleLimit } from '../../../src/io/http1/idle-limit.ts';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Time and timers as the test has them. @returns what moves both on */
function freeze(context: TestContext): (ms: number) => void {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  context.mock.method(performance, 'now', () => now);
  return (ms) => {
    now += ms;
    context.mock.timers.tick(ms);
  };
}

describe('an idle connection', () => {
  it('is closed a second before its backend closes it', (context) => {
    const pass = freeze(context);
    const close = context.mock.fn();
    assert.equal(createIdleLimit(close).begin(5000), true);
    pass(3999);
    assert.equal(close.mock.callCount(), 0);
    pass(1);
    assert.equal(close.mock.callCount(), 1);
  });

  it('is not kept at all where there is no such second', (context) => {
    const limit = createIdleLimit(context.mock.fn());
    assert.deepEqual([limit.begin(1000), limit.begin(0), limit.begin(undefined)], [false, false, true]);
  });

  it('is kept while it is used, and then for the whole time again', (context) => {
    const pass = freeze(context);
    const close = context.mock.fn();
    const limit = createIdleLimit(close);
    limit.begin(5000);
    pass(3000);
    limit.end();
    pass(60_000);
    assert.equal(close.mock.callCount(), 0);
    limit.begin(5000);
    pass(3999);
    assert.equal(close.mock.callCount(), 0);
    pass(1);
    assert.equal(close.mock.callCount(), 1);
  });

  it('whose backend speaks of months is closed then, though no timer of Node is that long', (context) => {
    const pass = freeze(context);
    const close = context.mock.fn();
    createIdleLimit(close).begin(LONGEST_TIMER_MS + 60_000);
    pass(LONGEST_TIMER_MS);
    assert.equal(close.mock.callCount(), 0);
    pass(58_999);
    assert.equal(close.mock.callCount(), 0);
    pass(1);
    assert.equal(close.mock.callCount(), 1);
  });

  it('whose backend speaks of years is not closed at once', (context) => {
    const delays: number[] = [];
    const set = setTimeout;
    context.mock.method(globalThis, 'setTimeout', (act: () => void, ms: number) => {
      delays.push(ms);
      return set(act, 1_000_000);
    });
    const limit = createIdleLimit(context.mock.fn());
    limit.begin(999_999_999_000);
    limit.clear();
    assert.ok(delays.length === 1 && (delays[0] ?? 0) <= LONGEST_TIMER_MS, delays.join());
  });
});
