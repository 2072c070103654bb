/** How requests are dealt out, with real sockets on both sides. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startFleet, weighted } from '../support/fleet.ts';
import { startTestGateway } from '../support/gateway.ts';
import { runLoad, troubles } from '../support/load.ts';

/** Stops after this many requests have been begun. */
function times(count: number): () => boolean {
  let begun = 0;
  return () => {
    begun += 1;
    return begun <= count;
  };
}

describe('balancing', () => {
  it('gives 5, 1, 1 exactly, one client after the other', async () => {
    await using fleet = await startFleet(3);
    await using gateway = await startTestGateway({ backends: weighted(fleet.mocks, [5, 1, 1]) });
    const outcomes = await runLoad({ url: gateway.url, clients: 1, goOn: times(70) });
    assert.deepEqual(troubles(outcomes), []);
    const order = outcomes.map((outcome) => (outcome.kind === 'ok' ? outcome.backend : '?')).join('');
    assert.equal(order, 'aabacaa'.repeat(10));
  });

  it('gives 5, 1, 1 exactly, many clients at once', async () => {
    await using fleet = await startFleet(3);
    await using gateway = await startTestGateway({
      backends: weighted(fleet.mocks, [5, 1, 1]),
      pool: { size: 50 },
    });
    const outcomes = await runLoad({ url: gateway.url, clients: 20, goOn: times(700) });
    assert.deepEqual(troubles(outcomes), []);
    assert.deepEqual(
      fleet.mocks.map(({ counters }) => counters.total),
      [500, 100, 100],
    );
  });

  it('reuses sockets, and opens no more than the pool may have', async () => {
    await using fleet = await startFleet(1);
    await using gateway = await startTestGateway({ backends: fleet.mocks, pool: { size: 3 } });
    const outcomes = await runLoad({ url: gateway.url, clients: 12, goOn: times(300) });
    assert.deepEqual(troubles(outcomes), []);
    const probes = 1;
    assert.ok((fleet.mocks[0]?.connections.opened ?? 99) <= 3 + probes);
    const pool = gateway.gateway.balancer.backends()[0]?.pool;
    assert.equal(pool?.leased, 0);
    assert.equal((pool?.opened ?? 0) + (pool?.reused ?? 0), 300);
  });

  it('lets requests wait when all pools are full, and serves them in order', async () => {
    await using fleet = await startFleet(1, { firstTokenDelayMs: 10 });
    await using gateway = await startTestGateway({ backends: fleet.mocks, pool: { size: 1 } });
    const outcomes = await runLoad({ url: gateway.url, clients: 5, goOn: times(5) });
    assert.deepEqual(troubles(outcomes), []);
    const served = gateway.entries.flatMap(({ decisions }) =>
      decisions.flatMap((decision) => (decision.type === 'backend.selected' ? [decision.request] : [])),
    );
    assert.deepEqual(served, [1, 2, 3, 4, 5]);
  });

  it('answers 503 with Retry-After when a request has waited too long', async () => {
    await using fleet = await startFleet(1, { fault: 'hang' });
    await using gateway = await startTestGateway({
      backends: fleet.mocks,
      pool: { size: 1 },
      queue: { timeoutMs: 20 },
    });
    const hung = new AbortController();
    const first = fetch(`${gateway.url}/v1/models`, { signal: hung.signal }).catch(() => 'gone');
    await fleet.mocks[0]?.received(1);
    const response = await fetch(`${gateway.url}/v1/models`);
    assert.equal(response.status, 503);
    assert.equal(response.headers.get('retry-after'), '1');
    assert.deepEqual(await response.json(), {
      error: {
        message: 'All backends were busy for as long as a request may wait. Try again later.',
        type: 'server_error',
        code: 'queue_timeout',
        param: null,
      },
    });
    hung.abort();
    await first;
    await gateway.fact('client.aborted');
  });

  it('answers 503 at once when the queue is full', async () => {
    await using fleet = await startFleet(1, { fault: 'hang' });
    await using gateway = await startTestGateway({
      backends: fleet.mocks,
      pool: { size: 1 },
      queue: { max: 0 },
    });
    const hung = new AbortController();
    const first = fetch(`${gateway.url}/v1/models`, { signal: hung.signal }).catch(() => 'gone');
    await fleet.mocks[0]?.received(1);
    const response = await fetch(`${gateway.url}/v1/models`);
    assert.equal(response.status, 503);
    assert.match(await response.text(), /"code":"queue_full"/);
    hung.abort();
    await first;
    await gateway.fact('client.aborted');
  });

  it('answers 503 at once, with Retry-After, when no backend is healthy', async () => {
    await using gateway = await startTestGateway({
      backends: [{ port: 1 }],
      health: { initial: 'unhealthy', intervalMs: 5_000 },
    });
    const response = await fetch(`${gateway.url}/v1/models`);
    assert.equal(response.status, 503);
    assert.equal(response.headers.get('retry-after'), '5');
    assert.match(await response.text(), /"code":"no_healthy_backend"/);
  });
});
