/** Reloads while requests are under way: nothing is dropped, and what did not change keeps what it has. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startMock } from '../../mock/server.ts';
import { startRawBackend } from '../io/support/raw-backend.ts';
import { chunk, LAST_CHUNK } from '../io/support/requests.ts';
import { startFleet, weighted } from '../support/fleet.ts';
import { startTestGateway } from '../support/gateway.ts';
import { runLoad, troubles } from '../support/load.ts';

const SSE_HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';

describe('a reload', () => {
  it('under load, again and again, drops nothing and keeps the round exact', async () => {
    await using fleet = await startFleet(3);
    const config = { backends: weighted(fleet.mocks, [5, 1, 1]), pool: { size: 50 } };
    await using gateway = await startTestGateway(config);
    let reloads = 0;
    const load = runLoad({ url: gateway.url, clients: 20, goOn: () => reloads < 100 });
    while (reloads < 100) {
      const [mock] = fleet.mocks;
      const before = mock?.counters.completed ?? 0;
      await mock?.until(() => mock.counters.completed > before);
      assert.ok((await gateway.reconfigure(config)).ok);
      reloads += 1;
    }
    const outcomes = await load;
    assert.deepEqual(troubles(outcomes), []);
    const [a = 0, b = 0, c = 0] = fleet.mocks.map(({ counters }) => counters.total);
    assert.equal(a + b + c, outcomes.length);
    assert.ok(Math.abs(a - 5 * b) <= 5 && Math.abs(b - c) <= 1, `5, 1, 1 became ${a}, ${b}, ${c}`);
  });

  it('that removes and brings back backends under load drops nothing', async () => {
    await using fleet = await startFleet(3);
    const all = weighted(fleet.mocks, [1, 1, 1]);
    await using gateway = await startTestGateway({ backends: all, pool: { size: 50 } });
    let over = false;
    const load = runLoad({ url: gateway.url, clients: 20, goOn: () => !over });
    for (let round = 0; round < 30; round++) {
      const [mock] = fleet.mocks;
      const before = mock?.counters.completed ?? 0;
      await mock?.until(() => mock.counters.completed > before + 10);
      await gateway.reconfigure({ backends: round % 2 === 0 ? all.slice(0, 1) : all, pool: { size: 50 } });
    }
    over = true;
    assert.deepEqual(troubles(await load), []);
    assert.ok(gateway.gateway.balancer.backends().every(({ requests }) => requests.inFlight === 0));
  });

  it('lets a stream from a removed backend end, then closes its socket', async () => {
    await using leaving = await startRawBackend((peer) => peer.send(SSE_HEAD + chunk('data: 1\n\n')), 'a');
    await using staying = await startMock({ name: 'b' });
    await using gateway = await startTestGateway({ backends: [leaving] });
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      body: '{"stream":true,"messages":[]}',
    });
    await gateway.reconfigure({ backends: [staying] });
    assert.deepEqual(
      gateway.gateway.balancer.backends().map(({ id, state }) => `${id} ${state}`),
      ['b healthy', 'a draining'],
    );
    const peer = await leaving.connection(1);
    peer.send(chunk('data: [DONE]\n\n') + LAST_CHUNK);
    assert.match(await response.text(), /data: \[DONE\]\n\n$/);
    await peer.closed();
    assert.deepEqual(
      gateway.gateway.balancer.backends().map(({ id }) => id),
      ['b'],
    );
  });

  it('probes a new backend at once', async () => {
    await using fleet = await startFleet(2);
    await using gateway = await startTestGateway({ backends: fleet.mocks.slice(0, 1) });
    await gateway.reconfigure({ backends: fleet.mocks });
    await fleet.mocks[1]?.until(() => fleet.mocks[1]?.counters.probes === 1);
  });

  it('that is refused changes nothing and tells its problems', async () => {
    await using fleet = await startFleet(1);
    await using gateway = await startTestGateway({ backends: fleet.mocks });
    const before = gateway.gateway.balancer.backends().map(({ id, weight }) => [id, weight]);
    gateway.breakConfig();
    const response = await fetch(`${gateway.adminUrl}/reload`, { method: 'POST' });
    assert.equal(response.status, 422);
    assert.deepEqual(await response.json(), {
      applied: false,
      problems: [{ key: 'health.fall', value: '0', origin: 'file test.json', expected: 'must be 1 or more' }],
    });
    assert.deepEqual(
      gateway.gateway.balancer.backends().map(({ id, weight }) => [id, weight]),
      before,
    );
    await gateway.fact('config.rejected');
  });

  it('names what changed, and what counts only after a restart', async () => {
    await using fleet = await startFleet(1);
    await using gateway = await startTestGateway({ backends: fleet.mocks });
    const outcome = await gateway.reconfigure({
      backends: weighted(fleet.mocks, [7]),
      server: { host: '127.0.0.2' },
    });
    assert.ok(outcome.ok);
    assert.deepEqual([outcome.changed, outcome.needRestart], [['server.host', 'backends'], ['server.host']]);
  });

  it('takes live settings over at the next request', async () => {
    await using fleet = await startFleet(1);
    await using gateway = await startTestGateway({ backends: fleet.mocks });
    const ask = () =>
      fetch(`${gateway.url}/v1/embeddings`, { method: 'POST', body: JSON.stringify({ input: 'x' }) });
    assert.equal((await ask()).status, 200);
    await gateway.reconfigure({ backends: fleet.mocks, server: { maxBodyBytes: 3 } });
    assert.equal((await ask()).status, 413);
    await gateway.reconfigure({ backends: fleet.mocks, server: { paths: ['/v2/*'] } });
    assert.equal((await ask()).status, 404);
  });
});
