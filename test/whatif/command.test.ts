/** `reprise whatif` as it is run: what it prints, what it writes, and how it ends. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LogRefusedError } from '../../src/io/event-log/reader-files.ts';
import { readRecording } from '../../src/io/whatif/read.ts';
import type { Scenario } from '../support/scenario.ts';
import { FLAP } from './scenarios.ts';
import { folder, reprise, writeLog } from './support.ts';

test('the text fits 100 columns and says what changes and how sure that is', async (t) => {
  const { code, stdout, stderr } = await reprise('whatif', writeLog(t, FLAP), '--set', 'health.fall=5');
  assert.equal(code, 0, stderr);
  for (const line of stdout.split('\n')) assert.ok([...line].length <= 100, line);
  assert.match(stdout, /^What if {2}health\.fall: 3 -> 5\n/);
  assert.match(stdout, /Exact up to entry \d+ \(03:12:2\d\), an estimate after it/);
  assert.match(
    stdout,
    /Checked: under the recorded config the simulated world leads to the recorded decisions/,
  );
  assert.match(stdout, /Changes of a backend’s state +2 +0 +-2/);
});

test('--json prints one object with both courses', async (t) => {
  const { stdout } = await reprise('whatif', writeLog(t, FLAP), '--set', 'health.fall=5', '--json');
  const report: unknown = JSON.parse(stdout);
  assert.ok(typeof report === 'object' && report !== null);
  assert.deepEqual(Object.keys(report), [
    ...[
      'record',
      'config',
      'seed',
      'exactness',
      'before',
      'after',
      'differences',
      'requests',
      'notes',
      'damage',
    ],
  ]);
  assert.ok('config' in report && 'before' in report && 'after' in report && 'exactness' in report);
  assert.deepEqual(report.config, { changed: [{ key: 'health.fall', before: 3, after: 5 }] });
  assert.deepEqual(Object.keys(Object(report.before)), Object.keys(Object(report.after)));
  const { reproduction } = Object(report.exactness);
  assert.deepEqual(reproduction, { faithful: true, missed: 0, firstMissed: null });
});

test('a change that is not simulated is not called exact, nor without difference', async (t) => {
  const log = writeLog(t, FLAP);
  const page = join(folder(t), 'page.html');
  const args = ['whatif', log, '--set', 'health.path=/other', '--html', page];
  const { code, stdout } = await reprise(...args);
  assert.equal(code, 0);
  assert.match(stdout, /^Beware {3}health\.path is left as it was: the record does not say how/m);
  assert.match(stdout, /^No difference: every decision is as recorded, but for what is not in this answer/m);
  assert.match(stdout, /- Exact but for health\.path: nothing else had to be assumed/);
  assert.doesNotMatch(stdout, /Exact:|No difference: every decision is as recorded\./);
  const html = readFileSync(page, 'utf8');
  assertWellFormed(html);
  assert.match(html, /Beware:<\/strong> health\.path is left as it was/);
  assert.match(html, /Exact but for health\.path/);

  const { exactness } = JSON.parse((await reprise(...args, '--json')).stdout);
  assert.equal(exactness.exactUntil, null);
  const why = 'is left as it was: the record does not say how the other path would have answered';
  assert.deepEqual(exactness.exceptions, [{ key: 'health.path', why }]);

  const both = await reprise('whatif', log, '--set', 'server.maxBodyBytes=5', '--set', 'health.fall=5');
  assert.match(both.stdout, /- Exact but for server\.maxBodyBytes up to entry \d+/);
});

test('a backend at another address is said to answer as the recorded one', async (t) => {
  const backends = ['--backend', '127.0.0.1:8001,id=a', '--backend', 'elsewhere:8002,id=b'];
  const { stdout } = await reprise('whatif', writeLog(t, FLAP), ...backends);
  assert.match(stdout, /^Beware {3}backends gives another address to b: the answers stay those/m);
  assert.match(stdout, /- Exact but for backends/);
});

test('the same seed prints the same, letter for letter', async (t) => {
  const args = ['whatif', writeLog(t, FLAP), '--set', 'pool.size=3', '--json', '--seed', '9'];
  const [one, other] = await Promise.all([reprise(...args), reprise(...args)]);
  assert.equal(one.stdout, other.stdout);
});

/** Elements that are opened must be closed, in order; those without content close themselves. */
function assertWellFormed(page: string): void {
  const body = page.replace(/^<!doctype html>\n/, '').replace(/<style>[^<]*<\/style>/, '');
  const open: string[] = [];
  for (const [tag, slash, name = '', end] of body.matchAll(/<(\/?)([a-z0-9]+)((?:\s[^<>]*?)?\/?)>/g)) {
    if (slash === '/') assert.equal(open.pop(), name, `at ${tag}`);
    else if (end?.endsWith('/') !== true) open.push(name);
  }
  assert.deepEqual(open, []);
  assert.doesNotMatch(body.replace(/<\/?[a-z0-9]+(?:\s+[a-z0-9-]+="[^"<>]*")*\s*\/?>/gi, ''), /[<>]/);
}

test('the page is well-formed, loads nothing, runs nothing, and tells in words what it shows', async (t) => {
  const path = join(folder(t), 'page.html');
  const flags = ['--set', 'health.fall=5', '--backend', '127.0.0.1:8001,id=a', '--html', path];
  const { code, stderr } = await reprise('whatif', writeLog(t, FLAP), ...flags);
  assert.equal(code, 0, stderr);
  const page = readFileSync(path, 'utf8');
  assertWellFormed(page);
  assert.doesNotMatch(page, /https?:|<script|<link|<img|<iframe|@import|url\(|\son[a-z]+=|javascript:/i);
  assert.match(page, /prefers-color-scheme:dark/);
  const pictures = [...page.matchAll(/<svg [^>]*role="img" aria-label="([^"]{20,})"/g)];
  assert.equal(pictures.length, 4);
});

test('what is not a number in the record cannot become markup on the page', async (t) => {
  const path = join(folder(t), 'page.html');
  const log = join(folder(t), 'a<b>&c');
  mkdirSync(log);
  copyLog(writeLog(t, FLAP), log);
  await reprise('whatif', log, '--html', path);
  const page = readFileSync(path, 'utf8');
  assertWellFormed(page);
  assert.match(page, /a&#60;b&#62;&#38;c/);
});

function copyLog(from: string, to: string): void {
  for (const name of readdirSync(from)) writeFileSync(join(to, name), readFileSync(join(from, name)));
}

function writeConfig(t: TestContext, config: object): string {
  const path = join(folder(t), 'other.json');
  writeFileSync(path, JSON.stringify(config));
  return path;
}

test('a file is the whole config, except that one without backends leaves those of the record', async (t) => {
  const other = writeConfig(t, { health: { fall: 5, intervalMs: 2000 }, logging: { level: 'debug' } });
  const { code, stdout } = await reprise('whatif', writeLog(t, FLAP), '--config', other);
  assert.equal(code, 0);
  assert.match(stdout, /^What if {2}health\.fall: 3 -> 5\n +logging\.level: info -> debug\n/);
  assert.match(stdout, /No decision depends on logging\.level\./);
});

test('a wrong config ends with 78 and every problem', async (t) => {
  const log = writeLog(t, FLAP);
  const flags = ['--set', 'health.fal=5', '--set', 'pool.size=0', '--set', 'retry', '--backend', 'x:y'];
  const wrong = await reprise('whatif', log, ...flags);
  assert.equal(wrong.code, 78);
  assert.match(
    wrong.stderr,
    /health\.fal = "5" \(flag --set\): is not a known key; did you mean health\.fall\?/,
  );
  assert.match(wrong.stderr, /retry \(flag --set\): is without a value/);
  assert.match(wrong.stderr, /pool\.size = 0 \(flag --set\): must be a whole number from 1/);
  assert.match(wrong.stderr, /backends\[0\]/);
  const other = writeConfig(t, { health: { fall: 'often' } });
  assert.equal((await reprise('whatif', log, '--config', other)).code, 78);
});

test('wrong usage ends with 64', async (t) => {
  assert.equal((await reprise('whatif')).code, 64);
  assert.equal((await reprise('whatif', join(folder(t), 'none'))).code, 64);
  assert.equal((await reprise('whatif', folder(t))).code, 64);
  assert.equal((await reprise('whatif', writeLog(t, FLAP), '--seed', 'x')).code, 64);
});

test('a log that does not fit into the memory is refused before V8 gives up', async (t) => {
  const log = writeLog(t, FLAP);
  const recording = await readRecording(log, []);
  assert.ok(recording.measured.fates.length > 500);
  const heapBytes = 160.5 * 2 ** 20;
  await assert.rejects(readRecording(log, [], heapBytes), (error) => {
    assert.ok(error instanceof LogRefusedError && error.code === 'LOG_TOO_LONG');
    assert.match(
      error.message,
      /no more than its first [\d,]+ entries fit safely into the 161 MiB of memory that Node may use\./,
    );
    assert.match(error.message, /one of its segments .* NODE_OPTIONS=--max-old-space-size=322$/);
    return true;
  });
});

test('a page that cannot be written costs neither the answer nor a clear word', async (t) => {
  const path = join(folder(t), 'none', 'page.html');
  const { code, stdout, stderr } = await reprise('whatif', writeLog(t, FLAP), '--html', path);
  assert.equal(code, 64);
  assert.match(stdout, /^No difference: every decision is as recorded\.$/m);
  assert.match(stderr, /^reprise: the page cannot be written to .*page\.html \(--html\): .*no such file/);
});

test('a few failures beside very many are still seen on the page', async (t) => {
  const storm: Scenario = {
    backends: {
      a: {
        port: 8001,
        answer: (at) => ({ totalMs: 5, status: (at > 10_000 && at < 12_000) || at > 58_000 ? 503 : 200 }),
      },
    },
    durationMs: 60_000,
    everyMs: (at) => (at < 12_000 ? 3 : 200),
    seed: 3,
  };
  const path = join(folder(t), 'page.html');
  await reprise('whatif', writeLog(t, storm), '--html', path);
  const [, columns = ''] =
    /aria-label="Requests that failed over time(.*?)<\/svg>/s.exec(readFileSync(path, 'utf8')) ?? [];
  const heights = [...columns.matchAll(/<rect class="bad"[^>]*height="([\d.]+)"/g)].map(([, height]) =>
    Number(height),
  );
  assert.ok(heights.length >= 6 && Math.max(...heights) > 50, heights.join());
  assert.equal(Math.min(...heights), 2);
});

test('of a damaged log what can be read is used, and it ends with 3', async (t) => {
  const log = writeLog(t, FLAP);
  const [name = ''] = readdirSync(log);
  const lines = readFileSync(join(log, name), 'utf8').split('\n');
  lines[500] = lines[500]?.replace('"at":1', '"at":2') ?? '';
  writeFileSync(join(log, name), lines.join('\n'));
  const { code, stdout } = await reprise('whatif', log, '--set', 'pool.size=3');
  assert.equal(code, 3);
  assert.match(
    stdout,
    /DAMAGED LOG: 1 place; what could be read was used\n {2}- events-0000000000000001\.ndjson, line 501/,
  );

  writeFileSync(join(log, name), 'no log\n');
  const nothing = await reprise('whatif', log);
  assert.equal(nothing.code, 3);
  assert.match(nothing.stderr, /nothing of the log/);
});
