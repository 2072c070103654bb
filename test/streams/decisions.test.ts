/** Each decision goes to the port that carries it out, and to no other. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Subject } from 'rxjs';
import type { Decision, Entry } from '../../src/actors/events.ts';
import { routeDecisions } from '../../src/streams/decisions.ts';
import { backend, received } from '../support/core.ts';
import { entryOf } from './support.ts';

const KNOWN = backend('a');

/** Ports that note each call as a line; request 1 is under way and backend `a` is known. */
function routing() {
  const entries$ = new Subject<Entry>();
  const calls: unknown[][] = [];
  const note =
    (name: string) =>
    (...args: unknown[]) =>
      void calls.push([name, ...args]);
  const exchange = {
    granted: note('granted'),
    rejected: note('rejected'),
    passed: note('passed'),
    discarded: note('discarded'),
  };
  const running = routeDecisions(entries$, {
    sockets: { open: note('open'), evict: note('evict') },
    exchangeOf: (request) => (request === 1 ? exchange : undefined),
    settingsOf: (id) => (id === 'a' ? KNOWN : undefined),
    onError: note('onError'),
  });
  const decide = (...decisions: Decision[]) => entries$.next(entryOf(received(1), decisions));
  return { decide, calls, running };
}

type Routes = {
  [Type in Decision['type']]: { decision: Extract<Decision, { type: Type }>; calls: readonly unknown[][] };
};

const grant = {
  type: 'lease.granted',
  request: 1,
  lease: 2,
  backend: 'a',
  socket: 3,
  reused: true,
} as const;
const rejection = { type: 'request.rejected', request: 1, code: 'queue_full' } as const;
const eviction = { type: 'socket.evicted', backend: 'a', socket: 3, reason: 'idle' } as const;
const request = { type: 'socket.requested', request: 1, lease: 2, backend: 'a', socket: 3 } as const;

/** One of each type; the compiler asks for a line when there is a new one. */
const ROUTES: Routes = {
  'lease.granted': { decision: grant, calls: [['granted', grant]] },
  'request.rejected': { decision: rejection, calls: [['rejected', rejection]] },
  'socket.requested': { decision: request, calls: [['open', 3, KNOWN]] },
  'socket.evicted': { decision: eviction, calls: [['evict', 3]] },
  'response.passed': {
    decision: { type: 'response.passed', request: 1, lease: 2, because: 'noOtherBackend' },
    calls: [['passed', 2]],
  },
  'response.discarded': {
    decision: { type: 'response.discarded', request: 1, lease: 2, backend: 'a', status: 503 },
    calls: [['discarded', 2]],
  },
  'backend.paused': { decision: { type: 'backend.paused', backend: 'a', until: 1 }, calls: [] },
  'backend.changed': {
    decision: { type: 'backend.changed', backend: 'a', from: 'healthy', to: 'unhealthy', reason: '' },
    calls: [],
  },
  'backend.selected': { decision: { type: 'backend.selected', request: 1, backend: 'a' }, calls: [] },
  'lease.released': {
    decision: { type: 'lease.released', request: 1, lease: 2, backend: 'a', outcome: 'ended' },
    calls: [],
  },
  'request.queued': {
    decision: { type: 'request.queued', request: 1, length: 1, deadline: 9 },
    calls: [],
  },
  'request.retried': {
    decision: { type: 'request.retried', request: 1, from: 'a', reason: 'refused', attempt: 1 },
    calls: [],
  },
  'config.applied': {
    decision: { type: 'config.applied', added: ['a'], removed: [], changed: [] },
    calls: [],
  },
  'gateway.stopped': { decision: { type: 'gateway.stopped' }, calls: [] },
};

describe('decisions', () => {
  for (const [type, { decision, calls: expected }] of Object.entries(ROUTES)) {
    const port = expected[0]?.[0] ?? 'nobody';
    it(`of type ${type} are carried out by: ${port}`, () => {
      const { decide, calls } = routing();
      decide(decision);
      assert.deepEqual(calls, expected);
    });
  }

  it('of one entry are carried out in their order', () => {
    const { decide, calls } = routing();
    decide(eviction, request, grant);
    assert.deepEqual(
      calls.map(([name]) => name),
      ['evict', 'open', 'granted'],
    );
  });

  it('about a request that has gone or a backend nobody knows come to nothing', () => {
    const { decide, calls } = routing();
    decide({ ...grant, request: 2 }, { ...rejection, request: 2 }, { ...request, backend: 'b' });
    assert.deepEqual(calls, []);
  });

  it('are no longer carried out after the end of the subscription', () => {
    const { decide, calls, running } = routing();
    running.unsubscribe();
    decide(eviction);
    assert.deepEqual(calls, []);
  });

  it('that a port cannot carry out does not keep the others of the entry from theirs', () => {
    const entries$ = new Subject<Entry>();
    const calls: unknown[][] = [];
    const running = routeDecisions(entries$, {
      sockets: {
        open: () => {},
        evict: (socket) => {
          if (socket === 1) throw new Error('no such luck');
          calls.push(['evict', socket]);
        },
      },
      exchangeOf: () => undefined,
      settingsOf: () => undefined,
      onError: (error, decision) => calls.push([String(error), decision.type]),
    });
    const evict = (socket: number): Decision => ({
      type: 'socket.evicted',
      backend: 'a',
      socket,
      reason: 'idle',
    });
    entries$.next(entryOf(received(1), [evict(1), evict(2)]));
    assert.deepEqual(calls, [
      ['Error: no such luck', 'socket.evicted'],
      ['evict', 2],
    ]);
    running.unsubscribe();
  });
});
