/** The queue as clients and operators see it: order, cancelling, and what is told of it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decision } from '../../src/actors/events.ts';
import { startFleet } from '../support/fleet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const isNth = (type: Decision['type'], nth: number) => {
  let count = 0;
  return ({ decisions }: { readonly decisions: readonly Decision[] }) => {
    count += decisions.filter((decision) => decision.type === type).length;
    return count >= nth;
  };
};

const selected = ({ entries }: TestGateway) =>
  entries.flatMap(({ decisions }) =>
    decisions.flatMap((decision) => (decision.type === 'backend.selected' ? [decision.request] : [])),
  );

async function queueOf({ adminUrl }: TestGateway): Promise<Record<string, number>> {
  const text = await (await fetch(`${adminUrl}/stats`)).text();
  const stats: { queue: Record<string, number> } = JSON.parse(text);
  return stats.queue;
}

/** Two backends with one socket each, and requests that hang there until the mocks are told otherwise. */
async function full() {
  const fleet = await startFleet(2, { firstTokenDelayMs: 60_000 });
  const gateway = await startTestGateway({ backends: fleet.mocks, pool: { size: 1 } });
  const clients: { controller: AbortController; done: Promise<unknown> }[] = [];
  const ask = async (count: number) => {
    for (let left = count; left > 0; left -= 1) {
      const controller = new AbortController();
      const body = '{"messages":[]}';
      const options = { method: 'POST', body, signal: controller.signal };
      const done = fetch(`${gateway.url}/v1/chat/completions`, options)
        .then((response) => response.text())
        .catch(() => 'gone');
      clients.push({ controller, done });
      await gateway.fact('request.received', clients.length);
    }
  };
  await ask(2);
  await gateway.entry(isNth('lease.granted', 2));
  return {
    fleet,
    gateway,
    clients,
    ask,
    async [Symbol.asyncDispose]() {
      for (const { controller } of clients) controller.abort();
      await Promise.all(clients.map(({ done }) => done));
      await gateway[Symbol.asyncDispose]();
      await fleet[Symbol.asyncDispose]();
    },
  };
}

describe('the queue', () => {
  it('serves across backends in the order of arrival', async () => {
    await using scene = await full();
    const { fleet, gateway, ask } = scene;
    await ask(6);
    for (const mock of fleet.mocks) mock.set({ firstTokenDelayMs: 0 });
    scene.clients[1]?.controller.abort();
    await gateway.entry(isNth('backend.selected', 8));
    assert.deepEqual(selected(gateway), [1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('lets a client that leaves out of the line at once, and the next one move up', async () => {
    await using scene = await full();
    const { fleet, gateway, ask, clients } = scene;
    await ask(3);
    assert.equal((await queueOf(gateway)).length, 3);
    clients[2]?.controller.abort();
    const { fact } = await gateway.fact('client.aborted');
    assert.deepEqual(fact, { type: 'client.aborted', request: 3 });
    assert.equal((await queueOf(gateway)).length, 2);
    for (const mock of fleet.mocks) mock.set({ firstTokenDelayMs: 0 });
    clients[0]?.controller.abort();
    await gateway.entry(isNth('backend.selected', 4));
    assert.deepEqual(selected(gateway), [1, 2, 4, 5]);
  });

  it('shows its length and the longest wait', async () => {
    await using scene = await full();
    const { gateway, ask } = scene;
    assert.deepEqual(await queueOf(gateway), { length: 0, max: 1000, longestWaitMs: 0 });
    await ask(2);
    const first = await queueOf(gateway);
    assert.equal(first.length, 2);
    let later = first;
    while ((later.longestWaitMs ?? 0) < (first.longestWaitMs ?? 0) + 20) later = await queueOf(gateway);
    assert.equal(later.length, 2);
    const views = gateway.gateway.balancer.backends();
    assert.deepEqual(
      views.map(({ pool }) => pool.queued),
      [2, 2],
    );
  });
});
