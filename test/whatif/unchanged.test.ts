/** Under the recorded config nothing may change: the simulated world must lead to the record itself. */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Entry } from '../../src/actors/events.ts';
import { decodeLine } from '../../src/io/event-log/lines.ts';
import { coreConfigOf } from '../../src/io/live-config.ts';
import { startFleet, weighted } from '../support/fleet.ts';
import { startTestGateway } from '../support/gateway.ts';
import { runLoad } from '../support/load.ts';
import { createRecorder, type Recorder } from '../support/recorder.ts';
import { configOf, recordScenario, type Scenario } from '../support/scenario.ts';
import { BUSY_POOL, FLAP, turmoil } from './scenarios.ts';
import { ask, assertUnchanged, folder, readPath, reprise, whatIf } from './support.ts';

test('a record without waits comes back decision for decision', () => {
  assertUnchanged(whatIf(FLAP));
});

test('a record with waits, retries, stale sockets, an outage and clients that leave comes back too', () => {
  assertUnchanged(whatIf(BUSY_POOL));
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const answer = whatIf(turmoil(seed));
    assert.ok(answer.was.retries > 0 && answer.was.waits.count > 0 && answer.was.aborted > 0);
    assertUnchanged(answer);
  }
});

test('a record with ejections comes back too, and ends differently without them', () => {
  const { also: _, ...rest } = turmoil(13);
  const failsFast = (at: number) => at > 20_000 && at < 45_000;
  const scenario = {
    ...rest,
    config: { ...rest.config, 'outlier.baseEjectionMs': 4000 },
    backends: {
      ...rest.backends,
      d: {
        port: 8004,
        answer: (at: number) =>
          failsFast(at) ? { firstByteMs: 1, totalMs: 2, status: 500 } : { firstByteMs: 20, totalMs: 400 },
      },
    },
  };
  const answer = whatIf(scenario);
  const ejections = (summary: typeof answer.was) =>
    summary.backends.map(({ states }) => states.filter(({ state }) => state === 'ejected').length);
  assert.ok(
    ejections(answer.was).some((count) => count > 2),
    String(ejections(answer.was)),
  );
  assertUnchanged(answer);

  const { was, wouldBe } = whatIf(scenario, 'outlier.consecutiveFailures=0');
  assert.deepEqual(ejections(wouldBe), [0, 0, 0, 0]);
  assert.ok(wouldBe.errors > 2 * was.errors, `${was.errors} and ${wouldBe.errors}`);
});

test('a record with answers that were sent elsewhere and backends that asked to be left alone comes back too', () => {
  const calm = turmoil(17);
  const config = { ...calm.config, 'pool.size': 16, 'outlier.consecutiveFailures': 0 };
  const refusing: Scenario = {
    ...calm,
    config: { ...config, 'retry.on': ['emptyResponse', '503', '429'] },
    backends: {
      ...calm.backends,
      d: {
        port: 8004,
        answer: (_at, random) => {
          if (random() < 0.3) return { totalMs: 5, status: 503, retryAfterMs: 400 };
          if (random() < 0.1) return { firstByteMs: 2, totalMs: 60, status: 429, retryAfterMs: 1000 };
          return { firstByteMs: 20, totalMs: 300 };
        },
      },
    },
  };
  const answer = whatIf(refusing);
  assert.ok(answer.was.retries > 50, String(answer.was.retries));
  assertUnchanged(answer);

  const { was, wouldBe } = whatIf(refusing, 'retry.on=emptyResponse');
  assert.ok(wouldBe.errors > was.errors + 30, `${was.errors} and ${wouldBe.errors}`);
  assert.ok(wouldBe.retries < 0.7 * was.retries, `${was.retries} and ${wouldBe.retries}`);
  const back = whatIf({ ...refusing, config }, 'retry.on=emptyResponse,503');
  assert.ok(back.wouldBe.errors < back.was.errors - 30, `${back.was.errors} and ${back.wouldBe.errors}`);
});

test('the recorded config given as a value that it has already changes nothing', () => {
  assertUnchanged(whatIf(turmoil(7), 'pool.size=4', 'health.intervalMs=2000', 'logging.level=debug'));
});

/** Records the facts of scenarios anew, into segments. @returns their folder */
function recordAgain(t: TestContext, facts: (recorder: Recorder) => void): string {
  const path = folder(t);
  const recorder = createRecorder({
    segmentBytes: 300_000,
    checkpointEvery: 1000,
    write: (name, text) => writeFileSync(join(path, name), text),
  });
  facts(recorder);
  recorder.end();
  return path;
}

function entriesOf(seed: number): Entry[] {
  const lines = recordScenario(turmoil(seed)).text.trimEnd().split('\n');
  return lines.flatMap((text) => {
    const decoded = decodeLine(text);
    return decoded.ok && 'fact' in decoded.line ? [decoded.line] : [];
  });
}

test('a record that begins in the middle comes back from its snapshot', async (t) => {
  const path = recordAgain(t, ({ take }) => {
    for (const { fact, at } of entriesOf(8)) take(fact, at);
  });
  const names = readdirSync(path).sort();
  assert.ok(names.length > 3);
  for (const name of names) assertUnchanged(ask(await readPath(join(path, name)), {}));

  const middle = ask(await readPath(join(path, names[1] ?? '')), { set: ['pool.size=12'] });
  assert.ok(middle.wouldBe.waits.count < middle.was.waits.count);
});

test('a gap and a start of the gateway each begin a part, and every part comes back', async (t) => {
  const path = recordAgain(t, ({ take, lose, restart }) => {
    const entries = entriesOf(9);
    for (const [index, { fact, at }] of entries.entries()) {
      (index > 800 && index < 900 ? lose : take)(fact, at);
    }
    restart();
    for (const { fact, at } of entriesOf(10)) take(fact, at + 3_600_000);
  });
  const recording = await readPath(path);
  assert.equal(recording.runs.length, 3);
  assertUnchanged(ask(recording, {}));
});

test('recorded reloads are made again, with the change on top', () => {
  const scenario = turmoil(11);
  const fewer = coreConfigOf(configOf({ ...scenario, config: { ...scenario.config, 'pool.size': 3 } }));
  const also = [{ at: 40_000, fact: { type: 'config.reloaded', config: fewer } as const }];
  assertUnchanged(whatIf({ ...scenario, also }));
  const { wouldBe } = whatIf({ ...scenario, also }, 'pool.size=30');
  assert.equal(wouldBe.waits.count, 0);
});

test('the log of a real gateway under load, with faults, comes back letter for letter', {
  timeout: 60_000,
}, async (t) => {
  const dir = folder(t);
  await recordRealGateway(dir);
  const answer = ask(await readPath(dir), {});
  const { received, waits, aborted, retries } = answer.was;
  assert.ok(received > 100 && waits.count > 0 && aborted > 0 && retries > 0, JSON.stringify(answer.was));
  assertUnchanged(answer);
  const { code, stdout } = await reprise('whatif', dir);
  assert.equal(code, 0);
  assert.match(stdout, /No difference: every decision is as recorded\./);
});

/** Small pools, short deadlines, sockets that close early, a backend that resets, one drained, and a reload. */
async function recordRealGateway(dir: string): Promise<void> {
  await using fleet = await startFleet(3, {
    firstTokenDelayMs: 20,
    tokenGapMs: 2,
    tokenCount: 16,
    keepAliveTimeoutMs: 400,
  });
  const config = {
    backends: weighted(fleet.mocks, [3, 1, 1]),
    health: { intervalMs: 200, timeoutMs: 100 },
    pool: { size: 3, sweepIntervalMs: 300, idleTimeoutMs: 700 },
    queue: { max: 12, timeoutMs: 60 },
    eventLog: { enabled: true, dir },
  };
  await using gateway = await startTestGateway(config);
  const until = Date.now() + 2500;
  const load = runLoad({ url: gateway.url, clients: 11, goOn: () => Date.now() < until });
  const leaving = setInterval(() => leaveEarly(gateway.url), 20);
  await sleep(400);
  const [broken] = fleet.mocks;
  broken?.set({ fault: 'reset', faultEvery: 7, refuseForMs: 500, health: 'reset' });
  await sleep(700);
  broken?.set({ fault: null, health: 'ok' });
  await fetch(`${gateway.adminUrl}/backends/c/drain`, { method: 'POST' });
  await sleep(300);
  await gateway.reconfigure({ ...config, backends: weighted(fleet.mocks, [1, 2, 1]) });
  await load;
  clearInterval(leaving);
  await sleep(600);
  await gateway.gateway.stop();
}

function leaveEarly(url: string): void {
  const headers = { 'content-type': 'application/json' };
  const request = http.request(`${url}/v1/chat/completions`, { method: 'POST', headers });
  request.on('error', () => {});
  request.end('{"model":"mock","stream":true,"messages":[]}');
  setTimeout(() => request.destroy(), 30 * Math.random());
}
