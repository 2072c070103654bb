/** What another config changes, in the direction it must. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FAILS_FAST } from '../../docs/cases/fails-fast.ts';
import { coreConfigOf } from '../../src/io/live-config.ts';
import { configOf, recordScenario, type Scenario, type ScriptedBackend } from '../support/scenario.ts';
import { BUSY_POOL, FLAP, turmoil } from './scenarios.ts';
import { ask, backendOf, folder, readText, whatIf } from './support.ts';

const unguarded = (scenario: Scenario): Scenario => ({
  ...scenario,
  config: { ...scenario.config, 'outlier.consecutiveFailures': 0, 'retry.budgetShare': 10 },
});

test('fall=5 spares a flap of four failed probes', () => {
  const { was, wouldBe } = whatIf(FLAP, 'health.fall=5');
  assert.equal(was.stateChanges, 2);
  assert.equal(wouldBe.stateChanges, 0);
  assert.ok(backendOf(was, 'b').unhealthyMs > 4000);
  assert.equal(backendOf(wouldBe, 'b').unhealthyMs, 0);
  assert.ok(backendOf(wouldBe, 'b').requests > backendOf(was, 'b').requests);
});

test('a larger pool makes fewer wait, a smaller one more, and for longer', () => {
  const larger = whatIf(BUSY_POOL, 'pool.size=8');
  const smaller = whatIf(BUSY_POOL, 'pool.size=3');
  const { was } = larger;
  assert.ok(larger.wouldBe.waits.count < was.waits.count);
  assert.ok(smaller.wouldBe.waits.count > was.waits.count);
  assert.ok((larger.wouldBe.waits.p99Ms ?? 0) < (was.waits.p99Ms ?? 0));
  assert.ok(smaller.wouldBe.rejected > was.rejected && larger.wouldBe.rejected <= was.rejected);
});

test('a shorter line turns waits into rejections', () => {
  const { was, wouldBe } = whatIf(BUSY_POOL, 'pool.queue.max=0');
  assert.equal(wouldBe.waits.count, 0);
  assert.ok((wouldBe.rejectedByCode.queue_full ?? 0) > (was.rejectedByCode.queue_full ?? 0));
});

test('a backend that is left out gets nothing, and the others take its share', () => {
  const backend = ['127.0.0.1:8001,id=a'];
  const { was, wouldBe } = ask(readText(recordScenario(FLAP).text), { backend });
  assert.ok(backendOf(was, 'b').requests > 0);
  assert.deepEqual(
    wouldBe.backends.map(({ id }) => id),
    ['a'],
  );
  assert.equal(backendOf(wouldBe, 'a').requests, wouldBe.received);
});

test('a backend that is added answers with the times of the others', () => {
  const backend = ['127.0.0.1:8001,id=a', '127.0.0.1:8002,id=b', '127.0.0.1:8003,id=new'];
  const { wouldBe, answers } = ask(readText(recordScenario(FLAP).text), { backend });
  assert.equal(answers.borrowed, backendOf(wouldBe, 'new').requests);
  assert.ok(answers.borrowed > wouldBe.received / 4);
  assert.equal(backendOf(wouldBe, 'new').unhealthyMs, 0);
});

test('a backend that failed fast fails fast whenever else it is asked during the outage', () => {
  const { wouldBe, after } = whatIf(FAILS_FAST, 'health.fall=1000');
  assert.equal(wouldBe.stateChanges, 0);
  const start = after.fates[0]?.at ?? 0;
  const asked = after.fates.filter(
    ({ backend, at }) => backend === 'gpu-3' && at > start + 63_000 && at < start + 104_000,
  );
  assert.ok(asked.length > 80);
  assert.ok(asked.every(({ outcome, totalMs }) => outcome === 'error' && totalMs === 3));
});

test('a backend that refused connections refuses them whenever else it is asked during the outage', () => {
  const { was, wouldBe } = whatIf(unguarded(turmoil(1)), 'health.fall=1000');
  assert.ok(backendOf(wouldBe, 'a').failures > 2 * backendOf(was, 'a').failures);
});

test('a stricter probe timeout turns slow probes into failures', () => {
  const slow: Scenario = {
    ...FLAP,
    backends: {
      ...FLAP.backends,
      b: {
        ...FLAP.backends.b,
        port: 8002,
        answer: () => ({ totalMs: 1 }),
        probe: () => ({ latencyMs: 300 }),
      },
    },
  };
  assert.equal(backendOf(whatIf(slow, 'health.timeoutMs=400').wouldBe, 'b').unhealthyMs, 0);
  assert.ok(backendOf(whatIf(slow, 'health.timeoutMs=200').wouldBe, 'b').unhealthyMs > 50_000);
});

test('probes at another interval find an outage sooner', () => {
  const { was, wouldBe } = whatIf(FAILS_FAST, 'health.intervalMs=1000');
  assert.ok(wouldBe.errors < was.errors);
  assert.ok(backendOf(wouldBe, 'gpu-3').unhealthyMs > 35_000);
});

test('other intervals of probes and sweeps over a long record do not overflow the stack', () => {
  const quiet: Scenario = {
    backends: { a: { port: 8001, answer: () => ({ firstByteMs: 5, totalMs: 50 }) } },
    config: { 'health.intervalMs': 60_000, 'pool.sweepIntervalMs': 60_000 },
    durationMs: 2_000_000,
    everyMs: 200_000,
    seed: 1,
  };
  const { was, wouldBe } = whatIf(quiet, 'health.intervalMs=10', 'pool.sweepIntervalMs=10');
  assert.equal(wouldBe.served, was.served);
});

test('an answer that would have come too late fails at the limit', () => {
  const { wouldBe } = whatIf(
    { ...FLAP, config: { ...FLAP.config, 'retry.attempts': 0 } },
    'upstream.headersTimeoutMs=10',
  );
  assert.equal(wouldBe.served, 0);
  assert.deepEqual(Object.keys(wouldBe.rejectedByCode), ['backend_timeout']);
});

/** Every other request goes to `a`, which never answers; `b` does at once. */
const HANGS: Scenario = {
  backends: {
    a: { port: 8001, answer: () => ({}) },
    b: { port: 8002, answer: () => ({ firstByteMs: 5, totalMs: 50 }) },
  },
  // Nothing but what is asked about is to send requests elsewhere.
  config: { 'outlier.consecutiveFailures': 0 },
  durationMs: 120_000,
  everyMs: 2000,
  seed: 1,
  patienceMs: () => 20_000,
};

test('a shorter headers timeout ends the wait of a client that had left without an answer', () => {
  const { was, wouldBe, after, changed, exactUntil } = whatIf(HANGS, 'upstream.headersTimeoutMs=2000');
  const hung = backendOf(was, 'a').requests;
  assert.ok(was.aborted > 20 && was.aborted + was.underWay === hung, JSON.stringify(was));
  assert.deepEqual(wouldBe.rejectedByCode, { backend_timeout: hung });
  assert.equal(changed.length, hung);
  const rejected = after.fates.filter(({ outcome }) => outcome === 'backend_timeout');
  // The connection takes a millisecond.
  for (const { totalMs } of rejected) assert.ok(totalMs === 2000 || totalMs === 2001, `${totalMs} ms`);
  assert.ok(exactUntil !== undefined && exactUntil.seq < 20, `exact until ${exactUntil?.seq}`);
});

test('a headers timeout that is longer than clients wait changes nothing, and that is exact', () => {
  for (const other of ['upstream.headersTimeoutMs=25000', 'upstream.headersTimeoutMs=600000']) {
    const { was, wouldBe, exactUntil, changed } = whatIf({ ...HANGS, everyMs: 6000 }, other);
    assert.equal(wouldBe.aborted, was.aborted, other);
    assert.deepEqual(changed, [], other);
    assert.equal(exactUntil, undefined, other);
  }
});

test('a shorter connect timeout sends a request on whose client had left before anything opened', () => {
  const closed: Scenario = {
    ...HANGS,
    backends: {
      ...HANGS.backends,
      a: { port: 8001, answer: () => ({}), connect: () => ({ ms: 5000, fails: 'connectTimeout' }) },
    },
    patienceMs: () => 3000,
  };
  const { was, wouldBe, exactUntil } = whatIf(closed, 'upstream.connectTimeoutMs=1000');
  const unopened = backendOf(was, 'a').requests;
  assert.ok(was.aborted > 20 && was.aborted === unopened && was.retries === 0, JSON.stringify(was));
  assert.equal(wouldBe.retries, unopened);
  assert.equal(wouldBe.served, wouldBe.received);
  assert.equal(backendOf(wouldBe, 'b').requests, wouldBe.received);
  assert.ok(exactUntil !== undefined && exactUntil.seq < 20);
  assert.equal(whatIf(closed, 'upstream.connectTimeoutMs=4000').exactUntil, undefined);
});

test('a body that no longer fits the buffer is not sent twice', () => {
  const b: ScriptedBackend = { port: 8002, answer: () => ({ totalMs: 5, fails: 'reset' }) };
  const resetting: Scenario = { ...FLAP, backends: { ...FLAP.backends, b } };
  const { was, wouldBe } = whatIf(unguarded(resetting), 'retry.bufferBytes=0');
  assert.equal(was.rejected, 0);
  assert.equal(wouldBe.retries, 0);
  assert.deepEqual(Object.keys(wouldBe.rejectedByCode), ['backend_failed']);
  assert.ok(wouldBe.rejected > 0.4 * wouldBe.received);
});

test('the same seed gives the same answer, another seed another one', () => {
  const recording = readText(recordScenario(turmoil(5)).text);
  const other = { set: ['pool.size=6'] };
  const first = ask(recording, other, 1);
  assert.deepEqual(ask(recording, other, 1), first);
  assert.notDeepEqual(ask(recording, other, 2).after.fates, first.after.fates);
});

test('up to the entry that is named every decision is the one the core would have taken', () => {
  const { exactUntil, differences, answers } = whatIf(FLAP, 'health.fall=5');
  assert.ok(exactUntil);
  // The probe that no longer takes b out, and the first request that therefore goes to b.
  const certain = differences.first.filter(({ seq }) => seq <= exactUntil.seq);
  assert.deepEqual(
    certain.map(({ fact }) => fact.type),
    ['probe.failed', 'request.received'],
  );
  assert.equal(certain.at(-1)?.seq, exactUntil.seq);
  assert.ok(answers.recorded > 0 && answers.drawn > 0);
});

test('a whole config leaves recorded reloads out, a single key does not', (t) => {
  const config = { ...FLAP.config, 'health.fall': 1000 };
  const reloaded = coreConfigOf(configOf({ ...FLAP, config }));
  const scenario: Scenario = {
    ...FLAP,
    also: [{ at: 10_000, fact: { type: 'config.reloaded', config: reloaded } }],
  };
  const recording = readText(recordScenario(scenario).text);
  const withKey = ask(recording, { set: ['pool.size=7'] });
  assert.equal(withKey.was.stateChanges, 0);
  assert.equal(withKey.wouldBe.stateChanges, 0);

  const path = join(folder(t), 'other.json');
  writeFileSync(path, '{ "health": { "fall": 3, "intervalMs": 2000 } }');
  assert.equal(ask(recording, { config: path }).wouldBe.stateChanges, 2);
});
