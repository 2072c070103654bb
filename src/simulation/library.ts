/**
 * The recorded times of every backend, for what the record does not say: how a backend would have answered a request
 * that it was not asked. Drawn is from what it did near that time, and within one spell of its probes, so that an outage
 * stays an outage.
 */
import type { Fact, ProbeFailure, UpstreamFailure } from '../actors/events.ts';
import { type RecordedRun, type Service, servicesOf } from './recording.ts';
import { createSeries, type Series } from './series.ts';
import { createSpells, type Spell } from './spells.ts';

export type ProbeSample = {
  readonly at: number;
  readonly latencyMs: number;
  readonly result:
    | { readonly ok: true; readonly status: number }
    | { readonly ok: false; readonly reason: ProbeFailure };
};

/** `borrowed` when it comes from another backend. */
export type Drawn = { readonly service: Service; readonly borrowed: boolean };
export type DrawnConnect = { readonly ms: number; readonly failure: UpstreamFailure | undefined };

export type Library = {
  /** @param fresh whether the socket is a new one, which cannot turn out to be stale */
  drawAnswer(
    wanted: { backend: string; kind: string; fresh: boolean; at: number },
    random: () => number,
  ): Drawn | undefined;
  drawConnect(backend: string, at: number, random: () => number): DrawnConnect;
  /** The recorded probe of a backend nearest to a moment; undefined if there is none. */
  probeNear(backend: string, at: number): ProbeSample | undefined;
  /** Whether a backend did alike at both moments, as far as its probes tell. */
  isSameSpell(backend: string, one: number, other: number): boolean;
  /** How long a backend usually keeps an idle socket, if it was ever seen to close one. */
  idleMs(backend: string): number | undefined;
  /** Whether the record knows anything of this backend. */
  knows(backend: string): boolean;
};

/** Out of how many of the nearest is drawn: few enough to stay near in time, many enough to show the spread. */
const NEAREST = 10;
/** An answer that was waited for longer than nearly all others was not going to come. */
const HUNG_QUANTILE = 0.99;
const ALWAYS: Spell = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
/** Why a probe fails when there is nobody to connect to, so that a request would have fared alike. */
const CONNECT_FAILURES: readonly string[] = [
  'refused',
  'unresolved',
  'tls',
  'certExpired',
  'certWrongName',
  'certUntrusted',
  'connectTimeout',
];

type Shelf = {
  readonly answers: Series<Service>;
  readonly byKind: Map<string, Series<Service>>;
  readonly connects: Series<Service>;
  readonly probes: Series<ProbeSample>;
  readonly idle: number[];
};

export function createLibrary(runs: readonly RecordedRun[]): Library {
  const shelves = new Map<string, Shelf>();
  for (const run of runs) {
    const known = [
      run.snapshot.config,
      ...run.outside.map(({ fact }) => ('config' in fact ? fact.config : undefined)),
    ];
    for (const config of known) for (const { id } of config?.backends ?? []) shelfOf(shelves, id);
    for (const { at, fact } of run.outside) addProbe(shelves, at, fact);
    const limit = hungLimits(run);
    for (const service of servicesOf(run)) addService(shelfOf(shelves, service.backend), service, limit);
  }
  const everything = createShelf();
  for (const shelf of shelves.values()) {
    for (const service of shelf.answers.items()) everything.answers.add(service);
    for (const service of shelf.connects.items()) everything.connects.add(service);
  }
  return openLibrary(shelves, everything);
}

function openLibrary(shelves: ReadonlyMap<string, Shelf>, everything: Shelf): Library {
  const idle = new Map<string, number | undefined>();
  const spells = new Map<string, (at: number) => Spell>();
  for (const [backend, shelf] of shelves) {
    idle.set(backend, medianOf(shelf.idle));
    spells.set(backend, createSpells(shelf.probes.items().map(({ at, result: { ok } }) => ({ at, ok }))));
  }
  const spellOf = (backend: string, at: number) => spells.get(backend)?.(at) ?? ALWAYS;
  return {
    drawAnswer({ backend, kind, fresh, at }, random) {
      const fits = (service: Service) => !fresh || !wasStale(service);
      const shelf = shelves.get(backend);
      const spell = spellOf(backend, at);
      const own =
        shelf?.byKind.get(kind)?.draw({ at, ...spell, most: NEAREST, fits }, random) ??
        shelf?.answers.draw({ at, ...spell, most: NEAREST, fits }, random) ??
        shelf?.answers.draw({ at, ...ALWAYS, most: NEAREST, fits }, random);
      if (own !== undefined) return { service: own, borrowed: false };
      const other = everything.answers.draw({ at, ...ALWAYS, most: NEAREST, fits }, random);
      return other === undefined ? undefined : { service: other, borrowed: true };
    },
    drawConnect(backend, at, random) {
      const shelf = shelves.get(backend);
      const spell = spellOf(backend, at);
      const near = shelf?.connects.draw({ at, ...spell, most: NEAREST }, random);
      if (near !== undefined) return connectOf(near);
      const probe = shelf?.probes.nearest(at);
      if (probe !== undefined && !probe.result.ok && isConnectFailure(probe.result.reason)) {
        return { ms: probe.latencyMs, failure: probe.result.reason };
      }
      const other =
        shelf?.connects.draw({ at, ...ALWAYS, most: NEAREST }, random) ??
        everything.connects.draw({ at, ...ALWAYS, most: NEAREST }, random);
      return other === undefined ? { ms: 1, failure: undefined } : connectOf(other);
    },
    probeNear: (backend, at) => shelves.get(backend)?.probes.nearest(at),
    isSameSpell(backend, one, other) {
      const { from, to } = spellOf(backend, one);
      return other > from && other < to;
    },
    idleMs: (backend) => idle.get(backend),
    knows: (backend) => shelves.has(backend),
  };
}

function medianOf(values: readonly number[]): number | undefined {
  return values.toSorted((one, other) => one - other)[values.length >> 1];
}

function createShelf(): Shelf {
  return {
    answers: createSeries((service) => service.granted?.at ?? 0),
    byKind: new Map(),
    connects: createSeries((service) => service.requested?.at ?? 0),
    probes: createSeries((probe) => probe.at),
    idle: [],
  };
}

function shelfOf(shelves: Map<string, Shelf>, backend: string): Shelf {
  const known = shelves.get(backend);
  if (known !== undefined) return known;
  const shelf = createShelf();
  shelves.set(backend, shelf);
  return shelf;
}

function addProbe(shelves: Map<string, Shelf>, at: number, fact: Fact): void {
  if (fact.type !== 'probe.succeeded' && fact.type !== 'probe.failed') return;
  const { backend, latencyMs } = fact;
  const result =
    fact.type === 'probe.succeeded'
      ? ({ ok: true, status: fact.status } as const)
      : ({ ok: false, reason: fact.reason } as const);
  shelfOf(shelves, backend).probes.add({ at, latencyMs, result });
}

function addService(shelf: Shelf, service: Service, hungAfterMs: ReadonlyMap<string, number>): void {
  if (service.opened !== undefined) shelf.connects.add(service);
  if (service.idleClosed !== undefined) shelf.idle.push(service.idleClosed.ms);
  if (service.granted === undefined || service.partial) return;
  if (service.ended === undefined && !isHung(service, hungAfterMs)) return;
  shelf.answers.add(service);
  let ofKind = shelf.byKind.get(service.kind);
  if (ofKind === undefined) {
    ofKind = createSeries(({ granted }) => granted?.at ?? 0);
    shelf.byKind.set(service.kind, ofKind);
  }
  ofKind.add(service);
}

/** Whether the client left a backend that, by all it had done, was not going to answer. */
function isHung({ backend, started, abandonedMs }: Service, limits: ReadonlyMap<string, number>): boolean {
  return (
    started === undefined && abandonedMs !== undefined && abandonedMs > (limits.get(backend) ?? Infinity)
  );
}

function hungLimits(run: RecordedRun): Map<string, number> {
  const firstBytes = new Map<string, number[]>();
  for (const { backend, started, ended, partial } of servicesOf(run)) {
    // An answer that ends in the turn in which it begins has no start of its own.
    const first = started ?? (ended?.ok === true ? ended : undefined);
    if (first === undefined || partial) continue;
    const known = firstBytes.get(backend);
    if (known === undefined) firstBytes.set(backend, [first.ms]);
    else known.push(first.ms);
  }
  return new Map(
    [...firstBytes].map(([backend, times]) => {
      times.sort((one, other) => one - other);
      return [backend, times[Math.floor(times.length * HUNG_QUANTILE)] ?? Infinity];
    }),
  );
}

/** Whether a kept socket turned out to have been closed by the backend, which says nothing about new ones. */
export function wasStale({ reused, started, ended }: Service): boolean {
  return reused && started === undefined && ended?.ok === false && ended.reason !== 'headersTimeout';
}

function connectOf({ opened }: Service): DrawnConnect {
  if (opened === undefined) return { ms: 1, failure: undefined };
  return { ms: opened.ms, failure: opened.ok ? undefined : opened.reason };
}

function isConnectFailure(reason: ProbeFailure): reason is UpstreamFailure {
  return CONNECT_FAILURES.includes(reason);
}
