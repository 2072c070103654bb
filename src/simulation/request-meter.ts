/** Follows each request from its arrival to its end, by facts and decisions alone. */
import type { Decision, Fact } from '../actors/events.ts';
import type { BackendCounts, Fate, Second } from './meter.ts';

type RequestMeter = {
  readonly fates: readonly Fate[];
  /** A run begins, or ends: whatever is under way is so for good. */
  cut(): void;
  take(fact: Fact, decisions: readonly Decision[], at: number): void;
};

type UnderWay = {
  readonly fate: Fate;
  lease: number | undefined;
  status: number;
  queuedAt: number | undefined;
};

type Books = {
  readonly countsOf: (backend: string) => BackendCounts;
  readonly secondOf: (at: number) => Second;
  readonly fates: Fate[];
  readonly underWay: Map<number, UnderWay>;
  waiting: number;
  lastAt: number;
};

export function createRequestMeter(
  countsOf: (backend: string) => BackendCounts,
  secondOf: (at: number) => Second,
): RequestMeter {
  const books: Books = { countsOf, secondOf, fates: [], underWay: new Map(), waiting: 0, lastAt: 0 };
  return {
    fates: books.fates,
    cut() {
      books.underWay.clear();
      books.waiting = 0;
    },
    take(fact, decisions, at) {
      passTime(books, at);
      if (!decisions.some(({ type }) => type === 'response.discarded')) takeFact(books, fact, at);
      for (const decision of decisions) takeDecision(books, decision, { fact, decisions, at });
    },
  };
}

/** While nothing happens the queue stays as long as it is. */
function passTime(books: Books, at: number): void {
  if (books.waiting > 0) {
    for (let second = Math.floor(books.lastAt / 1000) + 1; second * 1000 <= at; second += 1) {
      noteWaiting(books, second * 1000);
    }
  }
  books.lastAt = at;
}

function noteWaiting({ secondOf, waiting }: Books, at: number): void {
  const second = secondOf(at);
  second.mostWaiting = Math.max(second.mostWaiting, waiting);
}

function takeFact(books: Books, fact: Fact, at: number): void {
  const { fates, underWay, secondOf } = books;
  if (fact.type === 'request.received') {
    const { request, requestId } = fact;
    const fate = newFate(request, requestId, at);
    fates.push(fate);
    underWay.set(request, { fate, lease: undefined, status: 0, queuedAt: undefined });
    secondOf(at).received += 1;
  } else if (fact.type === 'response.started' || fact.type === 'response.ended') {
    const one = underWay.get(fact.request);
    // The end tells of the first byte only where nothing has before.
    if (one === undefined || one.lease !== fact.lease || one.status !== 0) return;
    one.status = fact.status;
    one.fate.firstByteMs = at - one.fate.at;
  } else if (fact.type === 'client.aborted') {
    const one = underWay.get(fact.request);
    if (one !== undefined) finish(books, one, 'aborted', at);
  }
}

type Happening = { readonly fact: Fact; readonly decisions: readonly Decision[]; readonly at: number };

function takeDecision(books: Books, decision: Decision, happening: Happening): void {
  const { countsOf, secondOf, underWay } = books;
  const { at } = happening;
  const one = 'request' in decision ? underWay.get(decision.request) : undefined;
  switch (decision.type) {
    case 'backend.selected':
      countsOf(decision.backend).requests += 1;
      if (one === undefined) return;
      leaveQueue(books, one, at);
      one.fate.backend = decision.backend;
      break;
    case 'lease.granted':
      if (!decision.reused) countsOf(decision.backend).socketsOpened += 1;
      if (one !== undefined) one.lease = decision.lease;
      break;
    case 'lease.released':
      endLease(books, decision, happening);
      break;
    case 'request.queued':
      if (one === undefined) return;
      one.queuedAt = at;
      books.waiting += 1;
      noteWaiting(books, at);
      break;
    case 'request.rejected':
      secondOf(at).rejected += 1;
      if (one !== undefined) finish(books, one, decision.code, at);
      break;
    case 'request.retried':
      if (one !== undefined) one.fate.retries += 1;
      break;
    default:
      break;
  }
}

type Release = Extract<Decision, { type: 'lease.released' }>;

function endLease(books: Books, release: Release, { fact, decisions, at }: Happening): void {
  const counts = books.countsOf(release.backend);
  if (release.outcome === 'failed' || fact.type === 'socket.failed') counts.failures += 1;
  const one = books.underWay.get(release.request);
  if (one === undefined) return;
  one.lease = undefined;
  const outcome = outcomeOf(release, decisions, one.status);
  if (outcome === 'error') counts.errors += 1;
  if (outcome === 'error' || outcome === 'broken') books.secondOf(at).failed += 1;
  if (outcome !== undefined) finish(books, one, outcome, at);
}

/** What the end of a lease means for its request; undefined if the request goes on, or ends by another decision. */
function outcomeOf(
  { outcome, request }: Release,
  decisions: readonly Decision[],
  status: number,
): Fate['outcome'] | undefined {
  if (outcome === 'ended') return status >= 500 ? 'error' : 'served';
  if (outcome !== 'failed') return undefined;
  const goesOn = decisions.some(
    (other) =>
      (other.type === 'request.retried' || other.type === 'request.rejected') && other.request === request,
  );
  return goesOn ? undefined : 'broken';
}

function finish(books: Books, one: UnderWay, outcome: Fate['outcome'], at: number): void {
  leaveQueue(books, one, at);
  one.fate.outcome = outcome;
  one.fate.totalMs = at - one.fate.at;
  books.underWay.delete(one.fate.request);
}

function leaveQueue(books: Books, one: UnderWay, at: number): void {
  if (one.queuedAt === undefined) return;
  one.fate.waitedMs = (one.fate.waitedMs ?? 0) + at - one.queuedAt;
  one.queuedAt = undefined;
  books.waiting -= 1;
}

function newFate(request: number, requestId: string, at: number): Fate {
  return {
    request,
    requestId,
    at,
    outcome: 'underWay',
    backend: undefined,
    waitedMs: undefined,
    firstByteMs: undefined,
    totalMs: undefined,
    retries: 0,
  };
}
