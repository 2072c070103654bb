/** `reprise inspect` as a process: the page over a recorded log, on loopback, until Ctrl-C. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Moment, Overview } from '../../src/io/inspector/api.ts';
import { bareEnvironment } from '../support/environment.ts';
import { busyWorld, folderOf, recordWorlds } from '../support/recorded-log.ts';
import { eventually, playAll, viewsOf } from './support.ts';

const CLI = join(import.meta.dirname, '../../src/cli.ts');
const ENV = bareEnvironment();

type Inspect = AsyncDisposable & {
  readonly url: string;
  readonly process: ChildProcess;
  readonly output: string;
};

async function inspect(path: string): Promise<Inspect> {
  const child = spawn(process.execPath, [CLI, 'inspect', path], {
    env: ENV,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  await eventually(() => /http:\S+\/inspector\/\n/.test(output) || child.exitCode !== null, 'it listens');
  return {
    url: /http:\S+/.exec(output)?.[0] ?? assert.fail(output),
    process: child,
    get output() {
      return output;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

async function get<Result>(url: string): Promise<Result> {
  const result: Result = JSON.parse(await (await fetch(url)).text());
  return result;
}

const run = (...args: readonly string[]) =>
  spawnSync(process.execPath, [CLI, 'inspect', ...args], { env: ENV, encoding: 'utf8' });

describe('reprise inspect', () => {
  it('shows a recorded log on loopback, changes nothing, and ends with 0 on Ctrl-C', async (t) => {
    const path = folderOf(t, recordWorlds([busyWorld(8, 400)]));
    await using inspected = await inspect(path);
    assert.match(inspected.url, /^http:\/\/127\.0\.0\.1:\d+\/inspector\/$/);
    const overview = () => get<Overview>(`${inspected.url}api/overview`);
    await eventually(async () => {
      const { progress } = await overview();
      return progress.bytesTotal > 0 && progress.bytes === progress.bytesTotal;
    }, 'all is read');
    const { source, first, last } = await overview();
    assert.deepEqual(source, { kind: 'recording', title: path, version: '0.1.0', canChange: false });
    const played = await playAll(path);
    assert.deepEqual([first?.seq, last?.seq], [1, played.at(-1)?.entry.seq]);
    const middle = played[200];
    const moment = await get<Moment>(`${inspected.url}api/moment?seq=${middle?.entry.seq}`);
    assert.deepEqual(viewsOf(moment), middle?.backends);
    assert.equal((await fetch(inspected.url)).status, 200);
    assert.equal((await fetch(new URL('/reload', inspected.url), { method: 'POST' })).status, 404);
    const foreign = { headers: { origin: 'http://evil.example' } };
    assert.equal((await fetch(inspected.url, foreign)).status, 403);
    inspected.process.kill('SIGINT');
    assert.deepEqual(await once(inspected.process, 'exit'), [0, null]);
    assert.doesNotMatch(inspected.output, /warning/i, inspected.output);
  });

  it('shows a single segment as well', async (t) => {
    const files = recordWorlds([busyWorld(9, 400)]);
    const folder = folderOf(t, files);
    const [, name = ''] = [...files.keys()];
    await using inspected = await inspect(join(folder, name));
    await eventually(async () => {
      const { progress } = await get<Overview>(`${inspected.url}api/overview`);
      return progress.bytesTotal > 0 && progress.bytes === progress.bytesTotal;
    }, 'all is read');
    const { first } = await get<Overview>(`${inspected.url}api/overview`);
    assert.equal(first?.seq, Number(/\d{16}/.exec(name)?.[0]));
  });

  it('ends with 64 where there is no log, or a flag is wrong', (t) => {
    const empty = mkdtempSync(join(tmpdir(), 'reprise-empty-'));
    t.after(() => rmSync(empty, { recursive: true }));
    const nowhere = run(join(empty, 'nothing'));
    assert.equal(nowhere.status, 64);
    assert.match(nowhere.stderr, /^reprise: no event log at .*nothing: there is no such file or folder\n$/);
    const noLog = run(empty);
    assert.equal(noLog.status, 64);
    assert.match(noLog.stderr, /^reprise: no event log in .*: it has no file events-\*\.ndjson\n$/);
    for (const port of ['x', '-1', '70000']) {
      const wrong = run(empty, `--port=${port}`);
      assert.equal(wrong.status, 64);
      assert.match(wrong.stderr, /--port .* must be a whole number from 0 to 65535/);
    }
  });
});
