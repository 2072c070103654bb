/** Backends in all their forms: objects and URLs in a file, short texts in flags and variables. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backendToText } from '../../src/io/config/backend-text.ts';
import type { BackendConfig } from '../../src/io/config/schema.ts';
import { load, problemsOf, refusal } from './support.ts';

const plain = { id: '127.0.0.1:8001', protocol: 'http', host: '127.0.0.1', port: 8001, weight: 1 };

const forms: [text: string, backend: object][] = [
  ['127.0.0.1:8001', plain],
  ['127.0.0.1:8001,weight=5', { ...plain, weight: 5 }],
  ['127.0.0.1:8001,id=gpu-1', { ...plain, id: 'gpu-1' }],
  [' 127.0.0.1:8001 , id=a:b , weight=1000 ', { ...plain, id: 'a:b', weight: 1000 }],
  ['http://127.0.0.1:8001', plain],
  ['http://127.0.0.1:8001/,weight=2', { ...plain, weight: 2 }],
  [
    'HTTPS://GPU.Example:8443',
    { id: 'gpu.example:8443', protocol: 'https', host: 'gpu.example', port: 8443, weight: 1 },
  ],
  [
    'https://gpu.example',
    { id: 'gpu.example:443', protocol: 'https', host: 'gpu.example', port: 443, weight: 1 },
  ],
  [
    'http://gpu.example',
    { id: 'gpu.example:80', protocol: 'http', host: 'gpu.example', port: 80, weight: 1 },
  ],
  ['[::1]:8001', { id: '[::1]:8001', protocol: 'http', host: '::1', port: 8001, weight: 1 }],
  ['http://[0::1]:8001', { id: '[::1]:8001', protocol: 'http', host: '::1', port: 8001, weight: 1 }],
];

for (const [text, backend] of forms) {
  test(`the text "${text}" is read from a flag and from a variable alike`, () => {
    assert.deepEqual(load({ flags: { backend: [text] } }).config.backends, [backend]);
    assert.deepEqual(load({ env: { REPRISE_BACKENDS: `${text};` } }).config.backends, [backend]);
  });
}

test('a variable holds several backends, separated by semicolons', () => {
  const { backends } = load({ env: { REPRISE_BACKENDS: '127.0.0.1:8001,weight=5; 127.0.0.1:8002' } }).config;
  assert.deepEqual(
    backends.map(({ id, weight }) => [id, weight]),
    [
      ['127.0.0.1:8001', 5],
      ['127.0.0.1:8002', 1],
    ],
  );
});

test('a file holds backends by host and port or by URL', () => {
  const file = {
    backends: [
      { host: '127.0.0.1', port: 8001 },
      { id: 'b', host: '[::1]', port: 8001, weight: 3 },
      { url: 'https://GPU:8443', weight: 2 },
      { protocol: 'https', host: 'gpu', port: 8444 },
    ],
  };
  assert.deepEqual(load({ file }).config.backends, [
    plain,
    { id: 'b', protocol: 'http', host: '::1', port: 8001, weight: 3 },
    { id: 'gpu:8443', protocol: 'https', host: 'gpu', port: 8443, weight: 2 },
    { id: 'gpu:8444', protocol: 'https', host: 'gpu', port: 8444, weight: 1 },
  ]);
});

const wrongTexts: [text: string, problem: RegExp][] = [
  ['', /^backends\[0\] = "" \(flag --backend\): must be HOST:PORT/],
  ['127.0.0.1', /^backends\[0\] = "127.0.0.1" .*must be HOST:PORT/],
  ['::1:8001', /^backends\[0\] = "::1:8001" .*IPv6 address in brackets/],
  ['a:b:80', /^backends\[0\] = .*must be HOST:PORT/],
  [':8001', /^backends\[0\] = .*must be HOST:PORT/],
  ['a:', /^backends\[0\]\.port = "" .*must be a whole number from 1 to 65535/],
  ['a:0', /^backends\[0\]\.port = 0 /],
  ['a:65536', /^backends\[0\]\.port = 65536 /],
  ['a:80abc', /^backends\[0\]\.port = "80abc" /],
  ['a:8e1', /^backends\[0\]\.port = "8e1" /],
  ['a:080', /^backends\[0\]\.port = "080" /],
  ['a:80/v1', /^backends\[0\]\.port = "80\/v1" /],
  ['a b:80', /^backends\[0\]\.host = "a b" /],
  ['[gpu]:80', /^backends\[0\]\.host = "\[gpu\]" /],
  ['a:80,weight=0', /^backends\[0\]\.weight = 0 .*from 1 to 1000/],
  ['a:80,weight=-1', /^backends\[0\]\.weight = -1 /],
  ['a:80,weight=1.5', /^backends\[0\]\.weight = "1.5" /],
  ['a:80,weight=', /^backends\[0\]\.weight = "" /],
  ['a:80,weight', /^backends\[0\]\.weight = "" /],
  ['a:80,weight=1001', /^backends\[0\]\.weight = 1001 /],
  ['a:80,wieght=5', /^backends\[0\]\.wieght = "5" .*is not a known key; did you mean "weight"\?/],
  ['a:80,__proto__=5', /^backends\[0\]\.__proto__ = "5" .*is not a known key/],
  ['a:80,weight=1,weight=2', /^backends\[0\] = .*must be HOST:PORT/],
  ['a:80,host=b', /^backends\[0\] = .*must be HOST:PORT/],
  ['a:80,id=', /^backends\[0\]\.id = "" /],
  ['a:80,id=a/b', /^backends\[0\]\.id = "a\/b" /],
  ['a:80,id=..', /^backends\[0\]\.id = "\.\." .*not only dots/],
  [`a:80,id=${'x'.repeat(261)}`, /^backends\[0\]\.id = "x+/],
  ['ftp://a:80', /^backends\[0\]\.url = .*must be http:\/\/HOST:PORT/],
  ['http://', /^backends\[0\]\.url = /],
  ['http://a:99999', /^backends\[0\]\.url = /],
  ['http://a:0', /^backends\[0\]\.url = .*a port from 1 to 65535/],
  ['http://a:80/v1', /^backends\[0\]\.url = .*must be without a path \(\/v1\)/],
  ['http://a:80?x=1', /^backends\[0\]\.url = .*must be without a query/],
  ['http://a:80#x', /^backends\[0\]\.url = .*must be without a query or fragment/],
  ['http://a!b:80', /^backends\[0\]\.url = /],
];

for (const [text, problem] of wrongTexts) {
  test(`the text "${text.slice(0, 40)}" is refused`, () => {
    const [line = '', ...more] = problemsOf({ flags: { backend: [text] } });
    assert.match(line, problem);
    assert.deepEqual(more, []);
  });
}

test('a password in a backend URL is refused and never shown', () => {
  for (const text of [
    'http://user:secret@a:80',
    'user:secret@a:80',
    'http://u:se/secret@a:80',
    'http://u:secret@a:x',
  ]) {
    const error = refusal({ flags: { backend: [text] }, file: { backends: { url: text } } });
    assert.doesNotMatch(error.message, /secret/);
    assert.doesNotMatch(JSON.stringify(error.problems), /secret/);
  }
  assert.match(
    refusal({ flags: { backend: ['http://u:secret@a:80'] } }).message,
    /without a user name and password/,
  );
});

test('unknown, missing and contradicting keys of a backend are problems', () => {
  const backends: unknown[] = [
    { host: 'a', port: 1, wait: 3, constructor: 1 },
    {},
    { url: 'http://b:2', host: 'b', port: 2 },
    { host: 'c', port: '3', weight: '1', id: null },
    'd:4',
    null,
    [],
    { url: 5 },
    { host: 'e', port: 5, protocol: 'ftp' },
  ];
  assert.deepEqual(
    refusal({ file: { backends } }).problems.map(({ key }) => key.replace('backends', '')),
    [
      ...['[0].wait', '[0].constructor', '[1].host', '[1].port', '[2].host', '[2].port'],
      ...['[3].port', '[3].weight', '[3].id', '[4]', '[5]', '[6]', '[7].url', '[8].protocol'],
    ],
  );
});

test('a missing key is reported as such, without a value', () => {
  assert.deepEqual(problemsOf({ file: { backends: [{ host: 'a' }] } }), [
    'backends[0].port (file FILE): is missing; it must be a whole number from 1 to 65535',
  ]);
});

test('the list must be a list, of bounded length', () => {
  for (const backends of ['a:1', {}, null, 5]) {
    assert.deepEqual(
      refusal({ file: { backends } }).problems.map(({ key }) => key),
      ['backends'],
    );
  }
  const many = Array.from({ length: 1001 }, (_, index) => ({ host: 'a', port: index + 1 }));
  assert.match(refusal({ file: { backends: many } }).message, /at most 1000 backends/);
});

test('two backends may not share host and port, however they are written', () => {
  const backend = [
    '127.0.0.1:8001',
    'a:1',
    'https://127.0.0.1:8001,id=other',
    'A:1,weight=2',
    '[::1]:1',
    '[0::1]:1',
  ];
  assert.deepEqual(problemsOf({ flags: { backend } }), [
    'backends[2] = "127.0.0.1:8001" (flag --backend): must not have the same host and port as backends[0]',
    'backends[3] = "a:1" (flag --backend): must not have the same host and port as backends[1]',
    'backends[5] = "[::1]:1" (flag --backend): must not have the same host and port as backends[4]',
  ]);
});

test('two backends may not share an id, given or by default', () => {
  assert.deepEqual(problemsOf({ flags: { backend: ['a:1', 'b:2,id=x', 'c:3,id=x', 'd:4,id=a:1'] } }), [
    'backends[2].id = "x" (flag --backend): must not be the same as the id of backends[1]',
    'backends[3].id = "a:1" (flag --backend): must not be the same as the id of backends[0]',
  ]);
});

test('any backend that loads can be written as text and read back the same', () => {
  const backend = fc.record({
    id: fc.stringMatching(/^[A-Za-z0-9_:-][A-Za-z0-9._:[\]-]{0,20}$/),
    protocol: fc.constantFrom<'http' | 'https'>('http', 'https'),
    host: fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()),
    port: fc.integer({ min: 1, max: 65535 }),
    weight: fc.integer({ min: 1, max: 1000 }),
  });
  fc.assert(
    fc.property(backend, (entry) => {
      const [loaded] = load({ file: { backends: [entry] } }).config.backends as [BackendConfig];
      assert.deepEqual(load({ flags: { backend: [backendToText(loaded)] } }).config.backends, [loaded]);
    }),
    { numRuns: 200 },
  );
});
