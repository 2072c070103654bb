/** Flags beat the environment, which beats the file, which beats the defaults; and each value knows its origin. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadConfig } from '../../src/io/config/load.ts';
import { formatOrigin } from '../../src/io/config/problems.ts';
import { load, writeFile } from './support.ts';

/** What is done about backends that fail, by default. */
const FAILURES = {
  retry: {
    attempts: 2,
    bufferBytes: 1_048_576,
    on: ['emptyResponse'],
    budgetShare: 0.2,
    budgetWindowMs: 10_000,
  },
  outlier: {
    consecutiveFailures: 5,
    baseEjectionMs: 30_000,
    maxEjectionMs: 300_000,
    maxEjectedShare: 0.5,
  },
};

test('without any source every key has its documented default', () => {
  const { config, origins, file } = load({});
  assert.deepEqual(config, {
    server: {
      host: '127.0.0.1',
      port: 8080,
      maxBodyBytes: 33_554_432,
      readAheadBytes: 67_108_864,
      sendBufferBytes: 65_536,
      headersTimeoutMs: 60_000,
      bodyIdleTimeoutMs: 60_000,
      idleReaderTimeoutMs: 60_000,
      maxConnections: 20_000,
      maxConnectionsPerAddress: 0,
      shutdownTimeoutMs: 30_000,
      paths: ['/v1/*', '/api/*'],
      exposeMetrics: false,
      tls: [],
    },
    admin: { host: '127.0.0.1', port: 9900, token: '' },
    backends: [],
    health: {
      path: '/health',
      intervalMs: 5000,
      timeoutMs: 2000,
      fall: 3,
      rise: 2,
      initial: 'healthy',
      slowStartMs: 0,
    },
    pool: {
      size: 10,
      idleTimeoutMs: 60_000,
      maxLifetimeMs: 600_000,
      sweepIntervalMs: 30_000,
      queue: { max: 1000, timeoutMs: 30_000 },
    },
    upstream: {
      http1: 'builtin',
      connectTimeoutMs: 5000,
      headersTimeoutMs: 300_000,
      idleTimeoutMs: 300_000,
      tunnelIdleTimeoutMs: 3_600_000,
      tls: { caFile: '' },
    },
    ...FAILURES,
    eventLog: {
      enabled: true,
      dir: './data/events',
      segmentBytes: 67_108_864,
      maxBytes: 1_073_741_824,
      maxAgeMs: 604_800_000,
      checkpointEntries: 10_000,
      bufferBytes: 8_388_608,
      groupCommitMs: 50,
      syncIntervalMs: 1000,
    },
    logging: { level: 'info', format: 'json' },
  });
  assert.equal(file, undefined);
  assert.deepEqual(new Set([...origins.values()].map(formatOrigin)), new Set(['default']));
});

test('the log is pretty on a terminal, unless something says otherwise', () => {
  assert.equal(load({ isTerminal: true }).config.logging.format, 'pretty');
  const asked = load({ isTerminal: true, file: { logging: { format: 'json' } } });
  assert.equal(asked.config.logging.format, 'json');
});

test('--no-event-log turns recording off, and --event-log turns it on into a folder', () => {
  const off = load({ flags: { eventLog: false } });
  assert.equal(off.config.eventLog.enabled, false);
  assert.deepEqual(off.origins.get('eventLog.enabled'), { from: 'flag', name: '--no-event-log' });

  const on = load({ flags: { eventLog: 'there' }, file: { eventLog: { enabled: false, dir: 'here' } } });
  assert.deepEqual([on.config.eventLog.enabled, on.config.eventLog.dir], [true, 'there']);
  assert.deepEqual(on.origins.get('eventLog.dir'), { from: 'flag', name: '--event-log' });
});

test('each layer beats the one below it, key by key', () => {
  const file = { server: { port: 1001, host: 'from-file' }, admin: { port: 1002 }, pool: { size: 4 } };
  const env = { REPRISE_PORT: '2001', REPRISE_ADMIN_PORT: '2002' };
  const { config, origins } = load({ file, env, flags: { port: '3001' } });

  assert.deepEqual([config.server.port, config.admin.port, config.server.host], [3001, 2002, 'from-file']);
  assert.deepEqual(origins.get('server.port'), { from: 'flag', name: '--port' });
  assert.deepEqual(origins.get('admin.port'), { from: 'environment', name: 'REPRISE_ADMIN_PORT' });
  assert.equal(origins.get('pool.size')?.from, 'file');
  assert.deepEqual(origins.get('health.fall'), { from: 'default' });
});

test('the list of backends of a stronger source takes the place of the whole weaker list', () => {
  const file = {
    backends: [
      { host: 'a', port: 1 },
      { host: 'b', port: 2 },
    ],
  };
  const env = { REPRISE_BACKENDS: 'c:3' };
  assert.deepEqual(idsOf({ file, env }), ['c:3']);
  assert.deepEqual(idsOf({ file, env, flags: { backend: ['d:4', 'e:5'] } }), ['d:4', 'e:5']);
});

test('the flag --config beats REPRISE_CONFIG, and an empty variable counts as unset', () => {
  const one = writeFile({ pool: { size: 1 } });
  const two = writeFile({ pool: { size: 2 } });
  const size = (flags: { config?: string }, name: string) =>
    loadConfig({ flags, env: { REPRISE_CONFIG: name }, isTerminal: false }).config.pool.size;
  assert.equal(size({}, one), 1);
  assert.equal(size({ config: two }, one), 2);
  assert.equal(size({}, ''), 10);
});

test('loading again with the same input reads the file again', () => {
  const path = writeFile({ pool: { size: 1 } });
  const input = { flags: { config: path }, env: {}, isTerminal: false };
  assert.equal(loadConfig(input).config.pool.size, 1);
  writeFileSync(path, '{ "pool": { "size": 2 } }');
  const reloaded = loadConfig(input);
  assert.equal(reloaded.config.pool.size, 2);
  assert.equal(reloaded.file, path);
});

test('a loaded configuration shares nothing with the one loaded before', () => {
  const before = load({}).config;
  before.server.paths.push('/changed');
  before.pool.queue.max = 1;
  assert.deepEqual(load({}).config.server.paths, ['/v1/*', '/api/*']);
  assert.equal(load({}).config.pool.queue.max, 1000);
});

function idsOf(given: Parameters<typeof load>[0]): string[] {
  return load(given).config.backends.map((backend) => backend.id);
}
