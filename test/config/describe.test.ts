/** The configuration as people see it: rows with origins, differences, the reference of all keys. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  changedKeys,
  configReference,
  describeConfig,
  formatTable,
  restartKeys,
} from '../../src/io/config/describe.ts';
import { load } from './support.ts';

test('every key has a row with value and origin, and every backend one of its own', () => {
  const loaded = load({
    env: { REPRISE_POOL_SIZE: '4' },
    flags: { backend: ['a:1,weight=5', 'https://b:2,id=x'] },
  });
  const rows = describeConfig(loaded);
  assert.equal(rows.length, configReference().length + 1);
  assert.deepEqual(
    rows.filter(({ key }) => key.startsWith('backends') || key === 'pool.size'),
    [
      { key: 'backends[0]', value: 'a:1,weight=5', origin: 'flag --backend' },
      { key: 'backends[1]', value: 'https://b:2,id=x', origin: 'flag --backend' },
      { key: 'pool.size', value: 4, origin: 'environment REPRISE_POOL_SIZE' },
    ],
  );
});

test('the table is aligned', () => {
  const lines = formatTable([
    { key: 'a', value: 'long value', origin: 'default' },
    { key: 'longer.key', value: [], origin: 'flag --a' },
  ]).split('\n');
  assert.deepEqual(lines, [
    'KEY         VALUE       FROM',
    'a           long value  default',
    'longer.key  (none)      flag --a',
  ]);
});

test('the effective configuration, written as a file, loads to itself', () => {
  const { config } = load({ flags: { backend: ['[::1]:1', 'https://b:2,id=x,weight=7'], host: '::' } });
  assert.deepEqual(load({ file: config }).config, config);
});

test('changed keys are named one by one, backends as one key', () => {
  const before = load({ flags: { backend: ['a:1'] } }).config;
  const after = load({
    flags: { backend: ['a:1,weight=2'] },
    file: { server: { port: 81, paths: ['/v1/*'] }, pool: { queue: { max: 5 } }, retry: { attempts: 2 } },
  }).config;
  assert.deepEqual(changedKeys(before, after), ['server.port', 'server.paths', 'backends', 'pool.queue.max']);
  assert.deepEqual(changedKeys(before, before), []);
});

test('exactly what a listener or a file is opened with needs a restart', () => {
  assert.deepEqual(
    [...restartKeys],
    [
      'server.host',
      'server.port',
      'server.sendBufferBytes',
      'server.headersTimeoutMs',
      'admin.host',
      'admin.port',
      'admin.token',
      'eventLog.enabled',
      'eventLog.dir',
      'logging.format',
    ],
  );
});

test('the reference documents every key on one line', () => {
  for (const { key, env, doc, expected } of configReference()) {
    assert.match(doc, /^[A-Z].{10,100}\.$/, key);
    assert.match(env, /^REPRISE_[A-Z0-9_]+$/, key);
    assert.match(expected, /^must be /, key);
  }
  assert.deepEqual(
    configReference().find(({ key }) => key === 'logging.format')?.default,
    'pretty on a terminal, else json',
  );
});

test('the example file loads', () => {
  const path = new URL('../../config/reprise.example.json', import.meta.url);
  const { config } = load({ file: readFileSync(path, 'utf8') });
  assert.deepEqual(
    config.backends.map(({ id, weight }) => [id, weight]),
    [
      ['gpu-1', 5],
      ['127.0.0.1:8002', 1],
      ['localhost:8003', 1],
    ],
  );
});
