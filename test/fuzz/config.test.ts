/** Configurations made at random from the schema: each is served, or refused with a word on every bad key and no other. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { startMock } from '../../mock/server.ts';
import { ConfigError } from '../../src/io/config/problems.ts';
import type { Config } from '../../src/io/config/schema.ts';
import { load } from '../config/support.ts';
import { startTestGateway, type TestConfig } from '../support/gateway.ts';
import { type Draft, drafts } from './config-values.ts';

/** Judged together with others, so that they may be complained about though each is right by itself. */
const TOGETHER = new Set(['server.host', 'server.port', 'admin.host', 'admin.port', 'admin.token']);
const RUNS = 300;
const SERVED_RUNS = 100;
/** fast-check prints the seed of a failure; this one is for runs that are the same each time. */
const SEED = 1;

/** @returns the configuration, or the keys that it was refused for */
function judge({ file }: Draft): Config | Set<string> {
  try {
    return load({ file }).config;
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    for (const { key } of error.problems)
      assert.ok(error.message.includes(key), `${key} is not in the message`);
    return new Set(error.problems.map(({ key }) => key.replace(/\[.*$/, '')));
  }
}

describe('a configuration at random', () => {
  it('is refused for every bad key, and for no other', () => {
    fc.assert(
      fc.property(drafts, (draft) => {
        const outcome = judge(draft);
        const named = outcome instanceof Set ? outcome : new Set<string>();
        for (const key of draft.bad) assert.ok(named.has(key), `nothing is said of ${key}`);
        for (const key of named) assert.ok(draft.bad.includes(key) || TOGETHER.has(key), `${key} is blamed`);
      }),
      { numRuns: RUNS, seed: SEED },
    );
  });

  it('is served where it is accepted', async () => {
    await using mock = await startMock();
    let served = 0;
    const property = fc.asyncProperty(drafts, async (draft) => {
      const config = judge(draft);
      if (config instanceof Set) return;
      await using gateway = await startTestGateway(asServed(config, mock));
      const response = await fetch(`${gateway.url}/v1/models`);
      assert.ok(response.status >= 200, `status ${response.status}`);
      await response.arrayBuffer();
      assert.ok((await gateway.reconfigure(asServed(config, mock))).ok);
      served += 1;
    });
    await fc.assert(property, { numRuns: SERVED_RUNS, seed: SEED });
    assert.ok(served > SERVED_RUNS / 10, `only ${served} of ${SERVED_RUNS} were accepted`);
  });
});

/** The same, but for where it listens and records, and with a backend that is there. */
function asServed(config: Config, mock: { port: number; name: string }): TestConfig {
  const { server, admin, health, pool, upstream, retry, outlier } = config;
  return {
    ...{ health, pool, upstream, retry, outlier, queue: pool.queue },
    server: { ...server, host: '127.0.0.1', port: 0 },
    admin: { ...admin, host: '127.0.0.1', port: 0 },
    backends: [mock],
  };
}
