/** Sockets do not live for ever, so that a backend whose name leads elsewhere is found there. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startFleet } from '../support/fleet.ts';
import { startTestGateway } from '../support/gateway.ts';

describe('a kept socket', () => {
  it('is closed once it is too old, and the next request gets a new one', async () => {
    await using fleet = await startFleet(1);
    await using gateway = await startTestGateway({
      backends: fleet.mocks,
      pool: { maxLifetimeMs: 50, sweepIntervalMs: 20 },
    });
    const ask = async () => (await fetch(`${gateway.url}/v1/models`)).text();
    await ask();
    await gateway.entry(({ decisions }) =>
      decisions.some((decision) => decision.type === 'socket.evicted' && decision.reason === 'expired'),
    );
    await ask();
    const [view] = gateway.gateway.balancer.backends();
    assert.deepEqual([view?.pool.opened, view?.pool.reused], [2, 0]);
  });
});
