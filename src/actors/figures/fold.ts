/**
 * The fold that makes figures of entries: the daemon folds each entry as it comes, replay folds what was recorded, and
 * both get the same. It relies on decisions where it can, since a fact that came too late has none and counts for nothing.
 *
 * It stands on the way of every entry, so it does arithmetic on plain numbers and looks up small keys, and no more.
 */
import { assertNever } from '../assert-never.ts';
import type { CoreConfig, Decision, Entry, Fact, UpstreamFailure } from '../events.ts';
import { classOf, withoutNumber } from './classes.ts';
import {
  type BackendFigures,
  createBackendFigures,
  createFigures,
  createFlight,
  type FailureReason,
  type Figures,
  type Flight,
  type Outcome,
} from './figures.ts';
import { observe } from './histogram.ts';

/**
 * Adds an entry to the figures, which are changed in place. A start of the gateway begins them anew, as the figures of a
 * process do.
 */
export function foldEntry(figures: Figures, { at, fact, decisions }: Entry): void {
  if (fact.type === 'gateway.started') beginRun(figures, fact.version, at);
  figures.facts[fact.type] += 1;
  takeFact(figures, fact, decisions, at);
  for (const decision of decisions) takeDecision(figures, decision, at);
}

function beginRun(figures: Figures, version: string, at: number): void {
  Object.assign(figures, createFigures());
  figures.version = version;
  figures.startedAt = at;
}

function takeFact(figures: Figures, fact: Fact, decisions: readonly Decision[], at: number): void {
  switch (fact.type) {
    case 'gateway.started':
      takeConfig(figures, fact.config);
      break;
    case 'config.reloaded':
      takeConfig(figures, fact.config);
      figures.reloadsApplied += 1;
      figures.isLastReloadRefused = false;
      break;
    case 'config.rejected':
      figures.reloadsRefused += 1;
      figures.isLastReloadRefused = true;
      break;
    case 'probe.succeeded':
    case 'probe.failed':
      takeProbe(figures, fact);
      break;
    case 'request.received':
      figures.flights.set(fact.request, createFlight(at));
      break;
    case 'response.started':
      if (!isDiscarded(decisions)) beginAnswer(figures.flights.get(fact.request), fact.lease, at);
      break;
    case 'response.ended':
      if (isReleased(decisions)) endAnswer(figures, fact, at);
      break;
    case 'response.failed':
      if (isReleased(decisions)) failAnswer(figures, fact);
      break;
    case 'socket.failed':
      failConnection(figures, fact.reason, decisions);
      break;
    case 'client.aborted':
      abort(figures, fact.request, at);
      break;
    default:
      break;
  }
}

function takeDecision(figures: Figures, decision: Decision, at: number): void {
  switch (decision.type) {
    case 'backend.selected':
      take(figures, decision, at);
      break;
    case 'lease.granted':
      send(figures.flights.get(decision.request), decision, at);
      break;
    case 'request.queued':
      queue(figures.flights.get(decision.request), at);
      break;
    case 'request.retried':
      retry(figures, decision);
      break;
    case 'request.rejected':
      reject(figures, decision, at);
      break;
    case 'backend.changed':
      change(figures, decision);
      break;
    case 'socket.evicted': {
      const backend = figures.backends.get(decision.backend);
      if (backend !== undefined) backend.evictions[decision.reason] += 1;
      break;
    }
    case 'response.passed':
      if (decision.because === 'budgetExhausted') figures.withheldRetries += 1;
      break;
    case 'socket.requested':
    case 'lease.released':
    case 'response.discarded':
    case 'backend.paused':
    case 'config.applied':
    case 'gateway.stopped':
      break;
    default:
      assertNever(decision);
  }
}

/** A backend that is in the config no longer keeps its figures until it is removed, since it may return before. */
function takeConfig(figures: Figures, { backends, pool }: CoreConfig): void {
  for (const { id } of backends) {
    if (!figures.backends.has(id)) figures.backends.set(id, createBackendFigures());
  }
  figures.queueMax = pool.queue.max;
}

function change(
  { backends }: Figures,
  { backend, to }: Extract<Decision, { type: 'backend.changed' }>,
): void {
  if (to === 'removed') {
    backends.delete(backend);
    return;
  }
  const figures = backends.get(backend);
  if (figures !== undefined) figures.changes[to] += 1;
}

type Probe = Extract<Fact, { type: 'probe.succeeded' | 'probe.failed' }>;

/** The result of a probe that was under way when its backend went is dropped. */
function takeProbe({ backends }: Figures, { type, backend, latencyMs }: Probe): void {
  const figures = backends.get(backend);
  if (figures === undefined) return;
  if (type === 'probe.succeeded') figures.probesSucceeded += 1;
  else figures.probesFailed += 1;
  observe(figures.probe, latencyMs);
}

type Selected = Extract<Decision, { type: 'backend.selected' }>;

function take({ backends, flights, queueWait }: Figures, { request, backend }: Selected, at: number): void {
  const figures = backends.get(backend);
  if (figures !== undefined) figures.picks += 1;
  const flight = flights.get(request);
  if (flight === undefined) return;
  if (flight.queuedAt >= 0) observe(queueWait, at - flight.queuedAt);
  flight.queuedAt = -1;
  flight.phase = 'connecting';
  flight.backend = figures;
  flight.reused = false;
}

type Granted = Extract<Decision, { type: 'lease.granted' }>;

function send(flight: Flight | undefined, { lease, reused }: Granted, at: number): void {
  if (flight === undefined) return;
  flight.phase = 'sent';
  flight.lease = lease;
  flight.sentAt = at;
  flight.reused = reused;
}

function queue(flight: Flight | undefined, at: number): void {
  if (flight === undefined) return;
  flight.phase = 'waiting';
  flight.queuedAt = at;
}

/** The head of an answer; one that ends in the same turn has no fact of its own for it. */
function beginAnswer(flight: Flight | undefined, lease: number, at: number): void {
  if (flight?.phase !== 'sent' || flight.lease !== lease) return;
  flight.phase = 'answering';
  flight.answeredAt = at;
  const { backend, receivedAt, sentAt } = flight;
  if (backend === undefined) return;
  if (receivedAt >= 0) observe(backend.firstByte, at - receivedAt);
  if (sentAt >= 0) observe(backend.ownFirstByte, at - sentAt);
}

function endAnswer(figures: Figures, fact: Extract<Fact, { type: 'response.ended' }>, at: number): void {
  const flight = figures.flights.get(fact.request);
  if (flight === undefined) return;
  const { status, bytes, chunks } = fact;
  const wasBegun = flight.phase === 'answering';
  if (!wasBegun) beginAnswer(flight, fact.lease, at);
  const { backend, receivedAt, answeredAt } = flight;
  if (backend !== undefined) {
    if (receivedAt >= 0) observe(backend.duration, at - receivedAt);
    if (wasBegun && chunks > 1 && answeredAt >= 0) {
      observe(backend.chunkInterval, (at - answeredAt) / (chunks - 1));
    }
    backend.bytes += bytes;
    backend.chunks += chunks;
  }
  finish(figures, fact.request, backend, classOf(status));
}

/** Before the first byte the request goes elsewhere or is rejected, as the decisions tell; after it, this is the end. */
function failAnswer(figures: Figures, fact: Extract<Fact, { type: 'response.failed' }>): void {
  const flight = figures.flights.get(fact.request);
  if (flight === undefined) return;
  const { backend } = flight;
  if (backend !== undefined) {
    backend.failures[failureOf(flight, fact.reason)] += 1;
    backend.bytes += fact.bytes;
    backend.chunks += fact.chunks;
  }
  if (flight.phase === 'answering') finish(figures, fact.request, backend, 'broken');
}

function failConnection(
  { backends }: Figures,
  reason: UpstreamFailure,
  decisions: readonly Decision[],
): void {
  const [released] = decisions;
  if (released?.type !== 'lease.released') return;
  const figures = backends.get(released.backend);
  if (figures !== undefined) figures.failures[reason] += 1;
}

type Retried = Extract<Decision, { type: 'request.retried' }>;

function retry({ retries, flights }: Figures, { request, reason }: Retried): void {
  const flight = flights.get(request);
  retries[flight === undefined ? withoutNumber(reason) : failureOf(flight, withoutNumber(reason))] += 1;
  if (flight !== undefined) flight.phase = 'waiting';
}

function reject(
  figures: Figures,
  decision: Extract<Decision, { type: 'request.rejected' }>,
  at: number,
): void {
  const { request, code, withheld } = decision;
  figures.rejections[code] += 1;
  if (withheld !== undefined) figures.withheldRetries += 1;
  noteWait(figures, request, at);
  finish(figures, request, undefined, '5xx');
}

/** A fact about a client whose request has ended otherwise finds no flight. */
function abort(figures: Figures, request: number, at: number): void {
  const flight = figures.flights.get(request);
  if (flight === undefined) return;
  figures.aborts[flight.phase] += 1;
  noteWait(figures, request, at);
  finish(figures, request, flight.phase === 'waiting' ? undefined : flight.backend, 'aborted');
}

/** The wait of a request that leaves the line without having been served. */
function noteWait({ flights, queueWait }: Figures, request: number, at: number): void {
  const queuedAt = flights.get(request)?.queuedAt ?? -1;
  if (queuedAt >= 0) observe(queueWait, at - queuedAt);
}

function finish(
  figures: Figures,
  request: number,
  backend: BackendFigures | undefined,
  outcome: Outcome,
): void {
  (backend ?? figures).outcomes[outcome] += 1;
  figures.flights.delete(request);
}

/** The end of a lease is the first decision about the fact that ends it. */
function isReleased(decisions: readonly Decision[]): boolean {
  return decisions[0]?.type === 'lease.released';
}

/** Nothing of such an answer reached the client. */
function isDiscarded(decisions: readonly Decision[]): boolean {
  return decisions.some(({ type }) => type === 'response.discarded');
}

/** As the core judges it: a kept socket that is lost before the first byte was most likely closed already. */
function failureOf({ reused, phase }: Flight, reason: UpstreamFailure | 'status'): FailureReason {
  const isLoss = reason === 'refused' || reason === 'reset' || reason === 'closed';
  return reused && isLoss && phase !== 'answering' ? 'stale' : reason;
}
