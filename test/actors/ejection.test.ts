/** How long an ejection lasts and what is said of it, by numbers; who is ejected at all: `outlier.test.ts`. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ejectionOf, isSameOutlier } from '../../src/actors/ejection.ts';

const OUTLIER = { consecutiveFailures: 1, baseEjectionMs: 1000, maxEjectionMs: 3500, maxEjectedShare: 0.5 };
const FRESH = { outlier: OUTLIER, consecutiveErrors: 0, timesEjected: 0, ejectedUntil: undefined };
const failure = { at: 10_000, reason: 'status 500' };

describe('an ejection', () => {
  it('says what led to it, and for how long it is', () => {
    assert.equal(ejectionOf(FRESH, failure).reason, 'a request failed with: status 500; out for 1 s');
    assert.equal(
      ejectionOf({ ...FRESH, consecutiveErrors: 4 }, failure).reason,
      '5 requests in a row failed, the last with: status 500; out for 1 s',
    );
  });

  const lengths: readonly (readonly [times: number, sinceMs: number, next: number, lastsMs: number])[] = [
    // Times ejected before, time since the last one was over, times counted now, and how long it is out.
    [0, 0, 1, 1000],
    [1, 999, 2, 2000],
    [1, 1000, 1, 1000],
    [3, 999, 4, 3500],
    [4, 0, 4, 3500],
    [4, 2000, 3, 3000],
    [2, 99_000, 1, 1000],
    // It was cut short, so that its end is still to come.
    [2, -5000, 3, 3000],
  ];
  for (const [timesEjected, sinceMs, next, lastsMs] of lengths) {
    it(`lasts ${lastsMs} ms for one that had ${timesEjected}, the last of which ended ${sinceMs} ms ago`, () => {
      const past = { ...FRESH, timesEjected, ejectedUntil: failure.at - sinceMs };
      const { timesEjected: times, ejectedUntil } = ejectionOf(past, failure);
      assert.deepEqual([times, ejectedUntil - failure.at], [next, lastsMs]);
    });
  }

  it('lasts for the base time where the longest is shorter than that', () => {
    const outlier = { ...OUTLIER, maxEjectionMs: 10 };
    const { ejectedUntil } = ejectionOf({ ...FRESH, outlier, timesEjected: 5 }, failure);
    assert.equal(ejectedUntil, failure.at + 1000);
  });

  it('of a backend that is not to be ejected is a mistake', () => {
    assert.throws(() => ejectionOf({ ...FRESH, outlier: undefined }, failure), /what ejects backends/);
  });
});

describe('outlier settings', () => {
  it('are the same only where each of them is', () => {
    assert.equal(isSameOutlier(undefined, undefined), true);
    assert.equal(isSameOutlier(OUTLIER, { ...OUTLIER }), true);
    assert.equal(isSameOutlier(OUTLIER, undefined), false);
    assert.equal(isSameOutlier(undefined, OUTLIER), false);
    for (const key of ['consecutiveFailures', 'baseEjectionMs', 'maxEjectionMs', 'maxEjectedShare'] as const)
      assert.equal(isSameOutlier(OUTLIER, { ...OUTLIER, [key]: 9 }), false, key);
  });
});
