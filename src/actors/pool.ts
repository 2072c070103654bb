/**
 * The pool actor: the ledger of who holds which socket of which backend, and the line of requests that wait
 * for one. It knows sockets by number only; opening and closing them is for `io`, on its decisions.
 *
 *     socket.requested -> opening --opened--> leased --released--> idle (last in, first out) --> leased ...
 *                            |                   |                   |
 *                            +--- unopened ------+-- failed, aborted +-- idle timeout, closed by the backend
 *                                                v
 *                                              gone
 *
 * A `fromTransition` actor that owns its state and updates it in place; what it wants done is in `decisions`,
 * which holds the outcome of the last event only.
 */
import { fromTransition } from 'xstate';
import { assertNever } from './assert-never.ts';
import type { Decision, EvictionReason, LeaseOutcome } from './events.ts';
import { isExpired, limitAges } from './lifetime.ts';
import { joinLine, leaveLine } from './line.ts';

export type IdleSocket = {
  readonly socket: number;
  readonly since: number;
  /** When it was opened, or when its age began to matter; kept only where that is limited. */
  openedAt: number | undefined;
};

export type Lease = {
  readonly lease: number;
  readonly request: number;
  readonly backend: string;
  readonly socket: number;
  readonly reused: boolean;
  /** Whether the socket is open; false from `socket.requested` until `socket.opened`. */
  opened: boolean;
  /** Whether the socket has closed while on lease. */
  closed: boolean;
  /** Set when the socket must not go back to the pool, and why. */
  unwanted: EvictionReason | undefined;
  /** As in {@link IdleSocket}; undefined until it is open. */
  openedAt: number | undefined;
};

export type BackendPool = {
  /** Sockets at most, idle and leased together. */
  size: number;
  /** Leases at most: the size, or less while the backend is in slow start. */
  limit: number;
  /** Oldest first; leases are taken from the end. */
  idle: IdleSocket[];
  leased: number;
  opened: number;
  reused: number;
  failed: number;
};

export type PoolState = {
  backends: Map<string, BackendPool>;
  leases: Map<number, Lease>;
  /** Which lease a socket is on. */
  leaseOfSocket: Map<number, number>;
  /** Numbers of the waiting requests, in order of their arrival. */
  waiting: number[];
  /** Age at which a socket serves no further request; 0 is no limit. */
  maxLifetimeMs: number;
  lastLease: number;
  lastSocket: number;
  decisions: Decision[];
};

export type PoolEvent =
  | { type: 'configured'; backends: readonly string[]; size: number; maxLifetimeMs: number; at: number }
  | { type: 'forgotten'; backend: string }
  | { type: 'limited'; backend: string; limit: number }
  | { type: 'leaseWanted'; backend: string; request: number; fresh: boolean; at: number }
  | { type: 'socketOpened'; socket: number; at: number }
  | { type: 'socketClosed'; backend: string; socket: number }
  | {
      type: 'leaseEnded';
      lease: number;
      outcome: LeaseOutcome;
      unwanted: EvictionReason | undefined;
      at: number;
    }
  | { type: 'socketsUnwanted'; backend: string; reason: EvictionReason }
  | { type: 'swept'; at: number; idleTimeoutMs: number }
  | { type: 'waitBegun'; request: number }
  | { type: 'waitEnded'; request: number };

/** Whether the backend can take one more lease. */
export function hasRoom(pool: BackendPool): boolean {
  return pool.leased < pool.limit;
}

function evictIdle(
  state: PoolState,
  backend: string,
  pool: BackendPool,
  reason: EvictionReason,
  most: number,
) {
  for (const { socket } of pool.idle.splice(0, most)) {
    state.decisions.push({ type: 'socket.evicted', backend, socket, reason });
  }
}

function configure(state: PoolState, backends: readonly string[], size: number): void {
  for (const backend of backends) {
    const pool = state.backends.get(backend);
    if (pool === undefined) {
      const none = { idle: [], leased: 0, opened: 0, reused: 0, failed: 0 };
      state.backends.set(backend, { size, limit: size, ...none });
      continue;
    }
    pool.size = size;
    pool.limit = size;
    const excess = pool.idle.length + pool.leased - size;
    if (excess > 0) evictIdle(state, backend, pool, 'resized', excess);
  }
}

/** The idle socket used last, whose backend is least likely to have given up on it; those too old are closed. */
function takeIdle(state: PoolState, backend: string, pool: BackendPool, at: number): IdleSocket | undefined {
  for (;;) {
    const idle = pool.idle.pop();
    if (idle === undefined || !isExpired(state, idle.openedAt, at)) return idle;
    state.decisions.push({ type: 'socket.evicted', backend, socket: idle.socket, reason: 'expired' });
  }
}

/** Takes an idle socket, else asks for a new one. `fresh` asks for a new one in any case, and makes room for it. */
function beginLease(state: PoolState, event: Extract<PoolEvent, { type: 'leaseWanted' }>): void {
  const { backend, request, fresh, at } = event;
  const pool = state.backends.get(backend);
  if (pool === undefined || !hasRoom(pool)) throw new RangeError(`no room in the pool of ${backend}`);
  if (fresh && pool.idle.length + pool.leased >= pool.size) evictIdle(state, backend, pool, 'replaced', 1);
  const idle = fresh ? undefined : takeIdle(state, backend, pool, at);
  state.lastLease += 1;
  const lease = state.lastLease;
  const socket = idle?.socket ?? state.lastSocket + 1;
  const reused = idle !== undefined;
  pool.leased += 1;
  state.leases.set(lease, {
    lease,
    request,
    backend,
    socket,
    reused,
    opened: reused,
    closed: false,
    unwanted: undefined,
    openedAt: idle?.openedAt,
  });
  state.leaseOfSocket.set(socket, lease);
  if (reused) {
    pool.reused += 1;
    state.decisions.push({ type: 'lease.granted', request, lease, backend, socket, reused });
  } else {
    state.lastSocket = socket;
    state.decisions.push({ type: 'socket.requested', request, lease, backend, socket });
  }
}

function markOpened(state: PoolState, socket: number, at: number): void {
  const entry = leaseOfSocket(state, socket);
  if (entry === undefined || entry.opened) return;
  entry.opened = true;
  if (state.maxLifetimeMs > 0) entry.openedAt = at;
  const pool = state.backends.get(entry.backend);
  if (pool !== undefined) pool.opened += 1;
  const { request, lease, backend } = entry;
  state.decisions.push({ type: 'lease.granted', request, lease, backend, socket, reused: false });
}

function markClosed(state: PoolState, backend: string, socket: number): void {
  const entry = leaseOfSocket(state, socket);
  if (entry !== undefined) {
    entry.closed = true;
    return;
  }
  const pool = state.backends.get(backend);
  const index = pool?.idle.findIndex((idle) => idle.socket === socket) ?? -1;
  if (index !== -1) pool?.idle.splice(index, 1);
}

/** Releases a lease, once: a second end of the same lease finds nothing and does nothing. */
function endLease(state: PoolState, event: Extract<PoolEvent, { type: 'leaseEnded' }>): void {
  const entry = state.leases.get(event.lease);
  if (entry === undefined) return;
  const { lease, request, backend, socket } = entry;
  state.leases.delete(lease);
  state.leaseOfSocket.delete(socket);
  state.decisions.push({ type: 'lease.released', request, lease, backend, outcome: event.outcome });
  const pool = state.backends.get(backend);
  if (pool === undefined) return;
  pool.leased -= 1;
  if (event.outcome === 'failed' || (event.outcome === 'unopened' && entry.closed)) pool.failed += 1;
  const overfull = pool.idle.length + pool.leased >= pool.size ? 'resized' : undefined;
  const expired = isExpired(state, entry.openedAt, event.at) ? 'expired' : undefined;
  const unwanted = event.unwanted ?? entry.unwanted ?? overfull ?? expired;
  if (entry.closed) return;
  if (unwanted === undefined) pool.idle.push({ socket, since: event.at, openedAt: entry.openedAt });
  else state.decisions.push({ type: 'socket.evicted', backend, socket, reason: unwanted });
}

function sweep(state: PoolState, at: number, idleTimeoutMs: number): void {
  for (const [backend, pool] of state.backends) {
    const firstYoung = pool.idle.findIndex(({ since }) => since + idleTimeoutMs > at);
    evictIdle(state, backend, pool, 'idle', firstYoung === -1 ? pool.idle.length : firstYoung);
    const old = pool.idle.filter(({ openedAt }) => isExpired(state, openedAt, at));
    if (old.length === 0) continue;
    pool.idle = pool.idle.filter((idle) => !old.includes(idle));
    for (const { socket } of old) {
      state.decisions.push({ type: 'socket.evicted', backend, socket, reason: 'expired' });
    }
  }
}

/** Closes idle sockets now and each leased one when its lease ends; one to an address of before stays that. */
function disownSockets(state: PoolState, backend: string, reason: EvictionReason): void {
  const pool = state.backends.get(backend);
  if (pool !== undefined) evictIdle(state, backend, pool, reason, pool.idle.length);
  for (const lease of state.leases.values())
    if (lease.backend === backend && lease.unwanted !== 'moved') lease.unwanted = reason;
}

/** The lease that a socket is on, if it is on any. */
export function leaseOfSocket(state: PoolState, socket: number): Lease | undefined {
  const lease = state.leaseOfSocket.get(socket);
  return lease === undefined ? undefined : state.leases.get(lease);
}

/** The transition function of the pool actor. */
function keepLedger(state: PoolState, event: PoolEvent): PoolState {
  state.decisions = [];
  switch (event.type) {
    case 'configured':
      configure(state, event.backends, event.size);
      limitAges(state, event.maxLifetimeMs, event.at);
      return state;
    case 'forgotten':
      state.backends.delete(event.backend);
      return state;
    case 'limited': {
      const pool = state.backends.get(event.backend);
      if (pool !== undefined) pool.limit = event.limit;
      return state;
    }
    case 'leaseWanted':
      beginLease(state, event);
      return state;
    case 'socketOpened':
      markOpened(state, event.socket, event.at);
      return state;
    case 'socketClosed':
      markClosed(state, event.backend, event.socket);
      return state;
    case 'leaseEnded':
      endLease(state, event);
      return state;
    case 'socketsUnwanted':
      disownSockets(state, event.backend, event.reason);
      return state;
    case 'swept':
      sweep(state, event.at, event.idleTimeoutMs);
      return state;
    case 'waitBegun':
      joinLine(state.waiting, event.request);
      return state;
    case 'waitEnded':
      leaveLine(state.waiting, event.request);
      return state;
    default:
      return assertNever(event);
  }
}

function emptyPool(): PoolState {
  return {
    backends: new Map(),
    leases: new Map(),
    leaseOfSocket: new Map(),
    waiting: [],
    maxLifetimeMs: 0,
    lastLease: 0,
    lastSocket: 0,
    decisions: [],
  };
}

/** Logic for `createActor`; its context is a {@link PoolState}, an empty one unless it is given one. */
export const poolLogic = fromTransition(
  keepLedger,
  ({ input }: { input: PoolState | undefined }): PoolState => input ?? emptyPool(),
);
