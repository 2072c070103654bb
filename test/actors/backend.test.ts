/** The state machine of a backend as a table: state and event on the left, what comes of it on the right. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createActor } from 'xstate';
import { type BackendEvent, backendMachine, statusOf } from '../../src/actors/backend.ts';

const ok: BackendEvent = { type: 'probe.succeeded', at: 1, latencyMs: 1, status: 200 };
const fail: BackendEvent = { type: 'probe.failed', at: 1, latencyMs: 1, reason: 'refused' };
const drain: BackendEvent = { type: 'operator.drained' };
const restore: BackendEvent = { type: 'operator.restored' };
const remove: BackendEvent = { type: 'config.removed' };
const comeBack: BackendEvent = { type: 'config.returned' };
const empty: BackendEvent = { type: 'leases.ended' };
const moveTo = (initial: 'healthy' | 'unhealthy'): BackendEvent => ({ type: 'address.changed', initial });

function after(events: readonly BackendEvent[], initial: 'healthy' | 'unhealthy' = 'healthy') {
  const actor = createActor(backendMachine, { input: { fall: 3, rise: 2, initial } });
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

  it('resets the one counter when the other moves', () => {
    const { context } = after([fail, fail, ok]);
    assert.deepEqual([context.consecutiveFailures, context.consecutiveSuccesses], [0, 1]);
  });

  it('takes new thresholds at the next probe, with the counters as they stand', () => {
    const lower: BackendEvent = { type: 'thresholds.changed', fall: 2, rise: 2 };
    assert.equal(after([fail, fail, lower]).status, 'healthy');
    assert.equal(after([fail, fail, lower, fail]).status, 'unhealthy');
  });

  it('remembers the last probe', () => {
    assert.deepEqual(after([ok]).context.lastProbe, { at: 1, ok: true, latencyMs: 1, reason: 'status 200' });
  });
});
