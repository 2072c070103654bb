/** What each key accepts and refuses, and that all problems come out together with where they came from. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '../../src/io/config/problems.ts';
import { load, problemsOf, refusal } from './support.ts';

test('all problems of all sources are listed in one message', () => {
  const error = refusal({
    file: { server: { port: 70_000, prot: 1 }, backends: [{ host: 'a', port: 1, weight: 0 }] },
    env: { REPRISE_POOL_SIZE: 'many', REPRISE_POOL_SIZ: '3' },
    flags: { logLevel: 'loud' },
  });
  assert.ok(error instanceof ConfigError);
  assert.equal(error.code, 'CONFIG_INVALID');
  assert.equal(error.message.split('\n')[0], 'the configuration is not valid (6 problems)');
  assert.equal(error.message.split('\n').length, 7);
  assert.deepEqual(
    error.problems.map(({ key, value, origin }) => [key, value, origin.from]),
    [
      ['server.prot', 1, 'file'],
      ['server.port', 70_000, 'file'],
      ['backends[0].weight', 0, 'file'],
      ['REPRISE_POOL_SIZ', undefined, 'environment'],
      ['pool.size', 'many', 'environment'],
      ['logging.level', 'loud', 'flag'],
    ],
  );
});

test('a problem is one line with key, value, origin and what would be right', () => {
  assert.deepEqual(
    problemsOf({
      file: {
        backends: [
          { host: 'a', port: 1 },
          { host: 'b', port: 2, weight: 0 },
        ],
      },
    }),
    ['backends[1].weight = 0 (file FILE): must be a whole number from 1 to 1000'],
  );
  assert.deepEqual(problemsOf({ flags: { port: 'abc' } }), [
    'server.port = "abc" (flag --port): must be a whole number from 0 to 65535',
  ]);
});

test('a wrong value is a problem even if a stronger source hides it', () => {
  assert.deepEqual(problemsOf({ file: { server: { port: 'x' } }, flags: { port: '80' } }), [
    'server.port = "x" (file FILE): must be a whole number from 0 to 65535',
  ]);
});

test('a message with very many problems is cut, the list of problems is not', () => {
  const error = refusal({
    file: Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`unknown${i}`, i])),
  });
  assert.equal(error.problems.length, 150);
  assert.match(error.message, /… and 50 more$/);
});

const limits: [key: string, least: number, most: number][] = [
  ['server.port', 0, 65_535],
  ['server.maxBodyBytes', 1, 17_179_869_184],
  ['server.readAheadBytes', 0, 17_179_869_184],
  ['server.sendBufferBytes', 1024, 1_073_741_824],
  ['server.headersTimeoutMs', 1, 2_147_483_647],
  ['server.bodyIdleTimeoutMs', 1, 2_147_483_647],
  ['server.idleReaderTimeoutMs', 1, 2_147_483_647],
  ['server.maxConnections', 0, 1_000_000],
  ['server.maxConnectionsPerAddress', 0, 1_000_000],
  ['server.shutdownTimeoutMs', 0, 2_147_483_647],
  ['admin.port', 0, 65_535],
  ['health.intervalMs', 10, 86_400_000],
  ['health.timeoutMs', 1, 2_147_483_647],
  ['health.fall', 1, 1000],
  ['health.rise', 1, 1000],
  ['pool.size', 1, 10_000],
  ['pool.idleTimeoutMs', 1, 2_147_483_647],
  ['pool.sweepIntervalMs', 10, 86_400_000],
  ['pool.queue.max', 0, 1_000_000],
  ['pool.queue.timeoutMs', 1, 2_147_483_647],
  ['upstream.connectTimeoutMs', 1, 2_147_483_647],
  ['upstream.headersTimeoutMs', 1, 2_147_483_647],
  ['upstream.idleTimeoutMs', 1, 2_147_483_647],
  ['upstream.tunnelIdleTimeoutMs', 1, 2_147_483_647],
  ['retry.attempts', 0, 10],
  ['retry.bufferBytes', 0, 1_073_741_824],
  ['eventLog.segmentBytes', 65_536, 17_179_869_184],
  ['eventLog.maxBytes', 1_048_576, 1_125_899_906_842_624],
  ['eventLog.maxAgeMs', 60_000, 315_360_000_000],
  ['eventLog.checkpointEntries', 1, 100_000_000],
  ['eventLog.bufferBytes', 65_536, 1_073_741_824],
  ['eventLog.groupCommitMs', 0, 10_000],
  ['eventLog.syncIntervalMs', 10, 86_400_000],
];

for (const [key, least, most] of limits) {
  test(`${key} takes whole numbers from ${least} to ${most} and nothing else`, () => {
    for (const value of [least, most]) load({ file: nest(key, value) });
    const wrong = [
      least - 1,
      most + 1,
      least + 0.5,
      -1,
      String(least),
      '',
      true,
      null,
      [],
      [least],
      {},
      { a: 1 },
    ];
    for (const value of wrong) {
      const [line, ...more] = problemsOf({ file: nest(key, value) });
      assert.equal(
        line,
        `${key} = ${JSON.stringify(value)} (file FILE): must be a whole number from ${least} to ${most}`,
      );
      assert.deepEqual(more, []);
    }
  });
}

const accepted: [key: string, values: unknown[]][] = [
  ['server.host', ['0.0.0.0', '::', 'localhost', 'gpu_1.internal', 'A.example.', '[::1]', '1and1.example']],
  ['server.paths', [['/v1/*'], ['/*'], ['/exact', '/a/b/*'], ['/a%20b']]],
  ['health.path', ['/', '/health', '/v1/models?ready=1']],
  ['health.initial', ['healthy', 'unhealthy']],
  ['retry.on', [[], ['emptyResponse']]],
  ['server.exposeMetrics', [true, false]],
  ['eventLog.enabled', [true, false]],
  ['eventLog.dir', ['./data/events', '/var/lib/reprise', 'log of 12', '..']],
  ['logging.level', ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']],
  ['logging.format', ['pretty', 'json']],
];

const refused: [key: string, values: unknown[]][] = [
  [
    'server.host',
    [
      '',
      ' a',
      'a b',
      'a:80',
      'http://a',
      '256.1.1.1',
      '1.2.3',
      '127.1',
      '0x7f',
      'a..b',
      '-a',
      '[a]',
      'fe80::1%1',
    ],
  ],
  ['admin.host', [1, null, [], {}, 'a'.repeat(64), `${'a.'.repeat(130)}a`]],
  ['server.paths', [[], '/v1/*', null, {}, Array.from({ length: 101 }, (_, i) => `/${i}`)]],
  ['health.path', ['', 'health', '/a b', '/a#b', '/é', '/a\n', `/${'a'.repeat(1024)}`, 1, null]],
  ['health.initial', ['draining', '', 1]],
  ['retry.on', ['emptyResponse', {}, null]],
  ['server.exposeMetrics', ['true', 1, null, '']],
  ['eventLog.enabled', ['true', 1, null, '']],
  ['eventLog.dir', ['', ' ', 'a\0b', 'a'.repeat(1025), 1, null, true]],
  ['logging.level', ['INFO', 'verbose', 30, null]],
  ['logging.format', ['text', null]],
];

for (const [key, values] of accepted) {
  test(`${key} takes ${JSON.stringify(values)}`, () => {
    for (const value of values) load({ file: nest(key, value) });
  });
}

for (const [key, values] of refused) {
  test(`${key} refuses ${JSON.stringify(values).slice(0, 90)}`, () => {
    for (const value of values) {
      const keys = refusal({ file: nest(key, value) }).problems.map((problem) => problem.key);
      assert.deepEqual(keys, [key], JSON.stringify(value));
    }
  });
}

test('each wrong item of a list is named by its place', () => {
  const paths = ['/v1/*', 'v1', '/a*', '/a/*/b', '/v1/*', 7, '/q?x'];
  const file = { server: { paths }, retry: { on: ['reset', 'emptyResponse', 'emptyResponse'] } };
  assert.deepEqual(
    refusal({ file }).problems.map(({ key }) => key),
    [...[1, 2, 3, 4, 5, 6].map((index) => `server.paths[${index}]`), 'retry.on[0]', 'retry.on[2]'],
  );
});

test('hosts are kept in lower case, IPv6 compressed and without brackets', () => {
  const host = (text: string) => load({ flags: { host: text } }).config.server.host;
  assert.equal(host('LocalHost'), 'localhost');
  assert.equal(host('[0:0:0:0:0:0:0:1]'), '::1');
  assert.equal(host('2001:DB8::0:1'), '2001:db8::1');
});

test('the gateway and its admin API may not share a port of one host', () => {
  assert.deepEqual(problemsOf({ flags: { port: '9900' } }), [
    'server.port = 9900 (flag --port): must differ from admin.port, as both listen on "127.0.0.1"',
  ]);
  assert.deepEqual(problemsOf({ file: { admin: { port: 8080 } } }), [
    'admin.port = 8080 (file FILE): must differ from server.port, as both listen on "127.0.0.1"',
  ]);
  for (const host of ['0.0.0.0', '::', 'localhost']) {
    assert.equal(problemsOf({ flags: { host, port: '9900' } }).length, 1, host);
  }
});

test('the same port is fine on different hosts, and port 0 is always free', () => {
  load({ flags: { host: '10.0.0.1', port: '9900' } });
  load({ flags: { host: '::1', port: '9900' } });
  load({ flags: { port: '0', adminPort: '0' } });
});

test('a clash of ports is listed together with unrelated problems', () => {
  assert.equal(problemsOf({ flags: { port: '9900', logLevel: 'x' } }).length, 2);
});

test('a probe may take longer than the interval, since one runs at a time', () => {
  load({ file: { health: { intervalMs: 100, timeoutMs: 5000 } } });
});

function nest(key: string, value: unknown): unknown {
  return key.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
}

test('a number that may have a fraction is taken as text and as number, and refused beyond its limits', () => {
  const share = (value: unknown) => load({ file: { outlier: { maxEjectedShare: value } } }).config.outlier;
  assert.equal(share(0.3).maxEjectedShare, 0.3);
  const env = (text: string) => load({ env: { REPRISE_OUTLIER_MAX_EJECTED_SHARE: text } }).config.outlier;
  assert.equal(env('0.75').maxEjectedShare, 0.75);
  assert.throws(() => share(1.01), /outlier\.maxEjectedShare = 1\.01 .*must be a number from 0 to 1/s);
  for (const text of ['.5', '1e-3', '0x1', 'half']) assert.throws(() => env(text), /must be a number/);
});
