/** Answers that clients need not see, since another backend has a better one. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startFleet, weighted } from '../support/fleet.ts';
import { startTestGateway, type TestConfig } from '../support/gateway.ts';

const ON: TestConfig['retry'] = { on: ['emptyResponse', '429', '503'] };

const ask = (url: string, body: unknown = { messages: [] }) =>
  fetch(`${url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(body) });

describe('with retry.on: 503', () => {
  it('the client gets the answer of another backend, whole and only that', async () => {
    await using fleet = await startFleet(2);
    const [busy, other] = fleet.mocks;
    busy?.set({ fault: 'status=503,retry-after=1' });
    await using gateway = await startTestGateway({ backends: fleet.mocks, retry: ON });
    const response = await ask(gateway.url);
    assert.deepEqual([response.status, response.headers.get('x-reprise-backend')], [200, 'b']);
    assert.match(await response.text(), /"choices"/);
    assert.deepEqual([busy?.counters.total, other?.counters.total], [1, 1]);
    const { fact, decisions } = await gateway.decision('response.discarded');
    assert.deepEqual(fact, {
      ...{ type: 'response.started', request: 1, lease: 1, status: 503, held: true },
      retryAfterMs: 1000,
    });
    assert.ok(decisions.some(({ type }) => type === 'socket.evicted'));
    // The half-read socket is closed, not kept.
    await gateway.fact('response.ended');
    assert.deepEqual(
      gateway.gateway.balancer.backends().map(({ pool }) => [pool.idle, pool.leased]),
      [
        [0, 0],
        [1, 0],
      ],
    );
  });

  it('a stream begins at another backend without a trace of the first', async () => {
    await using fleet = await startFleet(2);
    fleet.mocks[0]?.set({ fault: 'early-status=503' });
    await using gateway = await startTestGateway({ backends: fleet.mocks, retry: ON });
    const text = await (await ask(gateway.url, { stream: true, messages: [] })).text();
    assert.match(text, /^data: \{/);
    assert.match(text, /\[DONE\]\n\n$/);
  });

  it('the original answer comes unchanged where there is no other', async () => {
    await using fleet = await startFleet(2, { fault: 'status=503,retry-after=7' });
    await using direct = await startFleet(1, { fault: 'status=503,retry-after=7' });
    await using gateway = await startTestGateway({ backends: fleet.mocks, retry: ON });
    const response = await ask(gateway.url);
    const original = await ask(direct.mocks[0]?.url ?? '');
    assert.equal(response.status, 503);
    assert.equal(response.headers.get('retry-after'), '7');
    assert.equal(response.headers.get('content-type'), original.headers.get('content-type'));
    assert.equal(await response.text(), (await original.text()).replace('a: status', 'b: status'));
    assert.deepEqual(
      fleet.mocks.map(({ counters }) => counters.total),
      [1, 1],
    );
    const { decisions } = await gateway.decision('response.passed');
    assert.ok(decisions.some((each) => each.type === 'response.passed' && each.because === 'noOtherBackend'));
  });

  it('a body too long to be kept is sent once', async () => {
    await using fleet = await startFleet(2, { fault: 'status=503' });
    await using gateway = await startTestGateway({
      backends: fleet.mocks,
      retry: { ...ON, bufferBytes: 10 },
    });
    assert.equal((await ask(gateway.url, { messages: ['long enough'] })).status, 503);
    assert.deepEqual(
      fleet.mocks.map(({ counters }) => counters.total),
      [1, 0],
    );
  });
});

describe('retry.bufferBytes', () => {
  it('is the length up to which a body is kept, exactly', async () => {
    await using fleet = await startFleet(1);
    await using gateway = await startTestGateway({ backends: fleet.mocks, retry: { bufferBytes: 100 } });
    for (const bytes of [100, 101]) {
      await (await fetch(`${gateway.url}/v1/x`, { method: 'POST', body: 'x'.repeat(bytes) })).text();
    }
    const kept = gateway.entries.flatMap(({ fact }) =>
      fact.type === 'request.received' ? [[fact.replayable, fact.bodyBytes]] : [],
    );
    assert.deepEqual(kept, [
      [true, 100],
      [false, -1],
    ]);
  });
});

describe('without retry.on: 503', () => {
  it('the answer goes to the client, and the backend is spared as it asked', async () => {
    await using fleet = await startFleet(2);
    fleet.mocks[0]?.set({ nextFaults: ['status=503,retry-after=60'] });
    await using gateway = await startTestGateway({ backends: weighted(fleet.mocks, [5, 1]) });
    assert.equal((await ask(gateway.url)).status, 503);
    await gateway.decision('backend.paused');
    for (let round = 0; round < 5; round += 1) {
      assert.equal((await ask(gateway.url)).headers.get('x-reprise-backend'), 'b');
    }
  });
});
