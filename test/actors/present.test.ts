/** The assertions of the core: what cannot happen is said aloud when it does. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertNever } from '../../src/actors/assert-never.ts';
import type { Fact } from '../../src/actors/events.ts';
import { mostEjected } from '../../src/actors/outlier.ts';
import { present } from '../../src/actors/present.ts';
import { createReplay } from '../../src/actors/replay.ts';
import { budgetUnder, countRequest, retriesInWindow, spendRetry } from '../../src/actors/retry-budget.ts';
import { takeSnapshot } from '../../src/actors/snapshot.ts';
import { coreConfig, given } from '../support/core.ts';

describe('an assertion', () => {
  it('lets a value pass that is there, and names one that is not', () => {
    assert.equal(present(0, 'a number'), 0);
    assert.throws(() => present(undefined, 'a number'), new TypeError('a number is not there'));
  });

  it('names the value that got past the types', () => {
    const value = JSON.parse('{"type":"unheard.of"}') as never;
    assert.throws(() => assertNever(value), new TypeError('unexpected value: {"type":"unheard.of"}'));
  });
});

describe('a fact that the core has never heard of', () => {
  it('is a divergence of its kind in a replay, and not an error of it', () => {
    const replay = createReplay(String);
    replay.load(takeSnapshot(given(coreConfig()).balancer.core));
    const fact = JSON.parse('{"type":"unheard.of"}') as Fact;
    const divergence = replay.take({ v: 1, seq: 7, at: 1_000_002, fact, decisions: [] });
    assert.equal(divergence?.kind, 'failure');
    assert.match(String(divergence?.computed), /unexpected value/);
  });
});

describe('a config without', () => {
  it('outlier settings ejects none', () => {
    assert.equal(mostEjected(given(coreConfig()).balancer.core), 0);
  });

  it('a window for its retry budget counts the millisecond at hand', () => {
    const config = coreConfig({ pool: { size: 1 }, retry: { budgetShare: 1 } });
    const budget = budgetUnder(config, undefined);
    assert.ok(budget);
    countRequest(budget, config, 1000);
    assert.deepEqual(
      [1, 2, 3, 4].map(() => spendRetry(budget, config, 1000)),
      [true, true, true, false],
    );
    assert.equal(retriesInWindow(budget, config, 1009), 3);
    assert.equal(retriesInWindow(budget, config, 1010), 0);
  });
});

describe('a retry budget', () => {
  it('forgets the requests of each step as it leaves the window', () => {
    const config = coreConfig({ pool: { size: 1 }, retry: { budgetShare: 1, budgetWindowMs: 1000 } });
    const budget = budgetUnder(config, undefined) ?? assert.fail();
    for (let request = 0; request < 40; request += 1) countRequest(budget, config, 1_000_000);
    countRequest(budget, config, 1_000_500);
    // One request is left in the window, and three retries there may always be.
    const spent = [1, 2, 3, 4].map(() => spendRetry(budget, config, 1_001_200));
    assert.deepEqual(spent, [true, true, true, false]);
  });

  it('begins anew under a window of another length, longer or shorter', () => {
    const under = (budgetWindowMs: number) => coreConfig({ retry: { budgetShare: 1, budgetWindowMs } });
    for (const [before, after] of [
      [1_000, 10_000],
      [10_000, 1_000],
    ] as const) {
      const budget = budgetUnder(under(before), undefined) ?? assert.fail();
      spendRetry(budget, under(before), 1_000_000);
      assert.equal(retriesInWindow(budget, under(before), 1_000_000), 1);
      assert.equal(retriesInWindow(budget, under(after), 1_000_000), 0);
    }
  });
});
