/**
 * The whole state of a core as plain JSON, and a core from it. Two cores in the same state give the same text,
 * letter for letter, so that a hash of it can stand for the state; every object is therefore copied key by key
 * in one order, with null for what is not there.
 */
import { createActor } from 'xstate';
import { type BackendContext, backendMachine, type LastProbe, statusOf } from './backend.ts';
import { type Backend, type Core, poolOf, type RequestState, selectorOf } from './core.ts';
import type {
  BackendSettings,
  BackendStatus,
  CoreConfig,
  EvictionReason,
  OutlierSettings,
  UpstreamFailure,
} from './events.ts';
import { type BackendPool, type IdleSocket, type Lease, poolLogic } from './pool.ts';
import type { RetryBudget } from './retry-budget.ts';
import { type Peer, selectorLogic } from './selector.ts';

/** What came later than the first logs is left out where it is at rest, so that their hashes still fit. */
type Later = 'outlier' | 'consecutiveErrors' | 'timesEjected' | 'ejectedUntil';

type ContextSnapshot = Omit<BackendContext, 'lastProbe' | Later> & {
  readonly lastProbe: LastProbe | null;
  readonly outlier?: OutlierSettings;
  readonly consecutiveErrors?: number;
  readonly timesEjected?: number;
  readonly ejectedUntil?: number;
};

type BackendSnapshot = {
  readonly settings: BackendSettings;
  readonly status: BackendStatus;
  readonly context: ContextSnapshot;
  readonly total: number;
  readonly failed: number;
  readonly isNew?: true;
};

type PeerSnapshot = Omit<Peer, 'pausedUntil' | 'effectiveWeight'> & {
  readonly effectiveWeight?: number;
  readonly pausedUntil?: number;
};

type IdleSnapshot = Omit<IdleSocket, 'openedAt'> & { readonly openedAt?: number };

type PoolSnapshot = Omit<BackendPool, 'idle' | 'limit'> & {
  readonly limit?: number;
  readonly backend: string;
  readonly idle: readonly IdleSnapshot[];
};

type LeaseSnapshot = Omit<Lease, 'unwanted' | 'openedAt'> & {
  readonly unwanted: EvictionReason | null;
  readonly openedAt?: number;
};

type RequestSnapshot = Omit<RequestState, 'lease' | 'lastFailure' | 'tried'> & {
  readonly lease: number | null;
  readonly tried: readonly string[];
  readonly lastFailure: { readonly backend: string; readonly reason: UpstreamFailure } | null;
};

export type CoreSnapshot = {
  readonly phase: Core['phase'];
  readonly config: CoreConfig;
  readonly backends: readonly BackendSnapshot[];
  readonly peers: readonly PeerSnapshot[];
  readonly pools: readonly PoolSnapshot[];
  readonly leases: readonly LeaseSnapshot[];
  readonly waiting: readonly number[];
  readonly lastLease: number;
  readonly lastSocket: number;
  readonly requests: readonly RequestSnapshot[];
  readonly ramps?: readonly { readonly backend: string; readonly since: number }[];
  readonly budget?: RetryBudget;
};

/** Copies the state out; nothing in the copy changes when the core goes on. */
export function takeSnapshot(core: Core): CoreSnapshot {
  const pool = poolOf(core);
  return {
    phase: core.phase,
    config: core.config,
    backends: [...core.backends.values()].map(snapshotBackend),
    peers: selectorOf(core).peers.map(snapshotPeer),
    pools: [...pool.backends].map(([backend, state]) => snapshotPool(backend, state)),
    leases: [...pool.leases.values()].map(snapshotLease),
    waiting: [...pool.waiting],
    lastLease: pool.lastLease,
    lastSocket: pool.lastSocket,
    requests: [...core.requests.values()].map(snapshotRequest),
    ...(core.ramps.size === 0
      ? {}
      : { ramps: [...core.ramps].map(([backend, since]) => ({ backend, since })) }),
    ...(core.budget === undefined ? {} : { budget: copyBudget(core.budget) }),
  };
}

function snapshotBackend({ settings, actor, total, failed, isNew }: Backend): BackendSnapshot {
  const { context } = actor.getSnapshot();
  return {
    settings,
    status: statusOf(actor),
    context: snapshotContext(context),
    total,
    failed,
    ...(isNew ? { isNew } : {}),
  };
}

function snapshotContext(context: BackendContext): ContextSnapshot {
  const { outlier, consecutiveErrors, timesEjected, ejectedUntil } = context;
  return {
    fall: context.fall,
    rise: context.rise,
    consecutiveFailures: context.consecutiveFailures,
    consecutiveSuccesses: context.consecutiveSuccesses,
    passing: context.passing,
    lastProbe: context.lastProbe ?? null,
    removed: context.removed,
    reason: context.reason,
    ...(outlier === undefined ? {} : { outlier }),
    ...(consecutiveErrors === 0 ? {} : { consecutiveErrors }),
    ...(timesEjected === 0 ? {} : { timesEjected }),
    ...(ejectedUntil === undefined ? {} : { ejectedUntil }),
  };
}

function snapshotPeer(peer: Peer): PeerSnapshot {
  const { backend, weight, effectiveWeight, currentWeight, healthy, hasRoom, pausedUntil } = peer;
  return {
    ...{ backend, weight, currentWeight, healthy, hasRoom },
    ...(effectiveWeight === weight ? {} : { effectiveWeight }),
    ...(pausedUntil === 0 ? {} : { pausedUntil }),
  };
}

function restorePeer(peer: PeerSnapshot): Peer {
  const { backend, weight, effectiveWeight = weight, currentWeight } = peer;
  const { healthy, hasRoom, pausedUntil = 0 } = peer;
  return { backend, weight, effectiveWeight, currentWeight, healthy, hasRoom, pausedUntil };
}

function copyBudget({ step, requests, retries, refused }: RetryBudget): RetryBudget {
  return { step, requests: [...requests], retries: [...retries], refused };
}

function snapshotPool(backend: string, pool: BackendPool): PoolSnapshot {
  const idle = pool.idle.map(({ socket, since, openedAt }) =>
    openedAt === undefined ? { socket, since } : { socket, since, openedAt },
  );
  const { size, limit, leased, opened, reused, failed } = pool;
  const limited = limit === size ? {} : { limit };
  return { backend, size, idle, leased, opened, reused, failed, ...limited };
}

function snapshotLease(entry: Lease): LeaseSnapshot {
  const { lease, request, backend, socket, reused, opened, closed, unwanted, openedAt } = entry;
  return {
    ...{ lease, request, backend, socket, reused, opened, closed, unwanted: unwanted ?? null },
    ...(openedAt === undefined ? {} : { openedAt }),
  };
}

function snapshotRequest(state: RequestState): RequestSnapshot {
  const { request, replayable, phase, lease, attempts, tried, fresh, lastFailure } = state;
  const { queuedAt, waitedMs } = state;
  return {
    request,
    replayable,
    phase,
    lease: lease ?? null,
    attempts,
    tried: [...tried],
    fresh,
    lastFailure:
      lastFailure === undefined ? null : { backend: lastFailure.backend, reason: lastFailure.reason },
    queuedAt,
    waitedMs,
  };
}

/** A core that goes on from the snapshot as the one it was taken of would have. */
export function restoreCore(snapshot: CoreSnapshot): Core {
  const { pools, leases, waiting, lastLease, lastSocket } = snapshot;
  const pool = createActor(poolLogic, {
    id: 'pool',
    input: {
      backends: new Map(pools.map((entry) => [entry.backend, restorePool(entry)])),
      leases: new Map(leases.map((entry) => [entry.lease, restoreLease(entry)])),
      leaseOfSocket: new Map(leases.map(({ socket, lease }) => [socket, lease])),
      waiting: [...waiting],
      maxLifetimeMs: snapshot.config.pool.maxLifetimeMs ?? 0,
      lastLease,
      lastSocket,
      decisions: [],
    },
  });
  const peers = snapshot.peers.map(restorePeer);
  const selector = createActor(selectorLogic, { id: 'selector', input: { peers, picked: undefined } });
  return {
    config: snapshot.config,
    selector: selector.start(),
    pool: pool.start(),
    backends: new Map(snapshot.backends.map((backend) => [backend.settings.id, restoreBackend(backend)])),
    requests: new Map(snapshot.requests.map((request) => [request.request, restoreRequest(request)])),
    ramps: new Map(snapshot.ramps?.map(({ backend, since }) => [backend, since])),
    budget: snapshot.budget === undefined ? undefined : copyBudget(snapshot.budget),
    phase: snapshot.phase,
    news: 'none',
    at: 0,
    decisions: [],
  };
}

function restorePool({ backend: _, idle, limit, ...rest }: PoolSnapshot): BackendPool {
  return { ...rest, limit: limit ?? rest.size, idle: idle.map(restoreIdle) };
}

function restoreIdle({ socket, since, openedAt }: IdleSnapshot): IdleSocket {
  return { socket, since, openedAt };
}

function restoreLease(entry: LeaseSnapshot): Lease {
  return { ...entry, unwanted: entry.unwanted ?? undefined, openedAt: entry.openedAt };
}

function restoreBackend({ settings, status, context, total, failed, isNew }: BackendSnapshot): Backend {
  const { fall, rise } = context;
  const actor = createActor(backendMachine, {
    id: settings.id,
    input: { fall, rise, initial: 'healthy', outlier: context.outlier },
    snapshot: backendMachine.resolveState({ value: status, context: restoreContext(context) }),
  });
  actor.start();
  return { settings, actor, total, failed, isNew: isNew ?? false };
}

function restoreContext(context: ContextSnapshot): BackendContext {
  return {
    ...context,
    lastProbe: context.lastProbe ?? undefined,
    outlier: context.outlier,
    consecutiveErrors: context.consecutiveErrors ?? 0,
    timesEjected: context.timesEjected ?? 0,
    ejectedUntil: context.ejectedUntil,
  };
}

function restoreRequest({ lease, tried, lastFailure, ...rest }: RequestSnapshot): RequestState {
  return { ...rest, lease: lease ?? undefined, tried: [...tried], lastFailure: lastFailure ?? undefined };
}
