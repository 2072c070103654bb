/** Writes down the life of one backend while the log goes by. */
import { statusOf } from '../backend.ts';
import { type Core, poolOf, poolOfBackend } from '../core.ts';
import type { BackendSettings, CoreConfig, Decision, Entry, Fact } from '../events.ts';
import { present } from '../present.ts';
import type { BackendNote, BackendPeriod, BackendStretch } from './backend-life.ts';
import { type Change, changesIn, type Instant } from './history.ts';
import type { Scene, Stretch, Watcher } from './playback.ts';
import { createSimilarIds } from './similar.ts';

export type BackendReport = {
  /** One for each stretch of the log in which there was such a backend; empty if there never was. */
  readonly stretches: readonly BackendStretch[];
  /** Every backend in the log, and those whose id is like the one asked for. */
  readonly known: readonly string[];
  readonly similar: readonly string[];
};

/** What a reload replaces. */
type Before = { readonly config: CoreConfig; readonly settings: BackendSettings | undefined };

export type BackendWatch = Watcher & { report(): BackendReport };

/** Runs of probes told apart within a period. */
const RUNS_KEPT = 20;
const KNOWN_KEPT = 100;

type OpenStretch = { readonly stretch: Stretch; settings: BackendSettings | null; periods: BackendPeriod[] };

export function watchBackend(id: string): BackendWatch {
  const stretches: OpenStretch[] = [];
  const known = new Set<string>();
  const similar = createSimilarIds(id);
  let open: OpenStretch | undefined;
  let period: BackendPeriod | undefined;
  let before: Before | undefined;
  let isStale = false;

  const enter = (change: Change, scene: Scene) => {
    if (period !== undefined) period.until = change.at;
    if (open === undefined) {
      open = { stretch: scene.stretch, settings: null, periods: [] };
      stretches.push(open);
    }
    period = createPeriod(change);
    open.periods.push(period);
    if (change.to === 'removed') {
      period.until = change.at;
      period = undefined;
    }
  };

  const meetBackends = (core: Core) => {
    for (const other of core.backends.keys()) {
      if (known.size < KNOWN_KEPT) known.add(other);
      if (other !== id) similar.offer(other);
    }
  };

  return {
    begin(scene) {
      open = undefined;
      period = undefined;
      meetBackends(scene.core);
      const backend = scene.core.backends.get(id);
      if (backend === undefined) return;
      const { reason } = backend.actor.getSnapshot().context;
      const to = statusOf(backend.actor);
      enter({ ...instantOf(scene.stretch), backend: id, from: null, to, reason }, scene);
    },
    before({ fact }, { core }) {
      isStale = fact.type === 'response.failed' && isStaleSocket(fact, core);
      const isReload = fact.type === 'config.reloaded';
      before = isReload ? { config: core.config, settings: core.backends.get(id)?.settings } : undefined;
    },
    after(entry, scene) {
      const { fact, decisions } = entry;
      if (fact.type === 'config.reloaded' || fact.type === 'gateway.started') meetBackends(scene.core);
      if (period !== undefined) {
        noteFact(period, entry, fact, id);
        const note = reloadNote(entry, scene.core, before, id);
        if (note !== undefined) period.notes.push(note);
      }
      for (const change of changesIn(entry, scene.core)) if (change.backend === id) enter(change, scene);
      if (period === undefined || open === undefined) return;
      period.lastAt = entry.at;
      for (const decision of decisions) noteDecision(period, decision, { fact, isStale, id });
      if (decisions.length > 0) {
        const { leased } = present(poolOfBackend(scene.core, id), 'the pool of a backend');
        if (leased > period.leases.peak) period.leases.peak = leased;
      }
      open.settings = present(scene.core.backends.get(id), 'a backend').settings;
    },
    report: () => ({ stretches, known: [...known], similar: similar.found() }),
  };
}

function instantOf({ seq, at }: Instant): Instant {
  return { seq, at };
}

function createPeriod({ seq, at, from, to, reason }: Change): BackendPeriod {
  return {
    ...{ state: to, from, reason, seq, at, until: null, lastAt: at },
    probes: { succeeded: 0, failed: 0, runs: [], earlierRuns: 0 },
    leases: { granted: 0, ended: 0, failed: 0, aborted: 0, discarded: 0, unopened: 0, peak: 0 },
    failures: {},
    sockets: { opened: 0, reused: 0, closedByBackend: 0, evicted: {} },
    notes: [],
  };
}

function noteFact(period: BackendPeriod, { seq, at }: Entry, fact: Fact, id: string): void {
  if (!('backend' in fact) || fact.backend !== id) return;
  switch (fact.type) {
    case 'probe.succeeded':
      noteProbe(period, at, true, `status ${fact.status}`, fact.latencyMs);
      break;
    case 'probe.failed':
      noteProbe(period, at, false, fact.reason, fact.latencyMs);
      break;
    case 'socket.closed':
      period.sockets.closedByBackend += 1;
      break;
    case 'operator.drained':
      period.notes.push({ seq, at, type: 'operator', action: 'drained' });
      break;
    case 'operator.restored':
      period.notes.push({ seq, at, type: 'operator', action: 'restored' });
      break;
    default:
  }
}

function noteProbe(
  { probes }: BackendPeriod,
  at: number,
  ok: boolean,
  reason: string,
  latencyMs: number,
): void {
  if (ok) probes.succeeded += 1;
  else probes.failed += 1;
  let run = probes.runs.at(-1);
  if (run?.ok !== ok) {
    run = { ok, count: 0, from: at, until: at, reasons: {}, slowestMs: 0 };
    probes.runs.push(run);
    if (probes.runs.length > RUNS_KEPT) {
      probes.runs.shift();
      probes.earlierRuns += 1;
    }
  }
  run.count += 1;
  run.until = at;
  run.reasons[reason] = (run.reasons[reason] ?? 0) + 1;
  run.slowestMs = Math.max(run.slowestMs, latencyMs);
}

/** Whether a kept socket turned out to be closed, which says nothing against the backend. */
function isStaleSocket(
  { request, lease, reason }: Extract<Fact, { type: 'response.failed' }>,
  core: Core,
): boolean {
  const isLoss = reason === 'refused' || reason === 'reset' || reason === 'closed';
  const isAnswering = core.requests.get(request)?.phase === 'answering';
  return isLoss && !isAnswering && poolOf(core).leases.get(lease)?.reused === true;
}

function noteDecision(
  { leases, sockets, failures }: BackendPeriod,
  decision: Decision,
  { fact, isStale, id }: { readonly fact: Fact; readonly isStale: boolean; readonly id: string },
): void {
  if (!('backend' in decision) || decision.backend !== id) return;
  switch (decision.type) {
    case 'lease.granted':
      leases.granted += 1;
      if (decision.reused) sockets.reused += 1;
      else sockets.opened += 1;
      break;
    case 'lease.released':
      leases[decision.outcome] += 1;
      if (fact.type === 'response.failed' || fact.type === 'socket.failed') {
        const reason = isStale ? 'stale-socket' : fact.reason;
        failures[reason] = (failures[reason] ?? 0) + 1;
      } else if (isAnswer(fact) && fact.status >= 500) {
        failures[`status ${fact.status}`] = (failures[`status ${fact.status}`] ?? 0) + 1;
      }
      break;
    case 'socket.evicted':
      sockets.evicted[decision.reason] = (sockets.evicted[decision.reason] ?? 0) + 1;
      break;
    default:
  }
}

/** A fact that ends a lease with a status: the end of an answer, or the head of one that is thrown away. */
function isAnswer(fact: Fact): fact is Extract<Fact, { type: 'response.started' | 'response.ended' }> {
  return fact.type === 'response.started' || fact.type === 'response.ended';
}

/** What a reload changed about the backend; undefined if nothing, or if it was not there before. */
function reloadNote(
  { seq, at }: Entry,
  core: Core,
  before: Before | undefined,
  id: string,
): BackendNote | undefined {
  const after = core.backends.get(id)?.settings;
  if (before?.settings === undefined || after === undefined) return undefined;
  const address = ({ protocol, host, port }: BackendSettings) => `${protocol}://${host}:${port}`;
  const pairs: [string, string | number, string | number][] = [
    ['weight', before.settings.weight, after.weight],
    ['address', address(before.settings), address(after)],
    ['health.fall', before.config.health.fall, core.config.health.fall],
    ['health.rise', before.config.health.rise, core.config.health.rise],
    ['pool.size', before.config.pool.size, core.config.pool.size],
  ];
  const changes = pairs.flatMap(([name, from, to]) => (from === to ? [] : [`${name} ${from} → ${to}`]));
  return changes.length === 0 ? undefined : { seq, at, type: 'reload', changes };
}
