/**
 * Surroundings made of a record: a backend answers a request with the times it took for that request; for a request it
 * did not serve, with one of its answers near in time.
 */
import type { Evidence } from './evidence.ts';
import { type Library, wasStale } from './library.ts';
import { createRandom, seedFrom } from './random.ts';
import type { AnswerHead, Point, RecordedRun, Service, Wait } from './recording.ts';
import type {
  Answer,
  Ending,
  Grant,
  IdleSocket,
  Moment,
  Opening,
  SocketRequest,
  Surroundings,
  Timing,
} from './world.ts';

/** Limits that the daemon sets on its sockets: as they were, and as they are to be. */
export type SocketLimits = { readonly connectTimeoutMs: number; readonly headersTimeoutMs: number };

export type RecordedBackendsOptions = {
  readonly run: RecordedRun;
  readonly library: Library;
  readonly evidence: Evidence;
  readonly before: SocketLimits;
  readonly after: SocketLimits;
  readonly seed: number;
};

/** What a lease goes by: a recorded one, and whether it is that very one. */
type Basis = { readonly service: Service; readonly own: boolean; grantedAt: number };

type RandomFor = (...parts: readonly (number | string)[]) => () => number;

export function createRecordedBackends(options: RecordedBackendsOptions): Surroundings {
  const { run, library, seed } = options;
  /** Recorded leases and waits that have been had, each once. */
  const had = new Set<Service | Wait>();
  /** By lease: the recorded one of the same request at the same backend. */
  const own = new Map<number, Service>();
  const bases = new Map<number, Basis>();

  const takeOwn = (request: number, backend: string): Service | undefined => {
    let service = run.services.get(request);
    while (service !== undefined && (service.backend !== backend || had.has(service))) service = service.next;
    if (service !== undefined) had.add(service);
    return service;
  };
  // What one request draws does not depend on what others drew before it.
  const randomFor: RandomFor = (...parts) => createRandom(seedFrom(seed, run.start.seq, ...parts));

  return {
    open(wanted, now) {
      const service = takeOwn(wanted.request, wanted.backend);
      if (service !== undefined) own.set(wanted.lease, service);
      const opening = openAsRecorded(service, now, options) ?? drawOpening(wanted, now, options, randomFor);
      return opening === 'unseen' ? undefined : opening;
    },
    answer(grant, now) {
      const service = own.get(grant.lease) ?? takeOwn(grant.request, grant.backend);
      own.delete(grant.lease);
      const basis = chooseBasis(grant, service, now, options, randomFor);
      if (basis === undefined) return {};
      bases.set(grant.lease, basis);
      return answerLike(basis, now, options);
    },
    keep(socket, now) {
      const basis = socket.lease === undefined ? undefined : bases.get(socket.lease);
      if (socket.lease !== undefined) bases.delete(socket.lease);
      return basis === undefined
        ? keepFromStart(socket, now, options)
        : keepLike(basis, socket, now, library);
    },
    deadline(request, deadline, now) {
      const wait = run.waits.get(request)?.find((each) => each.deadline === deadline && !had.has(each));
      if (wait !== undefined) had.add(wait);
      if (wait?.fired !== undefined) return { afterMs: wait.fired.at - now.at, rank: wait.fired.seq };
      // A timer may come late: whoever was recorded as waiting until then had not been woken before.
      return { afterMs: Math.max(now.at, deadline, wait?.leftAt ?? deadline) - now.at };
    },
    ejection(backend, deadline, now) {
      const same = run.ejections.find((each) => each.backend === backend && each.deadline === deadline);
      const fired = same?.fired;
      return fired === undefined
        ? { afterMs: Math.max(0, deadline - now.at) }
        : { afterMs: fired.at - now.at, rank: fired.seq };
    },
  };
}

function drawOpening(
  { request, backend }: SocketRequest,
  now: Moment,
  { evidence, library, after }: RecordedBackendsOptions,
  randomFor: RandomFor,
): Opening {
  evidence.assume(now);
  const { ms, failure } = library.drawConnect(backend, now.at, randomFor('connect', request, backend));
  const opening: Opening =
    failure === undefined ? { afterMs: ms, ok: true } : { afterMs: ms, ok: false, reason: failure };
  return limitOpening(opening, after);
}

/** @returns undefined if the record does not say, `unseen` if the client had left, or the run ended, before it opened */
function openAsRecorded(
  service: Service | undefined,
  now: Moment,
  { evidence, before, after, library }: RecordedBackendsOptions,
): Opening | 'unseen' | undefined {
  if (service?.requested === undefined) return undefined;
  const { requested, opened, backend } = service;
  const isSame = isAt(requested, now);
  if (!isSame && !library.isSameSpell(backend, requested.at, now.at)) return undefined;
  const isOtherLimit = before.connectTimeoutMs !== after.connectTimeoutMs;
  // It did not open for as long as it was watched; whether another limit comes before that, the world will see.
  if (opened === undefined && isSame && isOtherLimit) return timedOut(after);
  if (opened === undefined) return isSame ? 'unseen' : undefined;
  if (!isSame) evidence.assume(now);
  const rank = requested.at === now.at ? opened.seq : undefined;
  if (opened.ok) return limitOpening({ ok: true, afterMs: opened.ms, rank }, after);
  const { reason, ms } = opened;
  // It was given up at the limit: under another limit it is given up then.
  return reason === 'connectTimeout' && isOtherLimit
    ? timedOut(after)
    : limitOpening({ ok: false, reason, afterMs: ms, rank }, after);
}

function limitOpening(opening: Opening, after: SocketLimits): Opening {
  const isWithin = opening.afterMs <= after.connectTimeoutMs;
  return isWithin || (!opening.ok && opening.reason === 'connectTimeout') ? opening : timedOut(after);
}

function timedOut({ connectTimeoutMs }: SocketLimits): Opening {
  return { ok: false, reason: 'connectTimeout', afterMs: connectTimeoutMs };
}

function chooseBasis(
  grant: Grant,
  service: Service | undefined,
  now: Moment,
  { run, library, evidence }: RecordedBackendsOptions,
  randomFor: RandomFor,
): Basis | undefined {
  const { request, backend, reused } = grant;
  if (service?.granted !== undefined) {
    const isSame = isAt(service.granted, now) && service.reused === reused;
    const holds =
      isSame || (!(wasStale(service) && !reused) && library.isSameSpell(backend, service.granted.at, now.at));
    if (holds) {
      evidence.answer(isSame ? 'recorded' : 'moved', now);
      return { service, own: true, grantedAt: now.at };
    }
  }
  const kind = service?.kind ?? run.kinds.get(request) ?? '';
  const random = randomFor('answer', request, backend);
  const drawn = library.drawAnswer({ backend, kind, fresh: !reused, at: now.at }, random);
  evidence.answer(drawn?.borrowed === false ? 'drawn' : 'borrowed', now);
  return drawn === undefined ? undefined : { service: drawn.service, own: false, grantedAt: now.at };
}

/** The times of a recorded lease, under the limits that hold now. */
function answerLike(
  { service, own }: Basis,
  now: Moment,
  { before, after }: RecordedBackendsOptions,
): Answer {
  const { granted, started, ended, closed } = service;
  // The recorded order within a millisecond holds only where it is the recorded millisecond.
  const isThen = own && granted?.at === now.at;
  const timing = (lapse: { ms: number; seq: number }): Timing => ({
    afterMs: lapse.ms,
    rank: isThen ? lapse.seq : undefined,
  });
  const limit = after.headersTimeoutMs;
  const isOtherLimit = before.headersTimeoutMs !== limit;
  // Nothing had come when the client left or the run ended. Where it is not that very lease under that very limit,
  // nothing comes until the limit either; a client that leaves before it still does.
  const isSilent = started === undefined && ended === undefined && (!isThen || isOtherLimit);
  const firstMs = started?.ms ?? ended?.ms ?? 0;
  const wasTimedOut = ended?.ok === false && ended.reason === 'headersTimeout';
  if (isSilent || (isOtherLimit && (wasTimedOut || firstMs > limit))) {
    return {
      ended: { afterMs: limit, ok: false, reason: 'headersTimeout', written: true, bytes: 0, chunks: 0 },
    };
  }
  return {
    started: started === undefined ? undefined : { ...timing(started), ...headOf(started) },
    closed: closed === undefined ? undefined : timing(closed),
    ended: ended === undefined ? undefined : endingOf(ended, timing(ended)),
  };
}

function headOf({ status, retryAfterMs }: AnswerHead): AnswerHead {
  return retryAfterMs === undefined ? { status } : { status, retryAfterMs };
}

function endingOf(ended: NonNullable<Service['ended']>, timing: Timing): Ending {
  const { bytes, chunks } = ended;
  if (ended.ok) return { ...timing, ok: true, ...headOf(ended), bytes, chunks, reusable: ended.reusable };
  return { ...timing, ok: false, bytes, chunks, reason: ended.reason, written: ended.written };
}

/** A socket that was used again, or idled to the end, was kept open at least as long as that. */
function keepLike(
  { service, own, grantedAt }: Basis,
  { backend }: IdleSocket,
  now: Moment,
  library: Library,
): Timing | undefined {
  const { granted, ended, idleClosed, idleMs = -1 } = service;
  const isThen = own && granted?.at === grantedAt && now.at === grantedAt + (ended?.ms ?? 0);
  if (idleClosed !== undefined) return { afterMs: idleClosed.ms, rank: isThen ? idleClosed.seq : undefined };
  const usual = library.idleMs(backend);
  return usual === undefined ? undefined : { afterMs: Math.max(usual, idleMs + 1) };
}

function keepFromStart(
  { socket, backend }: IdleSocket,
  now: Moment,
  { run, library }: RecordedBackendsOptions,
): Timing | undefined {
  const kept = run.kept.get(socket);
  if (kept?.closed !== undefined) return { afterMs: kept.closed.at - now.at, rank: kept.closed.seq };
  const usual = library.idleMs(backend);
  return usual === undefined
    ? undefined
    : { afterMs: Math.max(usual, (kept?.lastSeenAt ?? now.at) - now.at + 1) };
}

function isAt(point: Point, now: Moment): boolean {
  return point.at === now.at && point.seq === now.rank;
}
