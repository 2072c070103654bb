/** A whole gateway that records itself: what is in its log, what is not, and that its disk is no concern of its clients. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { checkLog, heardLogger, temporaryFolder } from '../support/event-log.ts';
import { faultyDisk } from '../support/faulty-disk.ts';
import { startFleet } from '../support/fleet.ts';
import { startTestGateway } from '../support/gateway.ts';
import { runLoad, troubles } from '../support/load.ts';

type Stats = { eventLog: { state: string; seq: number; writtenSeq: number; dropped: number; gaps: number } };

async function statsAt(adminUrl: string): Promise<Stats['eventLog']> {
  const response = await fetch(`${adminUrl}/stats`);
  return ((await response.json()) as Stats).eventLog;
}

describe('a gateway that records', () => {
  it('writes every entry of a load with faults, reloads and a drain, and the log replays', async () => {
    using folder = temporaryFolder();
    await using fleet = await startFleet(3);
    const config = { backends: fleet.mocks, eventLog: { dir: folder.path, segmentBytes: 200_000 } };
    await using gateway = await startTestGateway(config);
    fleet.mocks[0]?.set({ fault: 'reset-after=3', faultEvery: 5 });
    fleet.mocks[1]?.set({ fault: 'status=500', faultEvery: 7 });
    let asked = 0;
    const load = runLoad({ url: gateway.url, clients: 16, goOn: () => asked++ < 1500 });
    await gateway.fact('response.ended', 200);
    await fetch(`${gateway.adminUrl}/backends/a/drain`, { method: 'POST' });
    await gateway.reconfigure({ ...config, backends: fleet.mocks.slice(0, 2), health: { fall: 1 } });
    await gateway.reconfigure(config);
    await fetch(`${gateway.adminUrl}/backends/a/restore`, { method: 'POST' });
    await load;
    await gateway.gateway.stop();
    const { entries, segments, gaps, checkpoints } = await checkLog(folder.path);
    assert.deepEqual(entries.slice(1), gateway.entries);
    assert.deepEqual(
      [entries[0]?.fact.type, entries.at(-1)?.fact.type],
      ['gateway.started', 'listener.closed'],
    );
    assert.ok(segments.length > 3 && checkpoints >= 2 && gaps.length === 0);
    assert.deepEqual(Object.keys(segments[0]?.config ?? {}).slice(0, 3), ['server', 'admin', 'backends']);
  });

  it('writes nothing secret, neither of what its clients and backends say to each other nor of its config', async () => {
    using folder = temporaryFolder();
    await using fleet = await startFleet(1, { extraHeaders: [['Set-Cookie', 'session=SECRET-set-cookie']] });
    const { logger, lines } = heardLogger();
    logger.level = 'trace';
    const health = { path: '/health?key=SECRET-health' };
    const config = { backends: fleet.mocks, health, eventLog: { dir: folder.path } };
    await using gateway = await startTestGateway(config, { log: logger });
    const headers = {
      authorization: 'Bearer SECRET-authorization',
      cookie: 'a=SECRET-cookie',
      'x-api-key': 'SECRET-key',
    };
    const message = { role: 'user', content: 'SECRET-prompt' };
    for (const fault of ['', 'reset', 'reset-after=1', 'status=500', 'garbage', 'cut-after=1']) {
      for (const stream of [true, false]) {
        const response = await fetch(`${gateway.url}/v1/chat/completions?key=SECRET-query`, {
          method: 'POST',
          headers: fault === '' ? headers : { ...headers, 'x-mock-fault': fault },
          body: JSON.stringify({ model: 'SECRET-model', stream, messages: [message] }),
        });
        const answer = await response.text().catch(() => '');
        if (fault === '') assert.match(answer, /SECRET-model/, 'the answer holds a secret as well');
      }
    }
    await gateway.gateway.stop();
    const text = readdirSync(folder.path)
      .map((file) => readFileSync(join(folder.path, file), 'utf8'))
      .join();
    assert.match(text, /response\.failed/);
    assert.match(text, /"path":"\/health\?\*\*\*"/);
    assert.doesNotMatch(text, /SECRET/);
    assert.doesNotMatch(lines.join(), /SECRET/);
  });

  it('answers every request while its disk is full, and records again when it is not', async () => {
    using folder = temporaryFolder();
    await using fleet = await startFleet(2);
    const disk = faultyDisk();
    const config = { backends: fleet.mocks, eventLog: { dir: folder.path } };
    await using gateway = await startTestGateway(config, { files: disk.files });
    disk.break('write', 'ENOSPC');
    let asked = 0;
    const outcomes = await runLoad({ url: gateway.url, clients: 16, goOn: () => asked++ < 800 });
    assert.deepEqual([outcomes.length, troubles(outcomes)], [800, []]);
    const failed = await statsAt(gateway.adminUrl);
    assert.deepEqual([failed.state, failed.gaps, failed.dropped > failed.seq - 20], ['failed', 1, true]);
    disk.break('write', undefined);
    let stats = failed;
    while (stats.state !== 'recording') stats = await statsAt(gateway.adminUrl);
    assert.equal((await fetch(`${gateway.url}/v1/models`)).status, 200);
    await gateway.gateway.stop();
    const { entries, gaps } = await checkLog(folder.path);
    assert.equal(gaps.length, 1);
    assert.equal(entries.at(-1)?.fact.type, 'listener.closed');
  });

  it('answers every request while its disk hangs', async () => {
    using folder = temporaryFolder();
    await using fleet = await startFleet(2);
    const disk = faultyDisk();
    const config = { backends: fleet.mocks, eventLog: { dir: folder.path, bufferBytes: 65_536 } };
    await using gateway = await startTestGateway(config, { files: disk.files });
    const goOn = disk.hang();
    let asked = 0;
    const outcomes = await runLoad({ url: gateway.url, clients: 16, goOn: () => asked++ < 800 });
    assert.deepEqual([outcomes.length, troubles(outcomes)], [800, []]);
    assert.equal((await statsAt(gateway.adminUrl)).state, 'dropping');
    goOn();
    await gateway.gateway.stop();
    assert.equal((await checkLog(folder.path)).gaps.length, 1);
  });

  it('serves without recording when its folder is another gateway’s', async () => {
    using folder = temporaryFolder();
    await using fleet = await startFleet(1);
    const config = { backends: fleet.mocks, eventLog: { dir: folder.path } };
    await using first = await startTestGateway(config);
    await using second = await startTestGateway(config);
    for (const { url } of [first, second]) assert.equal((await fetch(`${url}/v1/models`)).status, 200);
    const { state, dropped, seq } = await statsAt(second.adminUrl);
    assert.deepEqual([state, dropped], ['failed', seq]);
    assert.equal((await statsAt(first.adminUrl)).state, 'recording');
  });

  it('says in its statistics when it does not record', async () => {
    await using gateway = await startTestGateway({});
    assert.equal((await statsAt(gateway.adminUrl)).state, 'off');
  });

  it('whose port is taken leaves nothing in the folder', async () => {
    using folder = temporaryFolder();
    await using first = await startTestGateway({});
    const server = { port: first.port };
    await assert.rejects(startTestGateway({ server, eventLog: { dir: folder.path } }), /cannot listen/);
    assert.deepEqual(readdirSync(folder.path), []);
  });
});
