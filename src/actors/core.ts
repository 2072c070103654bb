/**
 * The state of the core in one place: the actors it hosts and the ledger of requests in flight. Only `step`
 * lets anything in; the functions that work on it live by topic in `fleet.ts` and `dispatch.ts`.
 */
import { type ActorRefFrom, createActor } from 'xstate';
import { type BackendActor, statusOf } from './backend.ts';
import type { BackendSettings, BackendStatus, CoreConfig, Decision, UpstreamFailure } from './events.ts';
import { type BackendPool, hasRoom, type PoolEvent, type PoolState, poolLogic } from './pool.ts';
import type { RetryBudget } from './retry-budget.ts';
import { type SelectorEvent, type SelectorState, selectorLogic } from './selector.ts';

export type Backend = {
  settings: BackendSettings;
  readonly actor: BackendActor;
  /** Requests sent to it, and how many of those failed; since the gateway started. */
  total: number;
  failed: number;
  /** Whether it has yet to become healthy for the first time, which is no coming back. */
  isNew: boolean;
};

export type RequestState = {
  readonly request: number;
  readonly replayable: boolean;
  /** Where it is: waiting in line, on a lease that opens its socket or has one, or answering. */
  phase: 'new' | 'waiting' | 'leased' | 'answering';
  lease: number | undefined;
  attempts: number;
  /** Backends that failed it, which are not asked again. */
  tried: string[];
  /** Ask for a new socket: a kept one may turn out to be stale. */
  fresh: boolean;
  lastFailure: { backend: string; reason: UpstreamFailure } | undefined;
  /** When it joined the line it is in, and how long it has waited in lines before. */
  queuedAt: number;
  waitedMs: number;
};

export type Core = {
  config: CoreConfig;
  readonly selector: ActorRefFrom<typeof selectorLogic>;
  readonly pool: ActorRefFrom<typeof poolLogic>;
  readonly backends: Map<string, Backend>;
  readonly requests: Map<number, RequestState>;
  /** Backends in slow start, with the time they came back at. */
  readonly ramps: Map<string, number>;
  /** Undefined where retries are not limited. */
  budget: RetryBudget | undefined;
  phase: 'running' | 'stopping' | 'stopped';
  /** What has happened in this step that those who wait could profit or suffer from. */
  news: 'none' | 'roomFreed' | 'healthChanged';
  /** Time of the fact being handled, in milliseconds since the epoch. */
  at: number;
  /** What has been decided about the fact being handled. */
  decisions: Decision[];
};

const EMPTY_CONFIG: CoreConfig = {
  backends: [],
  health: { fall: 3, rise: 2, initial: 'healthy' },
  pool: { size: 1, idleTimeoutMs: 60_000, queue: { max: 0, timeoutMs: 0 } },
  retry: { attempts: 0, on: [] },
};

/** A core that knows no backend yet; its first fact is `gateway.started`. */
export function createCore(): Core {
  return {
    config: EMPTY_CONFIG,
    selector: createActor(selectorLogic, { id: 'selector', input: undefined }).start(),
    pool: createActor(poolLogic, { id: 'pool', input: undefined }).start(),
    backends: new Map(),
    requests: new Map(),
    ramps: new Map(),
    budget: undefined,
    phase: 'running',
    news: 'none',
    at: 0,
    decisions: [],
  };
}

export function selectorOf(core: Core): SelectorState {
  return core.selector.getSnapshot().context;
}

export function poolOf(core: Core): PoolState {
  return core.pool.getSnapshot().context;
}

export function poolOfBackend(core: Core, backend: string): BackendPool | undefined {
  return poolOf(core).backends.get(backend);
}

export function tellSelector(core: Core, event: SelectorEvent): void {
  core.selector.send(event);
  refuseBroken(core.selector);
}

/**
 * XState keeps what a transition function throws for later and lets the actor be dead; a core with a dead actor in it
 * must not go on.
 */
function refuseBroken(actor: Core['selector'] | Core['pool']): void {
  const { status, error } = actor.getSnapshot();
  if (status === 'error') throw error;
}

/** Sends an event to the pool and takes over what it decided. */
export function tellPool(core: Core, event: PoolEvent): void {
  core.pool.send(event);
  refuseBroken(core.pool);
  core.decisions.push(...poolOf(core).decisions);
}

/** Tells the selector whether the pool of a backend has room, when that has changed. */
export function syncRoom(core: Core, backend: string): void {
  const pool = poolOfBackend(core, backend);
  const peer = selectorOf(core).peers.find((candidate) => candidate.backend === backend);
  if (pool === undefined || peer === undefined || peer.hasRoom === hasRoom(pool)) return;
  tellSelector(core, { type: 'roomChanged', backend, hasRoom: hasRoom(pool) });
  if (hasRoom(pool) && core.news === 'none') core.news = 'roomFreed';
}

export function statusOfBackend(core: Core, id: string): BackendStatus | undefined {
  const backend = core.backends.get(id);
  return backend === undefined ? undefined : statusOf(backend.actor);
}
