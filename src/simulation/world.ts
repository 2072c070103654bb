/**
 * The world around a core, simulated: a virtual clock, and sockets, answers and deadlines that come when their time is
 * there. It does what the daemon's streams do with the core's decisions; how long things take and how they end is for
 * the surroundings it is given.
 */
import { statusOf } from '../actors/backend.ts';
import type { Balancer } from '../actors/balancer.ts';
import { poolOf } from '../actors/core.ts';
import type { CoreConfig, Decision, Fact, UpstreamFailure } from '../actors/events.ts';
import { createAgenda } from './agenda.ts';
import type { AnswerHead } from './recording.ts';
import { type Held, type Holds, type Plan, type Planned, serve } from './serving.ts';

/** `rank` orders what falls in one millisecond; what has none comes after what has one. */
export type Moment = { readonly at: number; readonly rank: number | undefined };

/** When something happens, counted from the moment it is asked for. */
export type Timing = { readonly afterMs: number; readonly rank?: number | undefined };

export type Opening = Timing &
  ({ readonly ok: true } | { readonly ok: false; readonly reason: UpstreamFailure });

export type Ending = Timing &
  (
    | (AnswerHead & {
        readonly ok: true;
        readonly bytes: number;
        readonly chunks: number;
        readonly reusable: boolean;
      })
    | {
        readonly ok: false;
        readonly bytes: number;
        readonly chunks: number;
        readonly reason: UpstreamFailure;
        readonly written: boolean;
      }
  );

/** What comes back over a lease; each part may be left out, and then never comes. */
export type Answer = {
  readonly started?: (Timing & AnswerHead) | undefined;
  readonly ended?: Ending | undefined;
  /** The backend closes the socket while it is on lease. */
  readonly closed?: Timing | undefined;
};

export type Grant = Extract<Decision, { type: 'lease.granted' }>;
export type SocketRequest = Extract<Decision, { type: 'socket.requested' }>;
export type IdleSocket = {
  readonly socket: number;
  readonly backend: string;
  /** The lease it was on last; undefined if it was idle from the start. */
  readonly lease: number | undefined;
};

/** How the world behaves. Each is asked once, at the moment it begins. */
export type Surroundings = {
  open(request: SocketRequest, now: Moment): Opening | undefined;
  answer(grant: Grant, now: Moment): Answer;
  /** When the backend closes a socket that idles from now on, if it does so before it is used again. */
  keep(socket: IdleSocket, now: Moment): Timing | undefined;
  /** When the timer of a wait fires. */
  deadline(request: number, deadline: number, now: Moment): Timing;
  /** When the timer of an ejection fires. */
  ejection(backend: string, deadline: number, now: Moment): Timing;
};

export type Step = Moment & { readonly fact: Fact; readonly decisions: readonly Decision[] };

export type World = {
  readonly balancer: Balancer;
  /** Lets everything happen that is planned before this moment. */
  advance(to: Moment): void;
  /** Takes a fact from outside the world, such as a request or a probe result. */
  take(fact: Fact, now: Moment): void;
};

export type WorldOptions = {
  readonly balancer: Balancer;
  readonly surroundings: Surroundings;
  /** The moment the world begins; what the core has under way by then goes on from there. */
  readonly start: Moment;
  readonly onStep: (step: Step) => void;
};

export function createWorld({ balancer, surroundings, start, onStep }: WorldOptions): World {
  const agenda = createAgenda<Planned>();
  const plan = (now: Moment, timing: Timing, planned: Planned) =>
    agenda.add(now.at + timing.afterMs, timing.rank, planned);
  const holds: Holds = (request, status) =>
    balancer.core.requests.get(request)?.replayable === true &&
    balancer.core.config.retry.on.some((condition) => condition === String(status));
  const ends = createEnds(surroundings, plan, holds);

  const take = (fact: Fact, now: Moment) => {
    const decisions = balancer.step(fact, now.at);
    if (fact.type === 'client.aborted') ends.waits.delete(fact.request);
    for (const decision of decisions) carryOut(ends, decision, now);
    ends.settle(now);
    onStep({ at: now.at, rank: now.rank, fact, decisions });
  };

  adopt(ends, balancer, start);
  return {
    balancer,
    take,
    advance({ at, rank }) {
      for (;;) {
        const due = agenda.takeBefore(at, rank);
        if (due === undefined) return;
        const fact = due.item();
        if (fact !== undefined) take(fact, due);
      }
    },
  };
}

/** The far ends: sockets, the answers on them, and the alarms of those who wait. */
function createEnds(surroundings: Surroundings, plan: Plan, holds: Holds) {
  /** By lease, whose connection is being opened. */
  const opening = new Map<number, SocketRequest>();
  const held = new Map<number, Held>();
  const idle = new Map<number, IdleSocket>();
  const waits = new Map<number, object>();
  const ejections = new Map<string, object>();
  /** Sockets that have become idle in the step at hand and may yet be evicted or used again in it. */
  let freed: IdleSocket[] = [];

  const keep = (socket: IdleSocket, now: Moment) => {
    const timing = surroundings.keep(socket, now);
    if (timing === undefined) return;
    plan(now, timing, () => {
      if (idle.get(socket.socket) !== socket) return undefined;
      idle.delete(socket.socket);
      return { type: 'socket.closed', backend: socket.backend, socket: socket.socket };
    });
  };

  const open = (wanted: SocketRequest, now: Moment) => {
    opening.set(wanted.lease, wanted);
    const timing = surroundings.open(wanted, now);
    if (timing === undefined) return;
    const { lease, backend, socket } = wanted;
    plan(now, timing, () => {
      if (opening.get(lease) !== wanted) return undefined;
      opening.delete(lease);
      if (timing.ok) return { type: 'socket.opened', backend, socket };
      return { type: 'socket.failed', backend, socket, reason: timing.reason };
    });
  };

  const release = (lease: number, mayIdle: boolean) => {
    opening.delete(lease);
    const holder = held.get(lease);
    if (holder === undefined) return;
    held.delete(lease);
    if (!mayIdle || holder.closed) return;
    const kept = { socket: holder.socket, backend: holder.backend, lease };
    idle.set(kept.socket, kept);
    freed.push(kept);
  };

  const wait = (request: number, deadline: number, now: Moment) => {
    const alarm = {};
    waits.set(request, alarm);
    plan(now, surroundings.deadline(request, deadline, now), () =>
      waits.get(request) === alarm ? { type: 'timer.fired', timer: 'queue', request } : undefined,
    );
  };

  const eject = (backend: string, deadline: number, now: Moment) => {
    const alarm = {};
    ejections.set(backend, alarm);
    plan(now, surroundings.ejection(backend, deadline, now), () =>
      ejections.get(backend) === alarm ? { type: 'timer.fired', timer: 'ejection', backend } : undefined,
    );
  };

  const settle = (now: Moment) => {
    if (freed.length === 0) return;
    for (const socket of freed) if (idle.get(socket.socket) === socket) keep(socket, now);
    freed = [];
  };

  const begin = (grant: Grant, now: Moment) => serve(grant, now, { surroundings, held, plan, holds });

  return { idle, waits, ejections, open, begin, keep, release, wait, eject, settle };
}

type Ends = ReturnType<typeof createEnds>;

function carryOut(ends: Ends, decision: Decision, now: Moment): void {
  switch (decision.type) {
    case 'socket.requested':
      ends.open(decision, now);
      break;
    case 'lease.granted':
      ends.idle.delete(decision.socket);
      ends.begin(decision, now);
      break;
    case 'lease.released':
      ends.release(decision.lease, decision.outcome === 'ended');
      break;
    case 'socket.evicted':
      ends.idle.delete(decision.socket);
      break;
    case 'request.queued':
      ends.wait(decision.request, decision.deadline, now);
      break;
    case 'backend.changed':
      if (decision.deadline === undefined) ends.ejections.delete(decision.backend);
      else ends.eject(decision.backend, decision.deadline, now);
      break;
    case 'backend.selected':
    case 'request.rejected':
      ends.waits.delete(decision.request);
      break;
    default:
      break;
  }
}

/** Takes up what the core has under way already: leases, idle sockets and those who wait. */
function adopt(ends: Ends, { core }: Balancer, now: Moment): void {
  const { backends, leases, waiting } = poolOf(core);
  for (const { request, lease, backend, socket, reused, opened } of leases.values()) {
    if (opened) ends.begin({ type: 'lease.granted', request, lease, backend, socket, reused }, now);
    else ends.open({ type: 'socket.requested', request, lease, backend, socket }, now);
  }
  for (const [backend, pool] of backends) {
    for (const { socket } of pool.idle) {
      const kept = { socket, backend, lease: undefined };
      ends.idle.set(socket, kept);
      ends.keep(kept, now);
    }
  }
  for (const [backend, { actor }] of core.backends) {
    const { ejectedUntil } = actor.getSnapshot().context;
    if (statusOf(actor) === 'ejected') ends.eject(backend, ejectedUntil ?? now.at, now);
  }
  for (const request of waiting) {
    const { queuedAt = now.at, waitedMs = 0 } = core.requests.get(request) ?? {};
    ends.wait(request, deadlineOf(core.config, { queuedAt, waitedMs }), now);
  }
}

/** When the wait of a request ends in a rejection. */
export function deadlineOf(
  { pool }: CoreConfig,
  { queuedAt, waitedMs }: { readonly queuedAt: number; readonly waitedMs: number },
): number {
  return queuedAt + Math.max(0, pool.queue.timeoutMs - waitedMs);
}
