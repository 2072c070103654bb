/**
 * What `npm pack` makes, installed as its users install it: `npm install -g` of the tarball, then the command.
 * Packing compiles, so it is done in a copy of the work tree: dist/ and the tarball never appear in the tree itself.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '..');
/** What packing does not need; above all, node_modules is linked instead of copied. */
const NOT_COPIED = new Set(['.git', 'bench', 'data', 'dist', 'docs', 'node_modules', 'test', 'toolchain']);
const READY_WITHIN_MS = 15_000;

const execute = promisify(execFile);

suite('the installed package', { timeout: 110_000 }, () => {
  const top = mkdtempSync(join(tmpdir(), 'reprise-package-'));
  const prefix = join(top, 'prefix');
  const command = join(prefix, 'bin/reprise');
  const installed = join(prefix, 'lib/node_modules/reprise');

  before(async () => {
    const tarball = await pack(top);
    mkdirSync(prefix);
    const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
    await npm(['install', '--global', '--prefix', prefix, ...flags, tarball], top);
  });
  after(() => rmSync(top, { recursive: true }));

  test('--version prints the version of package.json', async () => {
    const { stdout } = await execute(command, ['--version'], { env: cleanEnv(), cwd: top });
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    assert.equal(stdout.trim(), version);
  });

  test('--help names the commands', async () => {
    const { stdout } = await execute(command, ['--help'], { env: cleanEnv(), cwd: top });
    assert.match(stdout, /Usage: reprise[\s\S]*\bserve\b[\s\S]*\bconfig\b/);
  });

  test('it serves, the inspector too, and ends with 0 on SIGTERM', async () => {
    const flags = ['--port', '0', '--admin-port', '0', '--backend', '127.0.0.1:9', '--no-event-log'];
    const child = spawn(command, ['serve', ...flags], { env: cleanEnv(), cwd: top });
    const printed = collect(child);
    try {
      const url = await found(/"url":"([^"]+)"/, printed, child);
      assert.equal((await fetch(`${url}/health`)).status, 200, printed());
      const adminUrl = await found(/"adminUrl":"([^"]+)"/, printed, child);
      for (const name of ['', 'main.js', 'lit-html/lit-html.js', 'api/chart']) {
        assert.equal((await fetch(`${adminUrl}/inspector/${name}`)).status, 200, `/inspector/${name}`);
      }
      child.kill('SIGTERM');
      assert.deepEqual(await once(child, 'exit'), [0, null], printed());
    } finally {
      child.kill('SIGKILL');
    }
  });

  test('it holds what runs, and neither sources, tests nor the pinned Node', () => {
    const top = readdirSync(installed);
    for (const name of ['bin', 'dist', 'package.json', 'LICENSE']) assert.ok(top.includes(name), name);
    for (const name of ['src', 'mock', 'test', 'toolchain']) assert.ok(!top.includes(name), name);
    assert.deepEqual(readdirSync(join(installed, 'scripts')), ['find-node.sh']);
    const packages = readdirSync(join(installed, 'node_modules'));
    assert.deepEqual(
      packages.filter((name) => /^node-(bin|linux|darwin)/.test(name)),
      [],
    );
  });
});

/** Packs a copy of the work tree into `top`; returns the path of the tarball. */
async function pack(top: string): Promise<string> {
  const copy = join(top, 'copy');
  const wanted = (path: string) => !NOT_COPIED.has(relative(ROOT, path));
  cpSync(ROOT, copy, { recursive: true, filter: wanted });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  await npm(['pack', '--pack-destination', top], copy);
  assert.ok(existsSync(join(copy, 'dist/src/cli.js')), 'packing compiles');
  const tarball = readdirSync(top).find((name) => name.endsWith('.tgz'));
  assert.ok(tarball, 'packing makes a tarball');
  return join(top, tarball);
}

async function npm(args: string[], cwd: string): Promise<void> {
  await execute('npm', args, { cwd, env: cleanEnv() });
}

/** The environment with this Node first in PATH and no setting of Reprise. */
function cleanEnv(): NodeJS.ProcessEnv {
  const settings = Object.entries(process.env).filter(([name]) => !name.startsWith('REPRISE_'));
  return { ...Object.fromEntries(settings), PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
}

function collect(child: ChildProcess): () => string {
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => `it printed:\n${Buffer.concat(chunks)}`;
}

/** Waits for what is printed. */
async function found(pattern: RegExp, printed: () => string, child: ChildProcess): Promise<string> {
  assert.ok(child.stdout !== null);
  const signal = AbortSignal.timeout(READY_WITHIN_MS);
  for (;;) {
    const match = pattern.exec(printed())?.[1];
    if (match !== undefined) return match;
    await once(child.stdout, 'data', { signal });
  }
}
