/** What a real gateway writes, over real sockets and through failures of its disk, is what replay reads. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { replayLog } from '../../src/io/event-log/replay-log.ts';
import { temporaryFolder } from '../support/event-log.ts';
import { faultyDisk } from '../support/faulty-disk.ts';
import { startFleet } from '../support/fleet.ts';
import { startTestGateway, type TestConfig, type TestEnds, type TestGateway } from '../support/gateway.ts';
import { runLoad } from '../support/load.ts';

/** One run of a gateway under load, which lasts as long as `during` does, and then for a while. */
async function run(
  config: TestConfig,
  ends: TestEnds,
  during: (gateway: TestGateway) => Promise<unknown>,
): Promise<void> {
  await using gateway = await startTestGateway(config, ends);
  let left = Number.POSITIVE_INFINITY;
  const load = runLoad({ url: gateway.url, clients: 16, goOn: () => left-- > 0 });
  await gateway.fact('response.ended', 100);
  await during(gateway).finally(() => {
    left = 300;
  });
  await load;
  await gateway.gateway.stop();
}

async function recordsAgain({ adminUrl }: TestGateway): Promise<void> {
  for (let state = ''; state !== 'recording'; await sleep(20)) {
    const stats = await (await fetch(`${adminUrl}/stats`)).json();
    ({ state } = (stats as { eventLog: { state: string } }).eventLog);
  }
}

test('two runs of a gateway with faults, a reload, a drain and a full disk replay with no divergence, each segment too', async () => {
  using folder = temporaryFolder();
  await using fleet = await startFleet(3);
  const disk = faultyDisk();
  fleet.mocks[0]?.set({ fault: 'reset-after=3', faultEvery: 5 });
  fleet.mocks[1]?.set({ fault: 'reset', faultEvery: 7 });
  const config = { backends: fleet.mocks, eventLog: { dir: folder.path, segmentBytes: 100_000 } };
  await run(config, {}, async (gateway) => {
    await fetch(`${gateway.adminUrl}/backends/a/drain`, { method: 'POST' });
    await gateway.reconfigure({ ...config, backends: fleet.mocks.slice(0, 2), health: { fall: 1 } });
    await gateway.reconfigure(config);
  });
  await run(config, { files: disk.files }, async (gateway) => {
    disk.break('write', 'ENOSPC');
    await gateway.fact('response.ended', 400);
    disk.break('write', undefined);
    await recordsAgain(gateway);
  });
  const { firstTrouble, divergences, damage, ...report } = await replayLog(folder.path);
  assert.deepEqual([firstTrouble, divergences, damage], [undefined, 0, []]);
  assert.ok(report.entries > 1500 && report.hashes > 3, `${report.entries} entries, ${report.hashes} hashes`);
  assert.ok(report.gaps === 1 && report.dropped > 100, `${report.gaps} gaps, ${report.dropped} dropped`);
  const segments = readdirSync(folder.path).filter((file) => file.startsWith('events-'));
  assert.ok(segments.length > 3);
  for (const file of segments) {
    const alone = await replayLog(join(folder.path, file));
    assert.deepEqual([file, alone.firstTrouble], [file, undefined]);
  }
});
