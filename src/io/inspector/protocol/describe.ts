/**
 * What of the actors may be seen, key by key: a field that is added to the core stays unseen until it is named here. Lists
 * are cut to a length, so that a message is bounded whatever the gateway holds.
 */
import type { BackendActor } from '../../../actors/backend.ts';
import type { PoolState } from '../../../actors/pool.ts';
import type { SelectorState } from '../../../actors/selector.ts';
import type { Plain, WireEvent, WireSnapshot } from './wire.ts';

/** How many of a list are shown; beside it stands how many there are. */
const SHOWN = 100;
const TEXT_CHARS = 300;

/** What events of a backend carry besides their type. */
const EVENT_FIELDS = ['at', 'status', 'latencyMs', 'reason', 'fall', 'rise', 'initial'] as const;

export function describeEvent(event: { readonly type: string; readonly [key: string]: unknown }): WireEvent {
  const shown: Record<string, Plain> = {};
  for (const field of EVENT_FIELDS) {
    const value = event[field];
    if (typeof value === 'string') shown[field] = value.slice(0, TEXT_CHARS);
    if (typeof value === 'number') shown[field] = value;
  }
  return { type: event.type, ...shown };
}

export function describeBackend(actor: BackendActor): WireSnapshot {
  const { status, value, context } = actor.getSnapshot();
  const { lastProbe } = context;
  return {
    status,
    value,
    context: {
      fall: context.fall,
      rise: context.rise,
      outlier: context.outlier && { ...context.outlier },
      consecutiveFailures: context.consecutiveFailures,
      consecutiveSuccesses: context.consecutiveSuccesses,
      passing: context.passing,
      lastProbe: lastProbe && { ...lastProbe, reason: lastProbe.reason.slice(0, TEXT_CHARS) },
      consecutiveErrors: context.consecutiveErrors,
      timesEjected: context.timesEjected,
      ejectedUntil: context.ejectedUntil,
      removed: context.removed,
      reason: context.reason.slice(0, TEXT_CHARS),
    },
    tags: [],
    children: {},
    historyValue: {},
  };
}

export function describeSelector({ peers }: SelectorState): WireSnapshot {
  return {
    status: 'active',
    context: {
      peers: peers.slice(0, SHOWN).map(({ backend, weight, currentWeight, healthy, hasRoom }) => ({
        backend,
        weight,
        currentWeight,
        healthy,
        hasRoom,
      })),
      peersTotal: peers.length,
    },
  };
}

export function describePool({ backends, leases, waiting, lastLease, lastSocket }: PoolState): WireSnapshot {
  return {
    status: 'active',
    context: {
      backends: Object.fromEntries(
        [...firstOf(backends)].map(([id, { size, idle, leased, opened, reused, failed }]) => [
          id,
          { size, idle: idle.length, leased, opened, reused, failed },
        ]),
      ),
      backendsTotal: backends.size,
      leases: [...firstOf(leases)].map(([lease, { request, backend, socket, reused, opened }]) => ({
        lease,
        request,
        backend,
        socket,
        reused,
        opened,
      })),
      leasesTotal: leases.size,
      waiting: waiting.slice(0, SHOWN),
      waitingTotal: waiting.length,
      lastLease,
      lastSocket,
    },
  };
}

/** Looks at no more of a map than is shown: there may be thousands of leases. */
function* firstOf<Key, Value>(map: ReadonlyMap<Key, Value>): Iterable<[Key, Value]> {
  let left = SHOWN;
  for (const entry of map) {
    if (left === 0) return;
    left -= 1;
    yield entry;
  }
}

/**
 * A machine's config as JSON, from which a tool draws it. Guards and actions are named in it; a function in its place has
 * its name, as the official adapter does it.
 */
export function describeMachine(config: object): string {
  return JSON.stringify(config, (_key, value: unknown) =>
    typeof value === 'function' ? { type: value.name } : value,
  );
}

/** What stands for the definition of an actor that is no machine. */
export function describeOther(name: string): string {
  return JSON.stringify({ id: name });
}
