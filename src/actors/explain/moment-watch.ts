/** Remembers what the state alone does not tell of a moment: since when requests are there, and what came just before. */
import { poolOf } from '../core.ts';
import type { Entry } from '../events.ts';
import { present } from '../present.ts';
import { type Standing, standings } from './candidates.ts';
import { type Change, changesIn } from './history.ts';
import type { Scene, Stretch, Watcher } from './playback.ts';

/** A request under way at a moment; null is what the log does not tell, such as of one that came before it begins. */
export type RequestNow = {
  readonly request: number;
  readonly requestId: string | null;
  readonly path: string | null;
  readonly arrivedAt: number | null;
  readonly phase: 'waiting' | 'connecting' | 'sent' | 'answering';
  /** Null while it waits. */
  readonly backend: string | null;
  readonly retries: number;
  /** Of one that waits: since when. */
  readonly queuedAt: number | null;
};

export type BackendNow = Standing & {
  readonly currentWeight: number;
  readonly requests: { readonly total: number; readonly failed: number };
};

export type MomentReport = {
  readonly stretch: Stretch;
  readonly phase: 'running' | 'stopping' | 'stopped';
  readonly backends: readonly BackendNow[];
  /** In their order in line. */
  readonly waiting: readonly RequestNow[];
  readonly queue: { readonly max: number; readonly timeoutMs: number };
  /** Oldest first. */
  readonly inFlight: readonly RequestNow[];
  /** The last changes of backends and of the config, and the last entries of any kind, oldest first. */
  readonly lastChanges: readonly (Change | ConfigChange)[];
  readonly lastEntries: readonly Entry[];
};

/** Something else than a backend's own change that changes how requests fare. */
export type ConfigChange = {
  readonly seq: number;
  readonly at: number;
  readonly fact:
    | 'gateway.started'
    | 'config.reloaded'
    | 'config.rejected'
    | 'gateway.stopping'
    | 'listener.closed';
};

export type MomentWatch = Watcher & { report(scene: Scene): MomentReport };

const ENTRIES_KEPT = 10;
const CHANGES_KEPT = 10;

type Arrival = { readonly requestId: string; readonly path: string; readonly arrivedAt: number };

export function watchMoment(): MomentWatch {
  const arrivals = new Map<number, Arrival>();
  let lastChanges: (Change | ConfigChange)[] = [];
  let lastEntries: Entry[] = [];

  return {
    begin({ stretch }) {
      if (stretch.began !== 'gap') arrivals.clear();
      lastChanges = [];
      lastEntries = [];
    },
    before() {},
    after(entry, { core }) {
      const { fact, at, decisions } = entry;
      lastEntries.push(entry);
      if (lastEntries.length > ENTRIES_KEPT * 8) lastEntries = lastEntries.slice(-ENTRIES_KEPT);
      if (fact.type === 'request.received') {
        arrivals.set(fact.request, { requestId: fact.requestId, path: fact.path, arrivedAt: at });
      } else if ('request' in fact && !core.requests.has(fact.request)) arrivals.delete(fact.request);
      for (const decision of decisions) {
        if (decision.type === 'request.rejected') arrivals.delete(decision.request);
      }
      const changes = [...configChanges(entry), ...changesIn(entry, core)];
      if (changes.length > 0) lastChanges = [...lastChanges, ...changes].slice(-CHANGES_KEPT);
    },
    report(scene) {
      const { core, history, stretch } = scene;
      const { waiting } = poolOf(core);
      const requests = [...core.requests.keys()].map((request) => requestNow(request, scene, arrivals));
      return {
        stretch,
        phase: core.phase,
        backends: standings(core, history).map(({ isOpen: _, isPaused: __, ...standing }) => {
          const { total, failed } = present(core.backends.get(standing.backend), 'a backend');
          return { ...standing, requests: { total, failed } };
        }),
        waiting: waiting.map((request) => requestNow(request, scene, arrivals)),
        queue: core.config.pool.queue,
        inFlight: requests.filter(({ phase }) => phase !== 'waiting'),
        lastChanges,
        lastEntries: lastEntries.slice(-ENTRIES_KEPT),
      };
    },
  };
}

function configChanges({ seq, at, fact: { type } }: Entry): ConfigChange[] {
  switch (type) {
    case 'gateway.started':
    case 'config.reloaded':
    case 'config.rejected':
    case 'gateway.stopping':
    case 'listener.closed':
      return [{ seq, at, fact: type }];
    default:
      return [];
  }
}

function requestNow(request: number, { core }: Scene, arrivals: ReadonlyMap<number, Arrival>): RequestNow {
  const known = present(core.requests.get(request), 'a request under way');
  const lease = known.lease === undefined ? undefined : poolOf(core).leases.get(known.lease);
  const { requestId = null, path = null, arrivedAt = null } = arrivals.get(request) ?? {};
  const isWaiting = known.phase === 'waiting';
  const phase = isWaiting
    ? 'waiting'
    : known.phase === 'answering'
      ? 'answering'
      : lease?.opened === true
        ? 'sent'
        : 'connecting';
  return {
    ...{ request, requestId, path, arrivedAt, phase },
    backend: lease?.backend ?? null,
    retries: known.attempts,
    queuedAt: isWaiting ? known.queuedAt : null,
  };
}
