/** Backends that die, hang, and come back, while clients go on asking. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startFleet, weighted } from '../support/fleet.ts';
import { startTestGateway } from '../support/gateway.ts';
import { runLoad, troubles } from '../support/load.ts';

/** Quick to tell, and none is late where a machine is busy. */
const QUICK_PROBES = { intervalMs: 20, timeoutMs: 10_000, fall: 3, rise: 2 };
const HANGING_MS = 100;

describe('when a backend dies under load', () => {
  it('no client sees an error, but for answers that had begun', async () => {
    await using fleet = await startFleet(3);
    await using gateway = await startTestGateway({
      backends: weighted(fleet.mocks, [1, 1, 1]),
      pool: { size: 50 },
      health: QUICK_PROBES,
    });
    const [, victim] = fleet.mocks;
    let over = false;
    const load = runLoad({ url: gateway.url, clients: 30, goOn: () => !over });
    await victim?.until(() => victim.counters.completed > 50);
    await victim?.close();
    await gateway.entry(({ decisions }) =>
      decisions.some((each) => each.type === 'backend.changed' && each.to === 'unhealthy'),
    );
    over = true;
    const outcomes = await load;
    const wrong = troubles(outcomes).filter((outcome) => outcome.kind === 'ok' || !outcome.begun);
    assert.deepEqual(wrong, []);
    assert.ok(outcomes.length > 100);
  });

  it('requests in prefill are asked again elsewhere', async () => {
    await using fleet = await startFleet(2, { firstTokenDelayMs: 60_000 });
    const [dying, other] = fleet.mocks;
    await using gateway = await startTestGateway({ backends: weighted(fleet.mocks, [1, 1]) });
    const answer = fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body: '{"messages":[]}' });
    await dying?.received(1);
    other?.set({ firstTokenDelayMs: 0 });
    await dying?.close();
    const response = await answer;
    assert.deepEqual([response.status, response.headers.get('x-reprise-backend')], [200, 'b']);
    await response.text();
  });

  it('a stream that is reset after its head is reported as reset', async () => {
    await using fleet = await startFleet(1, { fault: 'reset-after=2' });
    await using gateway = await startTestGateway({ backends: fleet.mocks });
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      body: '{"stream":true,"messages":[]}',
    });
    assert.match(await answer.text(), /broke off its answer \(reset\)/);
    const { fact } = await gateway.fact('response.failed');
    assert.equal(fact.type === 'response.failed' && fact.reason, 'reset');
  });

  it('it comes back by itself once its probes succeed', async () => {
    await using fleet = await startFleet(2);
    const [mock] = fleet.mocks;
    await using gateway = await startTestGateway({ backends: fleet.mocks, health: QUICK_PROBES });
    const changedTo = (to: string) =>
      gateway.entry(({ decisions }) =>
        decisions.some((each) => each.type === 'backend.changed' && each.to === to),
      );
    await mock?.close();
    await changedTo('unhealthy');
    await mock?.listen();
    await changedTo('healthy');
    assert.deepEqual(
      gateway.gateway.balancer.backends().map(({ state }) => state),
      ['healthy', 'healthy'],
    );
  });
});

describe('a probe', () => {
  const reasons = [
    ['hangs', { health: 'hang' }, HANGING_MS, 'timeout'],
    ['is reset', { health: 'reset' }, QUICK_PROBES.timeoutMs, 'reset'],
    ['gets another status', { health: 503 }, QUICK_PROBES.timeoutMs, 'status 503'],
  ] as const;
  for (const [title, script, timeoutMs, reason] of reasons) {
    it(`that ${title} is a failure with its reason`, async () => {
      await using fleet = await startFleet(1, script);
      await using gateway = await startTestGateway({
        backends: fleet.mocks,
        health: { ...QUICK_PROBES, timeoutMs, fall: 2 },
      });
      await gateway.entry(({ decisions }) => decisions.some((each) => each.type === 'backend.changed'));
      const [view] = gateway.gateway.balancer.backends();
      assert.deepEqual(
        [view?.state, view?.lastProbe?.ok, view?.lastProbe?.reason],
        ['unhealthy', false, reason],
      );
    });
  }

  it('that is refused is a failure with its reason', async () => {
    await using fleet = await startFleet(1);
    await fleet.mocks[0]?.close();
    await using gateway = await startTestGateway({ backends: fleet.mocks, health: QUICK_PROBES });
    const entry = await gateway.fact('probe.failed');
    assert.equal(entry.fact.type === 'probe.failed' && entry.fact.reason, 'refused');
  });

  it('uses a connection of its own, so that a full pool does not delay it', async () => {
    await using fleet = await startFleet(1, { fault: 'hang' });
    await using gateway = await startTestGateway({
      backends: fleet.mocks,
      pool: { size: 1 },
      health: QUICK_PROBES,
    });
    const hung = new AbortController();
    const request = fetch(`${gateway.url}/v1/models`, { signal: hung.signal }).catch(() => 'gone');
    await fleet.mocks[0]?.received(1);
    await gateway.fact('probe.succeeded', 3);
    hung.abort();
    await request;
  });
});
