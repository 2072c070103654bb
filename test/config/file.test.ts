/** The file: unreadable, broken, oversized or strange files are problems with a place or a reason, never a crash. */

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { findJsonFault } from '../../src/io/config/json-fault.ts';
import { ConfigError } from '../../src/io/config/problems.ts';
import { load, problemsOf, refusal, writeFile } from './support.ts';

const broken: [what: string, text: string, place: string, expected: RegExp][] = [
  ['an empty file', '', '1:1', /the file is empty; it must hold a JSON object/],
  ['a file of white space', ' \n \n', '1:1', /the file is empty/],
  ['a truncated object', '{\n  "server": {\n    "port": 80', '3:15', /ends too early; expected a comma or }/],
  ['a truncated key', '{ "ser', '1:3', /string is not closed/],
  ['a truncated word', '{ "a": tru', '1:8', /expected a value/],
  ['only a brace', '{', '1:2', /ends too early; expected a key in double quotes or }/],
  ['a trailing comma in an object', '{\n  "a": 1,\n}', '3:1', /a comma must not stand directly before }/],
  ['a trailing comma in a list', '{ "a": [1, ] }', '1:12', /a comma must not stand directly before \]/],
  ['a missing comma', '{\n  "a": 1\n  "b": 2\n}', '3:3', /expected a comma or }/],
  ['a missing colon', '{ "a" 1 }', '1:7', /expected a colon after the key/],
  ['a missing value', '{ "a": }', '1:8', /expected a value/],
  ['a doubled comma', '[1,,2]', '1:4', /expected a value/],
  ['the wrong bracket', '{ "a": [1} }', '1:10', /expected a comma or \]/],
  ['a bare key', '{ a: 1 }', '1:3', /expected a key in double quotes/],
  ['single quotes', "{ 'a': 1 }", '1:3', /a string stands in double quotes/],
  ['a line comment', '{\n  // why\n  "a": 1\n}', '2:3', /JSON has no comments/],
  ['a hash comment', '# why\n{}', '1:1', /JSON has no comments/],
  ['a leading zero', '{ "a": 01 }', '1:9', /expected a comma or }/],
  ['a number without fraction digits', '{ "a": 1. }', '1:9', /expected a comma or }/],
  ['a plus sign', '{ "a": +1 }', '1:8', /expected a value/],
  ['NaN', '{ "a": NaN }', '1:8', /expected a value/],
  ['a bad escape', '{ "a": "C:\\x" }', '1:11', /after \\ expected one of/],
  ['a short unicode escape', '{ "a": "\\u12" }', '1:9', /u with 4 hex digits/],
  ['a line break in a string', '{ "a": "b\nc" }', '1:8', /not closed on its line/],
  ['a tab in a string', '{ "a": "b\tc" }', '1:10', /control character/],
  ['something after the end', '{}\n{}', '2:1', /expected nothing more/],
  ['a comma after the end', '{},', '1:3', /expected nothing more/],
  ['a place after a line break of Windows', '{\r\n  "a": 1,\r\n}', '3:1', /a comma must not stand/],
  ['a place after a byte order mark', '\uFEFF{ a }', '1:3', /expected a key/],
  ['too deep a nesting', '['.repeat(100_000), '1:65', /nested more than 64 levels/],
];

for (const [what, text, place, expected] of broken) {
  test(`${what} is reported with line and column`, () => {
    const { problems } = refusal({ file: text });
    const [problem, ...more] = problems;
    assert.equal(`${problem?.line}:${problem?.column}`, place);
    assert.match(problem?.expected ?? '', expected);
    assert.equal(problem?.origin.from, 'file');
    assert.deepEqual(more, []);
  });
}

test('broken JSON is shown with the part of the line around the fault', () => {
  assert.deepEqual(problemsOf({ file: '{\n  "server": { "port": 80,, "host": "a" }\n}' }), [
    'file FILE, line 2, column 26, near "server": { "port": 80,, "host": "a" }: expected a key in double quotes',
  ]);
  const [line = ''] = problemsOf({ file: `{ "a": "${'x'.repeat(5000)}" "b": 1 }` });
  assert.ok(line.length < 200, line);
});

test('a password near a syntax error is not shown', () => {
  assert.doesNotMatch(refusal({ file: '{ "url": "http://u:secret@a" x }' }).message, /secret/);
});

test('a fault is found exactly where JSON.parse throws', () => {
  const mutated = fc
    .tuple(
      fc.json(),
      fc.nat(),
      fc.constantFrom('', ',', '}', ']', '"', ':', '0', '-', 'e', '\\', '\n', ' ', 'null'),
    )
    .map(([text, at, junk]) => {
      const cut = at % (text.length + 1);
      return text.slice(0, cut) + junk + text.slice(cut + (at % 2));
    });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.string()), (text) => {
      const fault = findJsonFault(text);
      if (fault === undefined) assert.doesNotThrow(() => JSON.parse(text));
      else assert.throws(() => JSON.parse(text));
      if (fault !== undefined) assert.ok(fault.offset >= 0 && fault.offset <= text.length);
    }),
    { numRuns: 3000 },
  );
});

test('a byte order mark and repeated keys are accepted', () => {
  assert.equal(load({ file: '\uFEFF{ "pool": { "size": 1, "size": 2 } }' }).config.pool.size, 2);
});

test('a file that cannot be read is a problem with the reason, beside all others', () => {
  const folder = mkdtempSync(join(tmpdir(), 'reprise-file-'));
  try {
    const missing = join(folder, 'missing.json');
    assert.deepEqual(problemsOf({ flags: { config: missing, port: 'x' } }), [
      `config = "${missing}" (flag --config): must be a file that can be read: there is no such file`,
      'server.port = "x" (flag --port): must be a whole number from 0 to 65535',
    ]);
    assert.match(problemsOf({ env: { REPRISE_CONFIG: folder } }).join(), /REPRISE_CONFIG.*it is a directory/);
    const within = join(writeFile({}), 'x.json');
    assert.match(problemsOf({ flags: { config: within } }).join(), /a part of its path is not a directory/);
    assert.match(problemsOf({ flags: { config: '/dev/null' } }).join(), /not a regular file/);
    assert.equal(problemsOf({ flags: { config: 'a\0b' } }).length, 1);
    assert.equal(problemsOf({ flags: { config: '' } }).length, 1);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a file without read permission is a problem', {
  skip: process.getuid?.() === 0 && 'root may read it',
}, () => {
  const path = writeFile({});
  chmodSync(path, 0o000);
  assert.match(problemsOf({ flags: { config: path } }).join(), /permission denied/);
});

test('a file of absurd size, or one that is not UTF-8, is refused', () => {
  assert.equal(problemsOf({ file: `{}${' '.repeat(1024 * 1024 - 1)}` }).length, 1);
  assert.equal(load({ file: `{}${' '.repeat(1024 * 1024 - 2)}` }).config.server.port, 8080);
  assert.match(problemsOf({ file: new Uint8Array([0x7b, 0xff, 0x7d]) }).join(), /not UTF-8/);
  assert.match(problemsOf({ file: new Uint8Array([0xff, 0xfe, 0x7b, 0]) }).join(), /not UTF-8/);
});

test('the top level and each section must be an object', () => {
  for (const file of ['[]', 'null', '1', '"x"']) {
    assert.match(problemsOf({ file }).join(), /^top level = .* must be an object .*server, admin, backends/);
  }
  for (const pool of [null, [], 5, 'x']) {
    assert.match(problemsOf({ file: { pool } }).join(), /^pool = .* must be an object .*size, idleTimeoutMs/);
  }
  assert.match(problemsOf({ file: { pool: { queue: 5 } } }).join(), /^pool\.queue = 5 /);
});

test('unknown keys are problems at every level, with a guess where one is near', () => {
  const file = '{"sever": {}, "pool": {"queue": {"maxx": 1}, "x": 1}, "server.port": 1, "a\\nb": 2}';
  assert.deepEqual(problemsOf({ file }), [
    'sever = {} (file FILE): is not a known key; did you mean "server"?',
    'pool.queue.maxx = 1 (file FILE): is not a known key; did you mean "max"?',
    'pool.x = 1 (file FILE): is not a known key; the keys here are size, idleTimeoutMs, maxLifetimeMs, sweepIntervalMs, queue',
    '["server.port"] = 1 (file FILE): is not a known key; nest it: "server": { "port": … }',
    '["a\\nb"] = 2 (file FILE): is not a known key; the keys here are server, admin, backends, health, pool, upstream, retry, outlier, eventLog, logging',
  ]);
});

test('prototype keys are unknown keys and change nothing', () => {
  const file =
    '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}, "toString": 1, ' +
    '"server": {"__proto__": {"port": 1}}, "backends": [{"__proto__": {"polluted": 1}, "host": "a", "port": 1}]}';
  assert.deepEqual(
    refusal({ file }).problems.map(({ key }) => key),
    ['__proto__', 'constructor', 'toString', 'server.__proto__', 'backends[0].__proto__'],
  );
  assert.equal(Reflect.get({}, 'polluted'), undefined);
});

test('any JSON value as a file either loads or is refused with at least one problem', () => {
  const leafy = fc.oneof(fc.jsonValue(), fc.integer(), fc.constant('127.0.0.1'), fc.constant(['/v1/*']));
  const section = (...keys: string[]) =>
    fc.oneof(leafy, fc.dictionary(fc.constantFrom(...keys, '__proto__'), leafy));
  const backend = fc.dictionary(fc.constantFrom('host', 'port', 'url', 'id', 'weight', 'protocol'), leafy);
  const likely = fc.record(
    {
      server: section('host', 'port', 'paths', 'maxBodyBytes'),
      pool: section('size', 'queue', 'idleTimeoutMs'),
      retry: section('on', 'attempts'),
      backends: fc.oneof(leafy, fc.array(fc.oneof(backend, leafy))),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), likely), (value) => {
      try {
        load({ file: JSON.stringify(value) });
      } catch (error) {
        assert.ok(error instanceof ConfigError, String(error));
        assert.ok(error.problems.length > 0);
        JSON.stringify(error.problems);
      }
    }),
    { numRuns: 500 },
  );
});
