/** The operator's listener: what it shows, what it does, and whom it turns away. */
import assert from 'node:assert/strict';
import http from 'node:http';
import { describe, it } from 'node:test';
import { startFleet } from '../support/fleet.ts';
import { startTestGateway } from '../support/gateway.ts';

async function status(url: string, options: http.RequestOptions = {}): Promise<number> {
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    http.request(url, options, resolve).on('error', reject).end();
  });
  response.resume();
  return response.statusCode ?? 0;
}

/** Posts, and reads the state of the backend from the answer. */
async function stateAfter(url: string): Promise<unknown> {
  const body: unknown = await (await fetch(url, { method: 'POST' })).json();
  return typeof body === 'object' && body !== null && 'state' in body ? body.state : undefined;
}

describe('the admin listener', () => {
  it('shows each backend with state, counters, pool and requests', async () => {
    await using fleet = await startFleet(1);
    await using gateway = await startTestGateway({ backends: fleet.mocks });
    await gateway.fact('probe.succeeded');
    await (await fetch(`${gateway.url}/v1/models`)).text();
    const backends: unknown = await (await fetch(`${gateway.adminUrl}/backends`)).json();
    const lastProbe = gateway.gateway.balancer.backends()[0]?.lastProbe;
    assert.deepEqual(backends, [
      {
        id: 'a',
        host: '127.0.0.1',
        port: fleet.mocks[0]?.port,
        weight: 1,
        effectiveWeight: 1,
        currentWeight: 0,
        state: 'healthy',
        consecutiveFailures: 0,
        consecutiveSuccesses: 1,
        lastProbe,
        consecutiveErrors: 0,
        timesEjected: 0,
        ejectedUntil: null,
        pausedUntil: null,
        pool: {
          idle: 1,
          leased: 0,
          queued: 0,
          size: 10,
          limit: 10,
          total: 1,
          opened: 1,
          reused: 0,
          failed: 0,
        },
        requests: { total: 1, inFlight: 0, failed: 0 },
      },
    ]);
  });

  it('drains a backend and restores it', async () => {
    await using fleet = await startFleet(2);
    await using gateway = await startTestGateway({ backends: fleet.mocks });
    assert.equal(await stateAfter(`${gateway.adminUrl}/backends/a/drain`), 'drained');
    for (let round = 0; round < 4; round++) {
      const response = await fetch(`${gateway.url}/v1/models`);
      assert.equal(response.headers.get('x-reprise-backend'), 'b');
      await response.text();
    }
    assert.equal(await stateAfter(`${gateway.adminUrl}/backends/a/restore`), 'healthy');
  });

  it('keeps probing a drained backend, and restores it as what it has become', async () => {
    await using fleet = await startFleet(2);
    await using gateway = await startTestGateway({
      backends: fleet.mocks,
      health: { intervalMs: 20, fall: 2 },
    });
    await fetch(`${gateway.adminUrl}/backends/a/drain`, { method: 'POST' });
    fleet.mocks[0]?.set({ health: 500 });
    await gateway.fact('probe.failed', 2);
    assert.equal(await stateAfter(`${gateway.adminUrl}/backends/a/restore`), 'unhealthy');
  });

  it('says which backends there are when asked about one that is not', async () => {
    await using fleet = await startFleet(2);
    await using gateway = await startTestGateway({ backends: fleet.mocks });
    const response = await fetch(`${gateway.adminUrl}/backends/nobody/drain`, { method: 'POST' });
    assert.equal(response.status, 404);
    assert.match(await response.text(), /No backend is called nobody. Known: a, b/);
  });

  it('answers its own health, and 404 and 405 for the rest', async () => {
    await using gateway = await startTestGateway({});
    assert.equal(await status(`${gateway.adminUrl}/health`), 200);
    assert.equal(await status(`${gateway.adminUrl}/nothing`), 404);
    assert.equal(await status(`${gateway.adminUrl}/reload`), 405);
    assert.equal(await status(`${gateway.adminUrl}/backends`, { method: 'POST' }), 405);
  });

  it('turns away what a page of another site sends', async () => {
    await using gateway = await startTestGateway({});
    const headers = { origin: 'http://evil.example' };
    assert.equal(await status(`${gateway.adminUrl}/reload`, { method: 'POST', headers }), 403);
  });

  it('turns away a name that was rebound to its address', async () => {
    await using gateway = await startTestGateway({});
    assert.equal(
      await status(`${gateway.adminUrl}/backends`, { headers: { host: 'evil.example:9900' } }),
      403,
    );
  });

  it('takes in garbage in a path without harm', async () => {
    await using gateway = await startTestGateway({});
    assert.equal(await status(`${gateway.adminUrl}/backends/%E0%A4%A/drain`, { method: 'POST' }), 404);
    assert.equal(await status(`${gateway.adminUrl}/health`), 200);
  });
});
