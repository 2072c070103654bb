/** `reprise status` as an operator sees it: the table, what is said when no gateway answers, and watching. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { watch } from '../../src/io/status/watch.ts';
import { reprise } from '../replay/support.ts';
import { startFleet } from '../support/fleet.ts';
import { startTestGateway } from '../support/gateway.ts';
import { PATIENCE_MS } from '../support/patience.ts';

const CLI = join(import.meta.dirname, '../../src/cli.ts');

describe('reprise status', { concurrency: 2 }, () => {
  it('shows each backend with state, weights, pool, requests and probes, the line, and totals', async () => {
    // Sockets stay idle for as long as the command takes to start.
    await using fleet = await startFleet(3, { keepAliveTimeoutMs: PATIENCE_MS });
    fleet.mocks[2]?.set({ health: 503 });
    await using gateway = await startTestGateway({ backends: fleet.mocks, health: { fall: 1 } });
    await gateway.decision('backend.changed');
    await gateway.fact('probe.succeeded', 2);
    for (let request = 0; request < 4; request += 1) await (await fetch(`${gateway.url}/v1/models`)).text();
    await fetch(`${gateway.adminUrl}/backends/b/drain`, { method: 'POST' });
    const { code, stdout, stderr } = await reprise('status', '--admin', gateway.adminUrl);
    assert.deepEqual([code, stderr], [0, '']);
    const [heading, , ...lines] = stdout.split('\n');
    assert.match(heading ?? '', new RegExp(`^${gateway.adminUrl} at \\d\\d:\\d\\d:\\d\\d$`));
    const table = lines.map((line) => line.replace(/\d+ ms$/, 'N ms'));
    assert.deepEqual(table, [
      '    BACKEND  STATE      WEIGHT  CURRENT  IDLE  LEASED  REQUESTS  FAILED  PROBES IN A ROW',
      '    a        healthy         1        0     1    0/10         2       0  1 passed, N ms',
      '    b        drained         1        0     0    0/10         2       0  1 passed, N ms',
      '    c        unhealthy       1        0     0    0/10         0       0  1 failed: status 503',
      '',
      'No request waits for a socket.',
      '1 of 3 backends healthy; 4 requests, 0 failed, 0 in flight.',
      '',
    ]);
  });

  it('says how many wait, and prints one object with --json', async () => {
    await using fleet = await startFleet(1, { fault: 'hang' });
    await using gateway = await startTestGateway({ backends: fleet.mocks, pool: { size: 1 } });
    const leave = new AbortController();
    const requests = [1, 2, 3].map(() =>
      fetch(`${gateway.url}/v1/models`, { signal: leave.signal }).catch(() => undefined),
    );
    await gateway.decision('request.queued', 2);
    const [text, json] = await Promise.all([
      reprise('status', '--admin', `127.0.0.1:${gateway.gateway.adminPort}`),
      reprise('status', '--admin', gateway.adminUrl, '--json'),
    ]);
    leave.abort();
    await Promise.all(requests);
    assert.match(text.stdout, /^2 requests wait for a socket\.$/m);
    const { admin, queued, total, backends } = JSON.parse(json.stdout);
    assert.deepEqual([admin, queued, backends.length], [gateway.adminUrl, 2, 1]);
    assert.deepEqual(total, { backends: 1, healthy: 1, requests: 1, failed: 0, inFlight: 1 });
  });

  it('finds the gateway where the configuration says it is', async (t) => {
    await using gateway = await startTestGateway({});
    const folder = mkdtempSync(join(tmpdir(), 'reprise-status-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'config.json');
    writeFileSync(
      file,
      JSON.stringify({
        admin: { host: '0.0.0.0', port: gateway.gateway.adminPort, token: '0123456789abcdef' },
      }),
    );
    const { code, stdout } = await reprise('status', '--config', file);
    assert.equal(code, 0);
    assert.match(stdout, /\n\nNo backend is configured\.\n$/);
  });

  it('says where it asked and what to do when no gateway answers there, and exits with 1', async () => {
    await using fleet = await startFleet(1);
    const port = fleet.mocks[0]?.port ?? 0;
    const other = await reprise('status', '--admin', `127.0.0.1:${port}`);
    assert.equal(other.code, 1);
    assert.match(other.stderr, /is not the admin listener of a gateway \(status 404\)/);
    await fleet.mocks[0]?.close();
    const none = await reprise('status', '--admin-port', String(port));
    assert.deepEqual([none.code, none.stdout], [1, '']);
    assert.match(
      none.stderr,
      /no gateway answers at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)\. Start one with/,
    );
  });

  it('refuses an address that is none, and a configured port that says nothing', async () => {
    for (const args of [
      ['--admin', 'nowhere'],
      ['--admin', 'ftp://host:1'],
      ['--admin-port', '0'],
    ]) {
      const { code, stdout } = await reprise('status', ...args);
      assert.deepEqual([code, stdout], [64, ''], args.join(' '));
    }
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`--watch shows it again and again through a pipe, and ends with 0 at ${signal}`, async () => {
      await using gateway = await startTestGateway({});
      const child = spawn(process.execPath, [CLI, 'status', '--watch', '--admin', gateway.adminUrl], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      for await (const piece of child.stdout.setEncoding('utf8')) {
        output += piece;
        if (output.split('No backend').length > 2) child.kill(signal);
      }
      if (child.exitCode === null) await once(child, 'exit');
      assert.equal(child.exitCode, 0);
      assert.match(output, /^http:.*\n\nNo backend is configured\.\n\nhttp:/);
      assert.ok(!output.includes('\x1b'));
    });
  }
});

describe('watching', () => {
  /** Shows these frames one after the other, and ends behind the last. @returns what was written, by frames */
  async function watched(
    frames: readonly (readonly string[] | Error)[],
    terminal: object,
  ): Promise<string[]> {
    const stop = new AbortController();
    const written: string[] = [];
    const output = { ...terminal, write: (text: string) => written.push(text) };
    let shown = 0;
    const show = async () => {
      const frame = frames[shown];
      shown += 1;
      if (shown === frames.length) setImmediate(() => stop.abort());
      if (frame instanceof Error) throw frame;
      return frame ?? [];
    };
    await watch(show, output, 'frames', stop.signal);
    return written;
  }
  const TERMINAL = { isTTY: true, rows: 6, columns: 20 };

  it('writes each frame over the one before, hides the cursor, and shows it again at the end', async () => {
    const written = await watched([['one', 'x'.repeat(30)], ['two']], TERMINAL);
    assert.deepEqual(written, [
      '\x1b[?25l',
      `\rone\x1b[K\n${'x'.repeat(30)}\x1b[K\n\x1b[J`,
      // A line of 30 takes two rows where there are 20 columns.
      '\x1b[3A\rtwo\x1b[K\n\x1b[J',
      '\x1b[?25h',
    ]);
  });

  it('leaves out what does not fit on the terminal, and says so', async () => {
    const lines = Array.from({ length: 9 }, (_, index) => `line ${index}`);
    const [, frame = ''] = await watched([lines], TERMINAL);
    const rows = stripVTControlCharacters(frame).trim().split('\n');
    assert.deepEqual(rows, ['line 0', 'line 1', 'line 2', 'line 3', '... 5 more lines']);
  });

  it('shows what went wrong, and asks again', async () => {
    const written = await watched([new Error('gone'), ['back']], { isTTY: false });
    assert.deepEqual(written, ['gone\n', '\nback\n']);
  });
});
