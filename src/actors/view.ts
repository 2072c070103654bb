/** What the core knows, copied out as plain JSON for operators; a view is never handed back in. */
import { type LastProbe, statusOf } from './backend.ts';
import { type Backend, type Core, poolOf, poolOfBackend, selectorOf } from './core.ts';
import type { BackendStatus } from './events.ts';
import type { BackendPool } from './pool.ts';

export type BackendView = {
  id: string;
  host: string;
  port: number;
  weight: number;
  /** The weight it has at present: less than its weight while it is in slow start. */
  effectiveWeight: number;
  currentWeight: number;
  state: BackendStatus;
  consecutiveFailures: number;
  consecutiveSuccesses: number;
  lastProbe: LastProbe | null;
  /** Failures of real requests in a row. */
  consecutiveErrors: number;
  /** How often it was ejected of late. */
  timesEjected: number;
  /** When it may come back, in milliseconds since the epoch; null if it is not ejected. */
  ejectedUntil: number | null;
  /** Until when it is passed over while there are others, since it asked for that; null if it did not. */
  pausedUntil: number | null;
  pool: {
    /** Sockets that wait for a request. */
    idle: number;
    /** Sockets that serve one, those being opened included. */
    leased: number;
    /** Requests waiting for a lease; one queue serves all backends. */
    queued: number;
    size: number;
    /** Leases it may have at present: less than `size` while it is in slow start. */
    limit: number;
    /** Idle and leased together. */
    total: number;
    /** Counted since the backend was configured. */
    opened: number;
    reused: number;
    failed: number;
  };
  requests: { total: number; inFlight: number; failed: number };
};

/** Each backend in the order of the config, those that are removed and still drain last. */
export function viewBackends(core: Core): BackendView[] {
  const order = new Set(core.config.backends.map(({ id }) => id));
  for (const id of core.backends.keys()) order.add(id);
  return [...order].flatMap((id) => {
    const backend = core.backends.get(id);
    const pool = poolOfBackend(core, id);
    // Of an altered log a core may be left that is wrong, or that a fact has broken off half way.
    return backend === undefined || pool === undefined ? [] : [viewBackend(core, id, backend, pool)];
  });
}

function viewBackend(core: Core, id: string, backend: Backend, pool: BackendPool): BackendView {
  const { host, port, weight } = backend.settings;
  const { context } = backend.actor.getSnapshot();
  const { consecutiveFailures, consecutiveSuccesses, lastProbe, consecutiveErrors, timesEjected } = context;
  const state = statusOf(backend.actor);
  const { size, limit, leased, opened, reused, failed } = pool;
  const peer = selectorOf(core).peers.find((candidate) => candidate.backend === id);
  const idle = pool.idle.length;
  return {
    id,
    host,
    port,
    weight,
    effectiveWeight: peer?.effectiveWeight ?? weight,
    currentWeight: peer?.currentWeight ?? 0,
    state,
    consecutiveFailures,
    consecutiveSuccesses,
    lastProbe: lastProbe ?? null,
    consecutiveErrors,
    timesEjected,
    ejectedUntil: state === 'ejected' ? (context.ejectedUntil ?? null) : null,
    pausedUntil: peer !== undefined && peer.pausedUntil > core.at ? peer.pausedUntil : null,
    pool: {
      idle,
      leased,
      queued: poolOf(core).waiting.length,
      size,
      limit,
      total: idle + leased,
      opened,
      reused,
      failed,
    },
    requests: { total: backend.total, inFlight: leased, failed: backend.failed },
  };
}
