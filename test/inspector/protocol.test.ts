/** What a running gateway tells those who watch, read by the official receiver of `@statelyai/inspect`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { startFleet } from '../support/fleet.ts';
import { startTestGateway } from '../support/gateway.ts';
import { countObservers, inspectorUrl, inWords, joinAs, watchOfficially } from './viewers.ts';

const post = (url: string) => fetch(url, { method: 'POST' });

describe('the official receiver', () => {
  it('is told first of each actor, with definition and state', async () => {
    await using fleet = await startFleet(2);
    await using gateway = await startTestGateway({ backends: fleet.mocks });
    const watching = watchOfficially(inspectorUrl(gateway));
    await watching.message(({ sessionId }) => sessionId === 'pool');
    assert.deepEqual(watching.messages.slice(0, 4).map(inWords), [
      '@xstate.actor backend:a healthy',
      '@xstate.actor backend:b healthy',
      '@xstate.actor selector',
      '@xstate.actor pool',
    ]);
    const [first] = watching.messages;
    assert.ok(first?.type === '@xstate.actor');
    const { initial, states } = JSON.parse(first.definition ?? '');
    assert.equal(initial, 'evaluating');
    assert.deepEqual(states.healthy.on['probe.failed'][0], {
      guard: 'fallReached',
      target: 'unhealthy',
      actions: ['recordProbe', 'explainFall'],
    });
  });

  it('hears of a failing probe as an event, and of what it led to as a snapshot', async () => {
    await using fleet = await startFleet(1);
    await using gateway = await startTestGateway({
      backends: fleet.mocks,
      health: { intervalMs: 20, fall: 2 },
    });
    const watching = watchOfficially(inspectorUrl(gateway));
    await watching.message(({ type }) => type === '@xstate.actor');
    fleet.mocks[0]?.set({ health: 503 });
    const { createdAt } = await watching.message(
      (message) => inWords(message) === '@xstate.snapshot backend:a unhealthy',
    );
    const { at } = await gateway.decision('backend.changed');
    assert.equal(createdAt, String(at), 'its time is that of the entry in the event log');
    const failed = watching.messages.map(inWords).filter((text) => text.includes('backend:a'));
    assert.deepEqual(failed.slice(failed.indexOf('@xstate.event backend:a probe.failed')).slice(0, 4), [
      '@xstate.event backend:a probe.failed',
      '@xstate.snapshot backend:a healthy',
      '@xstate.event backend:a probe.failed',
      '@xstate.snapshot backend:a unhealthy',
    ]);
  });

  it('that joins after hundreds of messages is told of each actor all the same', async () => {
    await using fleet = await startFleet(1);
    await using gateway = await startTestGateway({ backends: fleet.mocks });
    const early = watchOfficially(inspectorUrl(gateway));
    await early.message(({ sessionId }) => sessionId === 'pool');
    for (let round = 0; round < 60; round++) {
      await post(`${gateway.adminUrl}/backends/a/restore`);
      await post(`${gateway.adminUrl}/backends/a/drain`);
    }
    await early.message(() => early.messages.length > 200);
    const late = watchOfficially(inspectorUrl(gateway));
    await late.message(({ sessionId }) => sessionId === 'pool');
    assert.deepEqual(late.messages.slice(0, 3).map(inWords), [
      '@xstate.actor backend:a drained',
      '@xstate.actor selector',
      '@xstate.actor pool',
    ]);
  });

  it('hears of backends that a reload brings and removes', async (t) => {
    await using fleet = await startFleet(3);
    const [a, b, c] = fleet.mocks;
    assert.ok(a && b && c);
    await using gateway = await startTestGateway({ backends: [a, b] });
    const observers = countObservers(t, gateway.gateway.balancer.core);
    const watching = watchOfficially(inspectorUrl(gateway));
    await watching.message(({ sessionId }) => sessionId === 'pool');
    assert.equal(observers.active, 4);
    await gateway.reconfigure({ backends: [a, c] });
    await watching.message((message) => inWords(message) === '@xstate.actor backend:c healthy');
    const told = watching.messages.map(inWords);
    assert.ok(told.includes('@xstate.event backend:b config.removed'));
    assert.ok(told.includes('@xstate.snapshot backend:b removed'));
    assert.equal(observers.active, 3, 'nobody observes what is gone');
    const event = '@xstate.event backend:c operator.drained';
    await post(`${gateway.adminUrl}/backends/c/drain`);
    await watching.message((message) => inWords(message) === event);
    assert.equal(watching.messages.filter((message) => inWords(message) === event).length, 1);
  });

  it('hears of selector and pool in frames that sum up what has happened', async () => {
    await using fleet = await startFleet(2);
    await using gateway = await startTestGateway({ backends: fleet.mocks });
    const watching = watchOfficially(inspectorUrl(gateway));
    await watching.message(({ sessionId }) => sessionId === 'pool');
    const begun = performance.now();
    const requests = Array.from({ length: 40 }, async () => (await fetch(`${gateway.url}/v1/models`)).text());
    await Promise.all(requests);
    await gateway.fact('response.ended', 40);
    const settled = await watching.message(
      (message) =>
        message.type === '@xstate.snapshot' &&
        message.sessionId === 'pool' &&
        'context' in message.snapshot &&
        Object(message.snapshot.context).leasesTotal === 0 &&
        Object(message.snapshot.context).lastLease === 40,
    );
    assert.ok(settled.type === '@xstate.snapshot');
    // One each tenth of a second at most.
    const mostFrames = 2 + (performance.now() - begun) / 100;
    let picks = 0;
    let frames = 0;
    for (const message of watching.messages) {
      if (message.type !== '@xstate.event' || message.sessionId !== 'selector') continue;
      frames += 1;
      picks += (message.event.picks.a ?? 0) + (message.event.picks.b ?? 0);
    }
    assert.equal(picks, 40);
    assert.ok(frames <= mostFrames, `${frames} frames for 40 requests`);
  });
});

describe('the gateway', () => {
  it('lets nobody observe its actors unless somebody watches', async (t) => {
    await using fleet = await startFleet(1);
    await using gateway = await startTestGateway({ backends: fleet.mocks });
    const observers = countObservers(t, gateway.gateway.balancer.core);
    await (await fetch(`${gateway.url}/v1/models`)).text();
    assert.equal(observers.active, 0);
    const first = await joinAs(inspectorUrl(gateway));
    const second = await joinAs(inspectorUrl(gateway));
    assert.equal(observers.active, 3, 'one observer an actor, however many watch');
    first.close();
    await once(first, 'close');
    assert.equal(observers.active, 3);
    second.close();
    await observers.none();
    const third = await joinAs(inspectorUrl(gateway));
    assert.equal(observers.active, 3);
    third.terminate();
    await observers.none();
  });

  it('says goodbye to viewers when it stops', async () => {
    await using gateway = await startTestGateway({});
    const viewer = await joinAs(inspectorUrl(gateway));
    const closed = once(viewer, 'close');
    await gateway.gateway.stop();
    const [code, reason] = await closed;
    assert.deepEqual([code, String(reason)], [1001, 'the gateway is stopping']);
  });
});
