/** The daemon as an operator has it: started with flags or a file, reloaded and stopped by signals. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { startDaemon } from './support/daemon.ts';
import { startFleet } from './support/fleet.ts';

const folder = mkdtempSync(join(tmpdir(), 'reprise-daemon-'));
after(() => rmSync(folder, { recursive: true }));

const streamed = { method: 'POST', body: '{"stream":true,"messages":[]}' };

describe('the daemon', () => {
  it('without a backend starts three mocks, says so, and prints commands that work when pasted', async () => {
    await using daemon = await startDaemon([]);
    await daemon.says(/no backend is configured: 3 mock backends/);
    const commands = (await daemon.says(/(curl[\s\S]+\/backends)/)).split(/\n\s*\n/);
    const [plain = '', stream = '', backends = ''] = commands;
    const run = (command: string) => spawnSync('sh', ['-c', command], { encoding: 'utf8' }).stdout;
    assert.match(run(plain), /"object":"chat.completion"/);
    assert.match(run(stream), /data: \[DONE\]/);
    const weights = /"weight":5.*"weight":1.*"weight":1/;
    assert.match(run(backends), weights);
  });

  it('finishes the stream in flight on SIGTERM, then exits 0', async () => {
    await using fleet = await startFleet(1, { tokenCount: 20, tokenGapMs: 20 });
    await using daemon = await startDaemon(['--backend', `127.0.0.1:${fleet.mocks[0]?.port}`]);
    const response = await fetch(`${daemon.url}/v1/chat/completions`, streamed);
    daemon.process.kill('SIGTERM');
    await daemon.says(/SIGTERM: stopping once/);
    await assert.rejects(fetch(`${daemon.url}/health`), 'it took a new connection after SIGTERM');
    assert.match(await response.text(), /data: \[DONE\]/);
    assert.deepEqual(await daemon.exit(), { code: 0, signal: null });
    await daemon.says(/every request was finished/);
  });

  it('takes two signals that come together as one, as npm passes on what the terminal has sent', async () => {
    await using fleet = await startFleet(1, { tokenCount: 20, tokenGapMs: 20 });
    await using daemon = await startDaemon(['--backend', `127.0.0.1:${fleet.mocks[0]?.port}`]);
    const response = await fetch(`${daemon.url}/v1/chat/completions`, streamed);
    // Two of the same kind might reach it as one.
    daemon.process.kill('SIGINT');
    daemon.process.kill('SIGTERM');
    await daemon.says(/SIG(?:INT|TERM): stopping once/);
    assert.match(await response.text(), /data: \[DONE\]/);
    assert.equal((await daemon.exit()).code, 0);
  });

  it('stops at once on a second signal', async () => {
    await using fleet = await startFleet(1, { fault: 'hang-after=1' });
    await using daemon = await startDaemon(['--backend', `127.0.0.1:${fleet.mocks[0]?.port}`]);
    const response = await fetch(`${daemon.url}/v1/chat/completions`, streamed);
    daemon.process.kill('SIGTERM');
    const again = setInterval(() => daemon.process.kill('SIGTERM'), 100);
    await assert.rejects(response.text());
    clearInterval(again);
    assert.equal((await daemon.exit()).code, 1);
  });

  it('cuts off what takes longer than server.shutdownTimeoutMs, and exits 0', async () => {
    await using fleet = await startFleet(1, { fault: 'hang-after=1' });
    const backend = `127.0.0.1:${fleet.mocks[0]?.port}`;
    await using daemon = await startDaemon(['--backend', backend], {
      REPRISE_SERVER_SHUTDOWN_TIMEOUT_MS: '50',
    });
    const response = await fetch(`${daemon.url}/v1/chat/completions`, streamed);
    daemon.process.kill('SIGTERM');
    await assert.rejects(response.text());
    assert.equal((await daemon.exit()).code, 0);
    assert.match(daemon.output, /1 requests took longer than server.shutdownTimeoutMs/);
  });

  it('reads its file again on SIGHUP, and keeps the old config when the new one is wrong', async () => {
    await using fleet = await startFleet(2);
    const file = join(folder, 'reload.json');
    const write = (weight: number) =>
      writeFileSync(
        file,
        JSON.stringify({ backends: fleet.mocks.map(({ port }) => ({ host: '127.0.0.1', port, weight })) }),
      );
    write(1);
    await using daemon = await startDaemon(['--config', file]);
    write(0);
    daemon.process.kill('SIGHUP');
    await daemon.says(/"key":"backends\[0\].weight".*"key":"backends\[1\].weight"/);
    write(3);
    daemon.process.kill('SIGHUP');
    await daemon.says(/"changed":\["127/);
    const backends = await (await fetch(`${daemon.adminUrl}/backends`)).text();
    assert.match(backends, /"weight":3.*"weight":3/);
  });

  it('says what to do when its port is taken', async () => {
    await using first = await startDaemon([]);
    const port = new URL(first.url).port;
    const second = startDaemon(['--port', port]);
    await assert.rejects(second, /cannot listen on 127\.0\.0\.1:\d+: another program listens there/);
  });
});
