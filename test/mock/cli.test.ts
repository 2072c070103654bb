/**
 * The mock as a process: what it prints, how it ends, and what it says to a wrong call.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startMock } from '../../mock/server.ts';

const CLI = fileURLToPath(new URL('../../mock/cli.ts', import.meta.url));

function runCli(args: readonly string[]) {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close').then(([code]) => code);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  return { child, ended, errors: () => errors };
}

test('the command says in one line where it listens, takes its flags and ends cleanly on SIGTERM', async () => {
  const { child, ended } = runCli([
    '--port',
    '0',
    '--name',
    'cli-mock',
    '--tokens',
    '2',
    '--script',
    '{"faultEvery":5}',
  ]);
  const [line] = await once(createInterface(child.stdout), 'line');
  assert.match(line, /^cli-mock listens on http:\/\/127\.0\.0\.1:\d+$/);
  const url = line.split(' ').at(-1);
  const state = JSON.parse(await (await fetch(`${url}/mock`)).text());
  assert.equal(state.script.tokenCount, 2);
  assert.equal(state.script.faultEvery, 5);
  child.kill('SIGTERM');
  assert.equal(await ended, 0);
});

test('a wrong call ends with 64 and names each problem', async () => {
  const unknown = runCli(['--nonsense']);
  const wrong = runCli(['--port', '0', '--tokens', 'many', '--fault', 'explode']);
  const misnamed = runCli(['--port', '0', '--name', 'two\nlines']);
  assert.deepEqual([await unknown.ended, await wrong.ended, await misnamed.ended], [64, 64, 64]);
  assert.match(misnamed.errors(), /printable ASCII/);
  assert.match(unknown.errors(), /--nonsense/);
  assert.match(wrong.errors(), /tokenCount: must be a whole number/);
  assert.match(wrong.errors(), /fault: must be a fault/);
});

test('a taken port is said in plain words', async () => {
  await using mock = await startMock();
  const { ended, errors } = runCli(['--port', String(mock.port)]);
  assert.equal(await ended, 69);
  assert.match(errors(), /the port is taken/);
});
