/** The wire format is that of the official package, and carries no more than is named. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createInspector, type StatelyInspectionEvent } from '@statelyai/inspect';
import { createActor } from 'xstate';
import { backendMachine } from '../../src/actors/backend.ts';
import { poolLogic } from '../../src/actors/pool.ts';
import {
  describeBackend,
  describeEvent,
  describeMachine,
  describeOther,
  describePool,
} from '../../src/io/inspector/protocol/describe.ts';
import { createWireWriter } from '../../src/io/inspector/protocol/wire.ts';

/** What an inspector of the official package sends of a backend that fails one probe. */
async function officialMessages(): Promise<StatelyInspectionEvent[]> {
  const { promise, resolve } = Promise.withResolvers<StatelyInspectionEvent[]>();
  const messages: StatelyInspectionEvent[] = [];
  const adapter = {
    send(message: StatelyInspectionEvent) {
      messages.push(message);
      if (messages.length === 5) resolve(messages);
    },
  };
  const actor = startBackend(createInspector(adapter).inspect);
  actor.send(FAILED);
  return promise;
}

const FAILED = { type: 'probe.failed', at: 5, latencyMs: 2, reason: 'refused' } as const;

function startBackend(inspect?: ReturnType<typeof createInspector>['inspect']) {
  const input = { fall: 1, rise: 1, initial: 'healthy', outlier: undefined } as const;
  return createActor(backendMachine, { id: 'a', input, ...(inspect && { inspect }) }).start();
}

/** What names an actor, a moment or a message is ours. */
function withoutNames(message: object): object {
  const { sessionId, rootId, createdAt, id, ...rest } = JSON.parse(JSON.stringify(message));
  assert.equal(typeof sessionId, 'string');
  assert.equal(typeof createdAt, 'string');
  const definition: unknown = 'definition' in rest ? JSON.parse(rest.definition) : undefined;
  return { ...rest, definition };
}

describe('messages', () => {
  it('are those that the official inspector sends of the same actor', async () => {
    const [introduced, , , event, snapshot] = await officialMessages();
    assert.ok(introduced && event && snapshot);
    const actor = startBackend();
    actor.send(FAILED);
    const writer = createWireWriter();
    const described = describeBackend(actor);
    const definition = describeMachine(backendMachine.config);
    const ours = [
      writer.actor({ sessionId: 's', name: 'a', definition, snapshot: described }, 5),
      writer.event('s', describeEvent(FAILED), 5),
      writer.snapshot('s', described, describeEvent(FAILED), 5),
    ];
    assert.deepEqual(
      ours.map((text) => withoutNames(JSON.parse(text))),
      [introduced, event, snapshot].map(withoutNames),
    );
  });

  it('of an actor that is no machine carry a definition that names it, as the official ones do', async () => {
    const { promise, resolve } = Promise.withResolvers<StatelyInspectionEvent>();
    const { inspect } = createInspector({ send: resolve });
    createActor(poolLogic, { id: 'pool', input: undefined, inspect });
    const message = await promise;
    assert.ok(message.type === '@xstate.actor');
    assert.equal(describeOther('pool'), message.definition);
  });

  it('draw the machine with its states in the order of its source', () => {
    const { states } = JSON.parse(describeMachine(backendMachine.config));
    assert.deepEqual(Object.keys(states), [
      'evaluating',
      'healthy',
      'unhealthy',
      'ejected',
      'draining',
      'drained',
      'removed',
    ]);
  });

  it('name every guard and action of the machine in words', () => {
    const definition = describeMachine(backendMachine.config);
    const named = [...definition.matchAll(/"(?:guard|actions)":(\[[^\]]*\]|"[^"]*"|[^",]+)/g)];
    assert.ok(named.length > 10);
    for (const [, what] of named) assert.match(what ?? '', /^\[?("[a-zA-Z]+",?)+\]?$/);
  });
});

describe('what is told', () => {
  it('of an event is what is named, cut to a length', () => {
    const reason = 'x'.repeat(10_000);
    const event = {
      type: 'probe.failed',
      reason,
      authorization: 'Bearer secret',
      body: { prompt: 'secret' },
    };
    assert.deepEqual(describeEvent(event), { type: 'probe.failed', reason: 'x'.repeat(300) });
  });

  it('of a pool is bounded, and says how much there is', () => {
    const actor = createActor(poolLogic, { id: 'pool', input: undefined }).start();
    actor.send({ type: 'configured', backends: ['a'], size: 5_000, maxLifetimeMs: 0, at: 0 });
    for (let request = 1; request <= 3_000; request++) {
      actor.send({ type: 'leaseWanted', backend: 'a', request, fresh: false, at: 0 });
      actor.send({ type: 'waitBegun', request: 10_000 + request });
    }
    const { context } = describePool(actor.getSnapshot().context);
    assert.equal(context.leasesTotal, 3_000);
    assert.equal(context.waitingTotal, 3_000);
    assert.deepEqual(context.backends, {
      a: { size: 5_000, idle: 0, leased: 3_000, opened: 0, reused: 0, failed: 0 },
    });
    assert.ok(JSON.stringify(context).length < 20_000);
  });
});
