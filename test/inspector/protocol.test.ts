/** What a running gateway tells those who watch, read by the official receiver of `@statelyai/inspect`. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startFleet } from '../support/fleet.ts';
import { startTestGateway } from '../support/gateway.ts';
import { inspectorUrl, watchOfficially } from './support.ts';

describe('the official receiver', () => {
  it('is told first of each actor, with definition and state', async () => {
    await using fleet = await startFleet(2);
    await using gateway = await startTestGateway({ backends: fleet.mocks });
    const watching = watchOfficially(inspectorUrl(gateway));
    await watching.message(({ sessionId }) => sessionId === 'pool');
    assert.deepEqual(
      watching.messages.slice(0, 4).map(({ type, sessionId }) => `${type} ${sessionId}`),
      ['backend:a', 'backend:b', 'selector', 'pool'].map((sessionId) => `@xstate.actor ${sessionId}`),
    );
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
    const event = await watching.message(
      (message) => message.type === '@xstate.event' && message.event.type === 'probe.failed',
    );
    const snapshot = await watching.message(
      (message) =>
        message.type === '@xstate.snapshot' &&
        'value' in message.snapshot &&
        message.snapshot.value === 'unhealthy',
    );
  });
});
