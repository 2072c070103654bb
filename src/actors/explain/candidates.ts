/**
 * Who could have taken a request, at the moment of a pick: each backend as the selector and the pool saw it, and what
 * spoke against it. A pick may stand in the middle of a step, so it is caught by watching the selector actor.
 */
import { statusOf } from '../backend.ts';
import { type Core, poolOf, poolOfBackend, selectorOf } from '../core.ts';
import type { BackendStatus } from '../events.ts';
import type { IdleSocket } from '../pool.ts';
import type { Change, History } from './history.ts';

/** A backend at one moment. */
export type Standing = {
  readonly backend: string;
  readonly state: BackendStatus;
  /** Since when it is in this state, in milliseconds since the epoch; null if that was before what the log knows. */
  readonly since: number | null;
  /** Why it is in this state, in words. */
  readonly reason: string;
  readonly weight: number;
  /** Less than its weight while it is in slow start. */
  readonly effectiveWeight: number;
  /** `limit` is how many leases it may have: fewer than its size while it is in slow start. */
  readonly pool: Readonly<Record<'leased' | 'idle' | 'size' | 'limit', number>>;
  readonly probes: {
    readonly consecutiveFailures: number;
    readonly consecutiveSuccesses: number;
    readonly fall: number;
    readonly rise: number;
    /** Why the last one failed, or `status 200`; null if there was none. */
    readonly last: string | null;
  };
};

/**
 * `later` is a backend that could have taken the request and whose turn it was not; `paused` one that asked to be left
 * alone, while there were others; `failed` failed it before.
 */
export type Verdict =
  | 'taken'
  | 'later'
  | 'paused'
  | 'full'
  | 'failed'
  | 'unhealthy'
  | 'ejected'
  | 'draining'
  | 'drained'
  | 'removed';

export type Candidate = Standing & {
  readonly verdict: Verdict;
  /** SWRR's running value; both are the same for a backend that could not take the request. */
  readonly currentWeight: Readonly<Record<'before' | 'after', number>>;
};

type Standee = Standing & {
  readonly currentWeight: number;
  /** Whether the selector had it for a choice, for a request that tried nothing yet. */
  readonly isOpen: boolean;
  readonly isPaused: boolean;
};

/** What the selector just did, before anything follows from it. */
export type Pick = {
  /** Where the decision about it stands among those of the entry, if there is one. */
  readonly index: number;
  readonly backend: string | undefined;
  readonly standees: readonly Standee[];
  /** The socket that a lease at the picked backend takes, unless it wants a new one. */
  readonly idleSocket: IdleSocket | undefined;
};

/** Notes every pick until it is stopped. @returns what stops it and hands out the picks */
export function watchPicks(core: Core, history: History): () => Pick[] {
  const picks: Pick[] = [];
  // Runs within the selector's `send`, so the pool is as the pick found it.
  const watching = core.selector.subscribe(({ context: { picked } }) => {
    picks.push({
      index: core.decisions.length,
      backend: picked,
      standees: standings(core, history),
      idleSocket: picked === undefined ? undefined : poolOfBackend(core, picked)?.idle.at(-1),
    });
  });
  return () => {
    watching.unsubscribe();
    return picks;
  };
}

/** Each backend as it is now, in the order of the config, those that are removed and still drain last. */
export function standings(core: Core, history: History): Standee[] {
  const peers = new Map(selectorOf(core).peers.map((peer) => [peer.backend, peer]));
  const order = new Set([...peers.keys(), ...core.backends.keys()]);
  return [...order].flatMap((id) => {
    const known = core.backends.get(id);
    if (known === undefined) return [];
    const { context } = known.actor.getSnapshot();
    const pool = poolOf(core).backends.get(id);
    const peer = peers.get(id);
    const state = statusOf(known.actor);
    return {
      backend: id,
      state,
      since: sinceWhen(history.changesOf(id).at(-1), state, core.at),
      reason: isDraining(state)
        ? context.removed
          ? 'removed from the config'
          : 'drained by an operator'
        : context.reason,
      weight: known.settings.weight,
      effectiveWeight: peer?.effectiveWeight ?? known.settings.weight,
      pool: {
        leased: pool?.leased ?? 0,
        idle: pool?.idle.length ?? 0,
        size: pool?.size ?? 0,
        limit: pool?.limit ?? 0,
      },
      probes: {
        consecutiveFailures: context.consecutiveFailures,
        consecutiveSuccesses: context.consecutiveSuccesses,
        fall: context.fall,
        rise: context.rise,
        last: context.lastProbe?.reason ?? null,
      },
      currentWeight: peer?.currentWeight ?? 0,
      isOpen: peer?.healthy === true && peer.hasRoom,
      isPaused: (peer?.pausedUntil ?? 0) > core.at,
    };
  });
}

/** A change in the entry at hand is not in the history yet. */
function sinceWhen(last: Change | undefined, state: BackendStatus, now: number): number | null {
  if (last === undefined) return null;
  return last.to === state ? last.at : now;
}

function isDraining(state: BackendStatus): boolean {
  return state === 'draining' || state === 'drained';
}

/**
 * Works out from the state after a pick what stood before it.
 *
 * @param tried backends that failed the request before
 */
export function judgeCandidates({ backend, standees }: Pick, tried: readonly string[]): Candidate[] {
  const isAble = (standee: Standee) => standee.isOpen && !tried.includes(standee.backend);
  // Where all that could take it are paused, none counts as such.
  const arePausedOut = standees.some((standee) => isAble(standee) && !standee.isPaused);
  const isEligible = (standee: Standee) => isAble(standee) && !(arePausedOut && standee.isPaused);
  const total = standees.reduce(
    (sum, standee) => sum + (isEligible(standee) ? standee.effectiveWeight : 0),
    0,
  );
  return standees.map((standee) => {
    const { currentWeight: after, isOpen: _, isPaused: __, ...standing } = standee;
    const isPicked = standing.backend === backend;
    const raised = backend !== undefined && isEligible(standee) ? standing.effectiveWeight : 0;
    const before = after - raised + (isPicked ? total : 0);
    const verdict = isPicked ? 'taken' : judge(standee, isEligible(standee), tried);
    return { ...standing, verdict, currentWeight: { before, after } };
  });
}

function judge({ backend, state, isOpen }: Standee, isEligible: boolean, tried: readonly string[]): Verdict {
  if (state !== 'healthy') return state;
  if (tried.includes(backend)) return 'failed';
  if (!isOpen) return 'full';
  return isEligible ? 'later' : 'paused';
}

/** The candidates where nothing is picked, such as at the end of a wait. */
export function lookAround(core: Core, history: History, tried: readonly string[]): Candidate[] {
  const pick: Pick = {
    index: 0,
    backend: undefined,
    standees: standings(core, history),
    idleSocket: undefined,
  };
  return judgeCandidates(pick, tried);
}
