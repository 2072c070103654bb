/** Variables: one per key, strict, with typos and contradictions reported. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configReference } from '../../src/io/config/describe.ts';
import { valueAt } from '../../src/io/config/tree.ts';
import { load, problemsOf } from './support.ts';

const other: Record<string, string> = {
  'server.host': 'localhost',
  'server.tls': '/etc/reprise/cert.pem,/etc/reprise/key.pem',
  'server.paths': '/v1/*, /metrics',
  'server.exposeMetrics': 'true',
  'admin.host': 'localhost',
  'admin.token': '0123456789abcdef',
  backends: 'a:1',
  'health.path': '/ready',
  'health.initial': 'unhealthy',
  'retry.on': 'emptyResponse',
  'eventLog.enabled': 'false',
  'upstream.http1': 'undici',
  'upstream.tls.caFile': '/etc/reprise/ca.pem',
  'eventLog.dir': '/var/lib/reprise',
  'logging.level': 'debug',
  'logging.format': 'pretty',
};

/** Numbers that may not be 10. */
const examples: Record<string, string> = {
  'server.sendBufferBytes': '20000',
  'eventLog.segmentBytes': '1000000',
  'eventLog.maxBytes': '2000000',
  'eventLog.maxAgeMs': '60000',
  'eventLog.bufferBytes': '100000',
  'outlier.maxEjectedShare': '0.25',
};

for (const { key, env, shortEnv } of configReference()) {
  test(`${key} is set by ${[env, shortEnv].filter(Boolean).join(' and by ')}`, () => {
    for (const name of [env, shortEnv]) {
      if (name === undefined) continue;
      const text = other[key] ?? examples[key] ?? '10';
      const { config, origins } = load({ env: { [name]: text } });
      assert.deepEqual(origins.get(key), { from: 'environment', name });
      if (!(key in other)) assert.equal(valueAt(config, key), Number(text));
    }
  });
}

test('the names of variables follow from the keys', () => {
  const names = new Map(configReference().map(({ key, env }) => [key, env]));
  assert.equal(names.get('pool.idleTimeoutMs'), 'REPRISE_POOL_IDLE_TIMEOUT_MS');
  assert.equal(names.get('pool.queue.max'), 'REPRISE_POOL_QUEUE_MAX');
  assert.equal(names.get('admin.port'), 'REPRISE_ADMIN_PORT');
  assert.equal(names.get('server.maxBodyBytes'), 'REPRISE_SERVER_MAX_BODY_BYTES');
  assert.equal(new Set(names.values()).size, names.size);
});

test('lists are separated by commas', () => {
  const { server } = load({ env: { REPRISE_SERVER_PATHS: ' /v1/* ,/metrics,' } }).config;
  assert.deepEqual(server.paths, ['/v1/*', '/metrics']);
});

test('an empty variable counts as unset, also one that is not known', () => {
  const { config } = load({ env: { REPRISE_PORT: '', REPRISE_BACKENDS: '', REPRISE_TYPO: '' } });
  assert.equal(config.server.port, 8080);
  assert.equal(load({ env: { REPRISE_PORT: '', REPRISE_SERVER_PORT: '81' } }).config.server.port, 81);
});

test('a number must be written in full: nothing is cut off or guessed', () => {
  for (const text of [
    '80abc',
    ' 80',
    '80 ',
    '0x50',
    '8e1',
    '80.0',
    '+80',
    '1_000',
    '٨٠',
    'NaN',
    'true',
    '080',
  ]) {
    assert.deepEqual(problemsOf({ env: { REPRISE_PORT: text } }), [
      `server.port = ${JSON.stringify(text)} (environment REPRISE_PORT): must be a whole number from 0 to 65535`,
    ]);
  }
});

test('the short and the long name of a variable may not contradict each other', () => {
  assert.equal(load({ env: { REPRISE_PORT: '81', REPRISE_SERVER_PORT: '81' } }).config.server.port, 81);
  assert.deepEqual(problemsOf({ env: { REPRISE_PORT: '81', REPRISE_SERVER_PORT: '82' } }), [
    'server.port = "81" (environment REPRISE_PORT): must be the same as REPRISE_SERVER_PORT ("82"), or one of the two left out',
  ]);
});

test('an unknown variable is a problem with a guess, and its value is not shown', () => {
  assert.deepEqual(problemsOf({ env: { REPRISE_PROT: 'hush', REPRISE_SECRET: 'hush' } }), [
    'REPRISE_PROT (environment REPRISE_PROT): is not a known variable; did you mean REPRISE_PORT?',
    'REPRISE_SECRET (environment REPRISE_SECRET): is not a known variable; the variable of a key is its path in capitals, such as REPRISE_POOL_SIZE for pool.size',
  ]);
});

test('other variables are not looked at', () => {
  load({ env: { PORT: 'x', HOST: '', REPRISEPORT: 'x', reprise_port: 'x', __proto__: 'x' } });
});

test('the variables that Kubernetes sets for a Service called reprise are passed over', () => {
  const env = {
    REPRISE_SERVICE_HOST: '10.0.0.7',
    REPRISE_SERVICE_PORT: '80',
    REPRISE_SERVICE_PORT_HTTP: '80',
    REPRISE_PORT: 'tcp://10.0.0.7:80',
    REPRISE_PORT_80_TCP: 'tcp://10.0.0.7:80',
    REPRISE_PORT_80_TCP_PROTO: 'tcp',
    REPRISE_PORT_80_TCP_PORT: '80',
    REPRISE_PORT_80_TCP_ADDR: '10.0.0.7',
    REPRISE_ADMIN_SERVICE_HOST: '10.0.0.8',
    REPRISE_ADMIN_SERVICE_PORT: '9900',
    REPRISE_ADMIN_PORT: 'tcp://10.0.0.8:9900',
    REPRISE_ADMIN_PORT_9900_TCP_ADDR: '10.0.0.8',
  };
  const { config } = load({ env });
  assert.deepEqual([config.server.port, config.admin.port], [8080, 9900]);
  assert.equal(load({ env: { ...env, REPRISE_SERVER_PORT: '81' } }).config.server.port, 81);
});

test('what merely looks like a variable of Kubernetes is still a typo', () => {
  assert.equal(problemsOf({ env: { REPRISE_SERVICE_HOST: '10.0.0.7' } }).length, 1);
  assert.equal(problemsOf({ env: { REPRISE_PORT: 'tcp://10.0.0.7:80' } }).length, 1);
});
