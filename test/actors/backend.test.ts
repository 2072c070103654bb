/** The state machine of a backend as a table: state and event on the left, what comes of it on the right. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createActor } from 'xstate';
import { type BackendEvent, backendMachine, statusOf } from '../../src/actors/backend.ts';
import type { OutlierSettings } from '../../src/actors/events.ts';

const ok: BackendEvent = { type: 'probe.succeeded', at: 1, latencyMs: 1, status: 200 };
const fail: BackendEvent = { type: 'probe.failed', at: 1, latencyMs: 1, reason: 'refused' };
const drain: BackendEvent = { type: 'operator.drained' };
const restore: BackendEvent = { type: 'operator.restored' };
const remove: BackendEvent = { type: 'config.removed' };
const comeBack: BackendEvent = { type: 'config.returned' };
const empty: BackendEvent = { type: 'leases.ended' };
const moveTo = (initial: 'healthy' | 'unhealthy'): BackendEvent => ({ type: 'address.changed', initial });

const OUTLIER: OutlierSettings = {
  consecutiveFailures: 2,
  baseEjectionMs: 100,
  maxEjectionMs: 250,
  maxEjectedShare: 1,
};

/** A failed request at a time; with others healthy, unless told otherwise. */
const error = (at = 0, mayEject = true): BackendEvent => ({
  type: 'request.failed',
  at,
  reason: 'status 500',
  mayEject,
});
const answer: BackendEvent = { type: 'request.succeeded' };
const over = (at: number): BackendEvent => ({ type: 'ejection.expired', at });
const lift: BackendEvent = { type: 'ejection.lifted' };
const outlier = (settings: OutlierSettings | undefined): BackendEvent => ({
  type: 'thresholds.changed',
  fall: 3,
  rise: 2,
  outlier: settings,
});
const ejected = [error(), error()];

function after(events: readonly BackendEvent[], initial: 'healthy' | 'unhealthy' = 'healthy') {
  const actor = createActor(backendMachine, { input: { fall: 3, rise: 2, initial, outlier: OUTLIER } });
  actor.start();
  for (const event of events) actor.send(event);
  return { status: statusOf(actor), context: actor.getSnapshot().context };
}

describe('the machine of a backend', () => {
  const rows: [string, BackendEvent[], string, ('healthy' | 'unhealthy')?][] = [
    ['starts healthy when told so', [], 'healthy'],
    ['starts unhealthy when told so', [], 'unhealthy', 'unhealthy'],
    ['stays healthy below fall', [fail, fail], 'healthy'],
    ['falls at fall', [fail, fail, fail], 'unhealthy'],
    ['counts failures in a row only', [fail, fail, ok, fail, fail], 'healthy'],
    ['stays unhealthy below rise', [fail, fail, fail, ok], 'unhealthy'],
    ['rises at rise', [fail, fail, fail, ok, ok], 'healthy'],
    ['counts successes in a row only', [fail, fail, fail, ok, fail, ok], 'unhealthy'],
    ['rises from an unhealthy start', [ok, ok], 'healthy', 'unhealthy'],
    ['drains when healthy', [drain], 'draining'],
    ['drains when unhealthy', [fail, fail, fail, drain], 'draining'],
    ['is drained when its leases have ended', [drain, empty], 'drained'],
    ['comes back healthy from draining', [drain, restore], 'healthy'],
    ['comes back healthy from drained', [drain, empty, restore], 'healthy'],
    ['comes back as what it became meanwhile', [drain, fail, fail, fail, empty, restore], 'unhealthy'],
    ['comes back healthy if it recovered meanwhile', [fail, fail, fail, drain, ok, ok, restore], 'healthy'],
    ['ignores a restore when it serves', [restore], 'healthy'],
    ['ignores a second drain', [drain, drain], 'draining'],
    ['drains when the config drops it', [remove], 'draining'],
    ['is removed when its last lease has ended', [remove, empty], 'removed'],
    ['is not brought back by an operator once the config dropped it', [remove, restore], 'draining'],
    ['comes back when the config does', [remove, comeBack], 'healthy'],
    ["forgets an operator's drain when it leaves the config", [drain, remove, comeBack], 'healthy'],
    ['is not drained by an operator once the config dropped it', [remove, drain, comeBack], 'healthy'],
    ['is removed at once when drained already', [drain, empty, remove], 'removed'],
    ['starts afresh at a new address', [fail, fail, fail, moveTo('healthy')], 'healthy'],
    ['may have to prove itself at a new address', [moveTo('unhealthy')], 'unhealthy'],
    ['keeps draining at a new address', [drain, moveTo('healthy')], 'draining'],
    ['is not ejected below the threshold', [error()], 'healthy'],
    ['is ejected at the threshold', ejected, 'ejected'],
    ['counts failed requests in a row only', [error(), answer, error()], 'healthy'],
    ['stays while the others could not do without it', [error(), error(0, false)], 'healthy'],
    ['goes on counting meanwhile', [error(0, false), error(0, false), error(0, false), error()], 'ejected'],
    ['does not mind its successful probes while ejected', [...ejected, ok, ok, ok], 'ejected'],
    ['stays ejected below fall', [...ejected, fail, fail], 'ejected'],
    ['falls while ejected', [...ejected, fail, fail, fail], 'unhealthy'],
    ['comes back by its probes once it has fallen', [...ejected, fail, fail, fail, ok, ok], 'healthy'],
    [
      'ignores the end of its ejection once it has fallen',
      [...ejected, fail, fail, fail, over(100)],
      'unhealthy',
    ],
    ['stays out until its ejection is over', [...ejected, over(99)], 'ejected'],
    ['comes back when its ejection is over', [...ejected, over(100)], 'healthy'],
    ['ignores an end that comes late', [...ejected, over(100), over(100)], 'healthy'],
    ['begins to count anew when it is back', [...ejected, over(100), error(100)], 'healthy'],
    ['comes back when its ejection is lifted', [...ejected, lift], 'healthy'],
    ['comes back when an operator restores it', [...ejected, restore], 'healthy'],
    ['drains while ejected', [...ejected, drain], 'draining'],
    ['ignores the end of its ejection while it drains', [...ejected, drain, over(100)], 'draining'],
    ['forgets its ejection when it is restored', [...ejected, drain, empty, restore], 'healthy'],
    ['falls while it drains after an ejection', [...ejected, drain, fail, fail, fail, restore], 'unhealthy'],
    ['drains when the config drops it while ejected', [...ejected, remove], 'draining'],
    ['comes back with the config, its ejection forgotten', [...ejected, remove, comeBack], 'healthy'],
    ['starts afresh at a new address while ejected', [...ejected, moveTo('healthy')], 'healthy'],
    ['proves itself at a new address after an ejection', [...ejected, moveTo('unhealthy')], 'unhealthy'],
    ['ignores failed requests while unhealthy', [fail, fail, fail, ...ejected], 'unhealthy'],
    ['ignores failed requests while draining', [drain, ...ejected, restore], 'healthy'],
    ['ignores further failures while ejected', [...ejected, error(99), error(99), over(100)], 'healthy'],
    ['comes back when ejection is switched off', [...ejected, outlier(undefined)], 'healthy'],
    [
      'stays ejected under other settings',
      [...ejected, outlier({ ...OUTLIER, baseEjectionMs: 1 })],
      'ejected',
    ],
    ['is not ejected where that is switched off', [outlier(undefined), ...ejected], 'healthy'],
  ];
  for (const [title, events, expected, initial] of rows) {
    it(title, () => assert.equal(after(events, initial).status, expected));
  }

  it('says why it fell, with the last reason', () => {
    assert.equal(after([fail, fail, fail]).context.reason, '3 of 3 probes failed, the last with: refused');
  });

  it('says why it rose', () => {
    assert.equal(after([fail, fail, fail, ok, ok]).context.reason, '2 of 2 probes succeeded');
  });

  it('says why it was ejected, and for how long', () => {
    const { reason, ejectedUntil } = after([error(10), error(20)]).context;
    assert.deepEqual(
      [reason, ejectedUntil],
      ['2 requests in a row failed, the last with: status 500; out for 0.1 s', 120],
    );
  });

  it('is out longer each time, up to the maximum', () => {
    const again = (at: number) => [error(at), error(at)];
    const second = [...again(0), over(100), ...again(100)];
    assert.equal(after(second).context.ejectedUntil, 300);
    const third = [...second, over(300), ...again(300)];
    assert.equal(after(third).context.ejectedUntil, 550);
    const fourth = [...third, over(550), ...again(550)];
    assert.deepEqual([after(fourth).context.ejectedUntil, after(fourth).context.timesEjected], [800, 3]);
  });

  it('has one ejection forgotten for each full base time that it stays in', () => {
    const twice = [error(0), error(0), over(100), error(100), error(100), over(300)];
    const timesAt = (at: number) => after([...twice, error(at), error(at)]).context.timesEjected;
    assert.deepEqual(
      [timesAt(399), timesAt(400), timesAt(499), timesAt(500), timesAt(5000)],
      [3, 2, 2, 1, 1],
    );
  });

  it('resets the one counter when the other moves', () => {
    const { context } = after([fail, fail, ok]);
    assert.deepEqual([context.consecutiveFailures, context.consecutiveSuccesses], [0, 1]);
  });

  it('takes new thresholds at the next probe, with the counters as they stand', () => {
    const lower: BackendEvent = { type: 'thresholds.changed', fall: 2, rise: 2, outlier: undefined };
    assert.equal(after([fail, fail, lower]).status, 'healthy');
    assert.equal(after([fail, fail, lower, fail]).status, 'unhealthy');
  });

  it('remembers the last probe', () => {
    assert.deepEqual(after([ok]).context.lastProbe, { at: 1, ok: true, latencyMs: 1, reason: 'status 200' });
  });
});
