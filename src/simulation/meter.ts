/**
 * Measures the course of a gateway from its facts and decisions: the fate of each request, the states of each backend,
 * and what happened in each second. The record and the simulated course go through the same meter.
 */
import type { BackendStatus, CoreConfig, Decision, Fact, RejectionCode } from '../actors/events.ts';
import type { CoreSnapshot } from '../actors/snapshot.ts';
import { createRequestMeter } from './request-meter.ts';

/** How a request ended. `error`: the backend itself answered with a status of 500 or more. */
export type Outcome = 'served' | 'error' | 'broken' | 'aborted' | 'underWay' | RejectionCode;

export type Fate = {
  readonly request: number;
  readonly requestId: string;
  readonly at: number;
  outcome: Outcome;
  /** The backend it was given to last. */
  backend: string | undefined;
  /** Time in the queue; undefined if it never waited. */
  waitedMs: number | undefined;
  firstByteMs: number | undefined;
  totalMs: number | undefined;
  retries: number;
};

export type BackendCounts = {
  /** Leases, so that a request which was retried counts at each of its backends. */
  requests: number;
  /** Answers of a status of 500 or more. */
  errors: number;
  /** Connections that did not open, and answers that did not come or broke off. */
  failures: number;
  socketsOpened: number;
  stateChanges: number;
};

/** A backend in one state; `state` undefined while it is not configured or not known. */
export type Band = { readonly from: number; to: number; readonly state: BackendStatus | undefined };

/** `failed`: answered with 500 or more, or broken off. */
export type Second = { received: number; rejected: number; failed: number; mostWaiting: number };

export type Measured = {
  readonly fates: readonly Fate[];
  readonly backends: ReadonlyMap<string, BackendCounts>;
  readonly bands: ReadonlyMap<string, readonly Band[]>;
  /** By the second since the epoch; seconds in which nothing happened are left out. */
  readonly seconds: ReadonlyMap<number, Second>;
};

type Happening = { readonly at: number; readonly fact: Fact; readonly decisions: readonly Decision[] };

export type Meter = {
  begin(at: number, snapshot: CoreSnapshot): void;
  take(happening: Happening): void;
  /** Ends the run at hand. */
  end(at: number): void;
  readonly measured: Measured;
};

export function createMeter(): Meter {
  const backends = new Map<string, BackendCounts>();
  const bands = new Map<string, Band[]>();
  const seconds = new Map<number, Second>();
  const countsOf = (backend: string) => known(backends, backend, newCounts);
  const secondOf = (at: number) => known(seconds, Math.floor(at / 1000), newSecond);
  const requests = createRequestMeter(countsOf, secondOf);

  const enter = (backend: string, state: BackendStatus | undefined, at: number) => {
    const list = known(bands, backend, () => []);
    const last = list.at(-1);
    if (last !== undefined) last.to = at;
    if (last?.state !== state) list.push({ from: at, to: at, state });
  };

  const noteConfig = (config: CoreConfig, added: readonly string[], at: number) => {
    for (const id of added) {
      countsOf(id);
      // One that comes back tells of its state itself.
      if (bands.get(id)?.at(-1)?.state === undefined) enter(id, config.health.initial, at);
    }
  };

  return {
    begin(at, snapshot) {
      for (const id of bands.keys()) enter(id, undefined, at);
      for (const { settings, status } of snapshot.backends) {
        countsOf(settings.id);
        enter(settings.id, status, at);
      }
      requests.cut();
    },
    take({ at, fact, decisions }) {
      requests.take(fact, decisions, at);
      for (const decision of decisions) {
        if (decision.type === 'backend.changed') {
          countsOf(decision.backend).stateChanges += 1;
          enter(decision.backend, decision.to === 'removed' ? undefined : decision.to, at);
        } else if (decision.type === 'config.applied' && 'config' in fact) {
          noteConfig(fact.config, decision.added, at);
        }
      }
    },
    end(at) {
      for (const list of bands.values()) {
        const last = list.at(-1);
        if (last !== undefined) last.to = Math.max(at, last.to);
      }
      requests.cut();
    },
    measured: { fates: requests.fates, backends, bands, seconds },
  };
}

function known<Key, Value>(map: Map<Key, Value>, key: Key, create: () => Value): Value {
  const value = map.get(key) ?? create();
  if (!map.has(key)) map.set(key, value);
  return value;
}

function newCounts(): BackendCounts {
  return { requests: 0, errors: 0, failures: 0, socketsOpened: 0, stateChanges: 0 };
}

function newSecond(): Second {
  return { received: 0, rejected: 0, failed: 0, mostWaiting: 0 };
}
