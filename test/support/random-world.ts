/**
 * A world around the core drawn from a list of numbers: it does what the core asked for, or fails to, in an
 * order that the numbers decide, and now and then says things that are late or make no sense.
 */
import assert from 'node:assert/strict';
import { type Balancer, createBalancer } from '../../src/actors/balancer.ts';
import type { CoreConfig, Decision, Fact, UpstreamFailure } from '../../src/actors/events.ts';
import { type Audit, createAudit } from '../../src/actors/invariants.ts';
import { backend, coreConfig, received } from './core.ts';

const IDS = ['a', 'b', 'c', 'd'];
const REASONS: readonly UpstreamFailure[] = [
  'refused',
  'reset',
  'closed',
  'connectTimeout',
  'headersTimeout',
];

type Held = {
  readonly request: number;
  readonly lease: number;
  readonly backend: string;
  readonly socket: number;
};

export type World = {
  readonly balancer: Balancer;
  readonly audit: Audit;
  readonly history: { fact: Fact; at: number; decisions: readonly Decision[] }[];
  /** Does one thing; which one is decided by the two numbers. */
  act(kind: number, choice: number): void;
  /** Lets everything that is under way end. */
  settle(): void;
};

export function createWorld(): World {
  const balancer = createBalancer();
  const audit = createAudit();
  const history: World['history'] = [];
  /** By socket: connections being opened, sockets on lease, sockets idle (with their backend). */
  const opening = new Map<number, Held>();
  const active = new Map<number, Held>();
  const idle = new Map<number, string>();
  let lastRequest = 0;
  let at = 0;

  const take = (fact: Fact) => {
    const decisions = balancer.step(fact, at);
    history.push({ fact, at, decisions });
    const breaches = audit.check(balancer.core, fact, decisions);
    assert.deepEqual(breaches, [], `after ${JSON.stringify(fact)}`);
    for (const decision of decisions) obey(decision);
  };

  const obey = (decision: Decision) => {
    if (decision.type === 'socket.requested') opening.set(decision.socket, decision);
    if (decision.type === 'lease.granted') {
      opening.delete(decision.socket);
      idle.delete(decision.socket);
      active.set(decision.socket, decision);
    }
    if (decision.type === 'socket.evicted') {
      opening.delete(decision.socket);
      active.delete(decision.socket);
      idle.delete(decision.socket);
    }
  };

  const fail = ({ socket, request, lease, backend: id }: Held, choice: number) => {
    const reason = REASONS[choice % REASONS.length] ?? 'other';
    active.delete(socket);
    if (choice % 2 === 0) take({ type: 'socket.closed', backend: id, socket });
    take({ type: 'response.failed', request, lease, reason, written: choice % 3 > 0, bytes: 0, chunks: 0 });
  };

  const end = ({ socket, request, lease, backend: id }: Held, reusable: boolean) => {
    active.delete(socket);
    if (reusable) idle.set(socket, id);
    take({ type: 'response.ended', request, lease, ...answerOf(lease), bytes: 1, chunks: 1, reusable });
  };

  const closeThenEnd = ({ socket, request, lease, backend: id }: Held) => {
    active.delete(socket);
    take({ type: 'socket.closed', backend: id, socket });
    take({ type: 'response.ended', request, lease, status: 200, bytes: 1, chunks: 1, reusable: true });
    const known = balancer.core.pool.getSnapshot().context.backends.get(id);
    assert.ok(!known?.idle.some((kept) => kept.socket === socket), 'a closed socket went back to the pool');
  };

  const open = ({ socket, backend: id }: Held) => {
    opening.delete(socket);
    take({ type: 'socket.opened', backend: id, socket });
  };

  const refuse = ({ socket, backend: id }: Held, choice: number) => {
    opening.delete(socket);
    take({ type: 'socket.failed', backend: id, socket, reason: REASONS[choice % 4] ?? 'other' });
  };

  const closeIdle = (socket: number, id: string) => {
    idle.delete(socket);
    take({ type: 'socket.closed', backend: id, socket });
  };

  const someone = (choice: number) => (lastRequest === 0 ? 1 : 1 + (choice % lastRequest));

  const actions: readonly ((choice: number) => void)[] = [
    (choice) => take(received(++lastRequest, { replayable: choice % 5 > 0 })),
    (choice) => take(received(++lastRequest, { replayable: choice % 7 > 0 })),
    () => take(received(++lastRequest)),
    () => take(received(++lastRequest)),
    () => take(received(++lastRequest)),
    // The backend closes behind its answer: the end is still to be reported, and the socket is gone.
    (choice) => withOne(active, choice, (held) => closeThenEnd(held)),
    (choice) => withOne(opening, choice, open),
    (choice) => withOne(opening, choice, open),
    (choice) => withOne(opening, choice, (held) => refuse(held, choice)),
    (choice) => withOne(active, choice, (held) => end(held, choice % 4 > 0)),
    (choice) => withOne(active, choice, (held) => end(held, true)),
    (choice) => withOne(active, choice, (held) => fail(held, choice)),
    (choice) => withOne(active, choice, ({ request, lease }) => take(headFact(request, lease, choice))),
    (choice) => take({ type: 'client.aborted', request: someone(choice) }),
    (choice) => take({ type: 'probe.failed', backend: someBackend(choice), reason: 'timeout', latencyMs: 1 }),
    (choice) => take({ type: 'probe.succeeded', backend: someBackend(choice), status: 200, latencyMs: 1 }),
    (choice) => take({ type: 'operator.drained', backend: someBackend(choice) }),
    (choice) => take({ type: 'operator.restored', backend: someBackend(choice) }),
    (choice) => take({ type: 'config.reloaded', config: configFrom(choice) }),
    (choice) => take({ type: 'timer.fired', timer: 'queue', request: someone(choice) }),
    (choice) => take(timerFact(choice)),
    (choice) => withOne(idle, choice, (id, socket) => closeIdle(socket, id)),
    // Late or senseless: a lease of long ago, a backend nobody knows.
    (choice) =>
      take({
        type: 'response.ended',
        request: someone(choice),
        lease: 1,
        status: 200,
        bytes: 0,
        chunks: 0,
        reusable: true,
      }),
    (choice) => take({ type: 'socket.closed', backend: 'nobody', socket: choice }),
  ];

  take({ type: 'gateway.started', version: 'test', config: configFrom(0xf3) });
  return {
    balancer,
    audit,
    history,
    act(kind, choice) {
      at += choice % 50;
      actions[kind % actions.length]?.(choice);
    },
    settle() {
      take({ type: 'config.reloaded', config: configFrom(0) });
      while (opening.size + active.size > 0) {
        withOne(opening, 0, open);
        withOne(active, 0, (held) => end(held, true));
      }
    },
  };
}

/** How many kinds of action there are; kinds beyond wrap around. */
export const ACTION_KINDS = 24;

function someBackend(choice: number): string {
  return IDS[choice % IDS.length] ?? 'a';
}

/** An ejection may not be over yet, or there may be none. */
function timerFact(choice: number): Fact {
  return choice % 2 === 0
    ? { type: 'timer.fired', timer: 'sweep' }
    : { type: 'timer.fired', timer: 'ejection', backend: someBackend(choice >> 1) };
}

/** Some are held back, and some ask to be left alone. */
function headFact(request: number, lease: number, choice: number): Fact {
  const status = choice % 3 === 0 ? 200 : statusOf(lease);
  return {
    ...{ type: 'response.started', request, lease, status },
    ...(choice % 3 === 1 ? { held: true } : {}),
    ...(choice % 5 === 0 ? { retryAfterMs: choice % 200 } : {}),
  };
}

/** Some refusals say when to come again. */
function answerOf(lease: number): { status: number; retryAfterMs?: number } {
  return { status: statusOf(lease), ...(lease % 9 === 0 ? { retryAfterMs: 50 } : {}) };
}

/** Some answers are refusals. */
function statusOf(lease: number): number {
  return lease % 3 === 0 ? 503 : lease % 7 === 0 ? 429 : 200;
}

function configFrom(choice: number): CoreConfig {
  const backends = IDS.filter((_, index) => choice === 0 || ((choice >> index) & 1) === 1).map(
    (id, index) => ({
      ...backend(id, 1 + (((choice >> 4) + index * 3) % 7)),
      port: 8000 + (choice % 11 === 10 ? index : 0),
    }),
  );
  return coreConfig({
    backends,
    health: {
      fall: 1 + (choice % 3),
      rise: 1 + (choice % 2),
      initial: choice % 13 === 12 ? 'unhealthy' : 'healthy',
      ...(choice % 5 < 3 ? { slowStartMs: 40 * (choice % 5) } : {}),
    },
    pool: {
      size: 1 + (choice % 3),
      idleTimeoutMs: 100,
      ...(choice % 4 < 3 ? { maxLifetimeMs: 60 * (choice % 4) } : {}),
    },
    queue: { max: 20 * (choice % 4), timeoutMs: 1000 },
    ...(choice % 4 === 0
      ? {}
      : {
          outlier: {
            consecutiveFailures: choice % 4,
            baseEjectionMs: 40,
            maxEjectionMs: 100,
            maxEjectedShare: (choice % 5) / 4,
          },
        }),
    retry: {
      attempts: choice % 3,
      on: choice % 2 === 0 ? ['emptyResponse', '429', '503'] : [],
      ...(choice % 7 < 2 ? {} : { budgetShare: (choice % 7) / 6, budgetWindowMs: 100 }),
    },
  });
}

/** Calls `use` with one of the entries, if there is any. */
function withOne<Value>(
  from: ReadonlyMap<number, Value>,
  choice: number,
  use: (value: Value, key: number) => void,
): void {
  const entry = [...from][from.size === 0 ? 0 : choice % from.size];
  if (entry !== undefined) use(entry[1], entry[0]);
}
