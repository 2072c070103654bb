/** Follows the leases, idle sockets and waits of one recorded run from entry to entry, and fills in their times. */
import type { Decision, Fact } from '../actors/events.ts';
import type { AnswerHead, Point, RecordedRun, RecordedStep, Service, Wait } from './recording.ts';
import { deadlineOf } from './world.ts';

type LeaseRecorder = {
  take(step: RecordedStep): void;
  /** The run has ended. @returns how many requests were under way still */
  finish(): number;
};

/** Of each socket: the service it is used by, or was used by last. */
type Socket = { readonly service: Service | undefined; idleSince: number | undefined };

type Books = {
  readonly run: RecordedRun;
  readonly sockets: Map<number, Socket>;
  readonly leases: Map<number, { readonly service: Service; readonly socket: number }>;
  readonly waiting: Map<number, Wait>;
};

export function createLeaseRecorder(run: RecordedRun): LeaseRecorder {
  const books: Books = {
    run,
    sockets: new Map(),
    leases: new Map(),
    waiting: new Map(),
  };
  openBooks(books);
  return {
    take(step) {
      noteFact(books, step);
      for (const decision of step.decisions) noteDecision(books, decision, step);
    },
    finish() {
      const { at } = run.end;
      for (const socket of books.sockets.keys()) noteIdling(books, socket, at);
      for (const wait of books.waiting.values()) wait.leftAt = at;
      return books.leases.size + books.waiting.size;
    },
  };
}

/** Takes over what was under way in the state the run began with. */
function openBooks({ run, sockets, leases, waiting }: Books): void {
  const { start, snapshot } = run;
  for (const { lease, request, backend, socket, reused, opened } of snapshot.leases) {
    const service = addService(run, {
      ...{ request, backend, kind: '', reused, partial: true },
      ...{ requested: opened ? undefined : start, granted: opened ? start : undefined },
    });
    leases.set(lease, { service, socket });
    sockets.set(socket, { service, idleSince: undefined });
  }
  for (const { idle } of snapshot.pools) {
    for (const { socket, since } of idle) {
      sockets.set(socket, { service: undefined, idleSince: since });
      run.kept.set(socket, { closed: undefined, lastSeenAt: start.at });
    }
  }
  for (const { settings, status, context } of snapshot.backends) {
    if (status !== 'ejected') continue;
    const deadline = context.ejectedUntil ?? start.at;
    run.ejections.push({ backend: settings.id, deadline, fired: undefined });
  }
  for (const request of snapshot.waiting) {
    const state = snapshot.requests.find((candidate) => candidate.request === request);
    if (state !== undefined) waiting.set(request, addWait(run, request, deadlineOf(snapshot.config, state)));
  }
}

type Beginning = Pick<
  Service,
  'request' | 'backend' | 'kind' | 'reused' | 'partial' | 'requested' | 'granted'
>;

function addService(run: RecordedRun, beginning: Beginning): Service {
  const { request, backend, kind, reused, partial, requested, granted } = beginning;
  // Written out, since there are many: an object that grows, or is spread into another, takes half as much again.
  const service: Service = {
    request,
    backend,
    kind,
    reused,
    partial,
    requested,
    opened: undefined,
    granted,
    started: undefined,
    ended: undefined,
    closed: undefined,
    abandonedMs: undefined,
    idleClosed: undefined,
    idleMs: undefined,
    next: undefined,
  };
  let before = run.services.get(beginning.request);
  if (before === undefined) run.services.set(beginning.request, service);
  else {
    while (before.next !== undefined) before = before.next;
    before.next = service;
  }
  return service;
}

function addWait(run: RecordedRun, request: number, deadline: number): Wait {
  const wait: Wait = { request, deadline, leftAt: undefined, fired: undefined };
  const before = run.waits.get(request);
  if (before === undefined) run.waits.set(request, [wait]);
  else before.push(wait);
  return wait;
}

function noteFact(books: Books, { fact, at, seq }: RecordedStep): void {
  switch (fact.type) {
    case 'request.received':
      books.run.kinds.set(fact.request, `${fact.method} ${fact.path}`);
      break;
    case 'socket.opened':
    case 'socket.failed':
      noteOpening(books, fact, { at, seq });
      break;
    case 'socket.closed':
      noteClosing(books, fact.socket, { at, seq });
      break;
    case 'response.started':
    case 'response.ended':
    case 'response.failed':
      noteAnswer(books, fact, { at, seq });
      break;
    case 'client.aborted':
      leaveLine(books, fact.request, at);
      break;
    case 'timer.fired':
      noteTimer(books, fact, { at, seq });
      break;
    default:
      break;
  }
}

function noteTimer(
  { run, waiting }: Books,
  fact: Extract<Fact, { type: 'timer.fired' }>,
  fired: Point,
): void {
  const timer =
    fact.timer === 'queue'
      ? waiting.get(fact.request)
      : fact.timer === 'ejection'
        ? run.ejections.findLast(({ backend }) => backend === fact.backend)
        : undefined;
  if (timer !== undefined) timer.fired = fired;
}

function noteOpening(
  { sockets }: Books,
  fact: Extract<Fact, { type: 'socket.opened' | 'socket.failed' }>,
  { at, seq }: Point,
): void {
  const service = sockets.get(fact.socket)?.service;
  if (service?.requested === undefined || service.opened !== undefined) return;
  const ms = at - service.requested.at;
  if (fact.type === 'socket.opened') service.opened = { ms, seq, ok: true };
  else {
    service.opened = { ms, seq, ok: false, reason: fact.reason };
    sockets.delete(fact.socket);
  }
}

function noteClosing({ run, sockets }: Books, number: number, { at, seq }: Point): void {
  const socket = sockets.get(number);
  if (socket === undefined) return;
  const { service, idleSince } = socket;
  if (idleSince === undefined) {
    if (service?.granted !== undefined) service.closed = { ms: at - service.granted.at, seq };
  } else if (service !== undefined) service.idleClosed = { ms: at - idleSince, seq };
  else {
    const kept = run.kept.get(number);
    if (kept !== undefined) kept.closed = { at, seq };
  }
  sockets.delete(number);
}

function noteAnswer(
  { leases }: Books,
  fact: Extract<Fact, { type: 'response.started' | 'response.ended' | 'response.failed' }>,
  { at, seq }: Point,
): void {
  const service = leases.get(fact.lease)?.service;
  if (service?.granted === undefined) return;
  const ms = at - service.granted.at;
  if (fact.type === 'response.started') service.started ??= { ms, seq, ...headOf(fact) };
  else {
    const { bytes, chunks } = fact;
    service.ended ??=
      fact.type === 'response.ended'
        ? { ms, seq, ok: true, ...headOf(fact), bytes, chunks, reusable: fact.reusable }
        : { ms, seq, ok: false, bytes, chunks, reason: fact.reason, written: fact.written };
  }
}

function headOf({
  status,
  retryAfterMs,
}: Extract<Fact, { type: 'response.started' | 'response.ended' }>): AnswerHead {
  return retryAfterMs === undefined ? { status } : { status, retryAfterMs };
}

function noteDecision(books: Books, decision: Decision, step: RecordedStep): void {
  const { run, sockets, leases, waiting } = books;
  const { at, seq } = step;
  switch (decision.type) {
    case 'socket.requested':
    case 'lease.granted': {
      const { request, lease, backend, socket } = decision;
      const reused = decision.type === 'lease.granted' && decision.reused;
      const known = leases.get(lease);
      if (known !== undefined) {
        known.service.granted = { at, seq };
        break;
      }
      noteIdling(books, socket, at);
      const service = addService(run, {
        ...{ request, backend, kind: run.kinds.get(request) ?? '', reused, partial: false },
        ...{ requested: reused ? undefined : { at, seq }, granted: reused ? { at, seq } : undefined },
      });
      leases.set(lease, { service, socket });
      sockets.set(socket, { service, idleSince: undefined });
      break;
    }
    case 'backend.changed': {
      const { backend, deadline } = decision;
      if (deadline !== undefined) run.ejections.push({ backend, deadline, fired: undefined });
      break;
    }
    case 'lease.released':
      release(books, decision, at);
      break;
    case 'socket.evicted':
      noteIdling(books, decision.socket, at);
      sockets.delete(decision.socket);
      break;
    case 'request.queued':
      waiting.set(decision.request, addWait(run, decision.request, decision.deadline));
      break;
    case 'backend.selected':
    case 'request.rejected':
      leaveLine(books, decision.request, at);
      break;
    default:
      break;
  }
}

function release(
  { leases, sockets }: Books,
  { lease, outcome }: Extract<Decision, { type: 'lease.released' }>,
  at: number,
): void {
  const known = leases.get(lease);
  if (known === undefined) return;
  leases.delete(lease);
  const { service, socket } = known;
  if (outcome === 'aborted' && service.granted !== undefined) service.abandonedMs = at - service.granted.at;
  // How an answer would have ended that was thrown away is not known; such answers are short.
  if (outcome === 'discarded' && service.started !== undefined) {
    service.ended = { ...service.started, ok: true, bytes: 0, chunks: 0, reusable: true };
  }
  const held = sockets.get(socket);
  if (outcome === 'ended' && held !== undefined) held.idleSince = at;
}

/** A socket that idled until now was at least kept open for so long. */
function noteIdling({ run, sockets }: Books, number: number, at: number): void {
  const socket = sockets.get(number);
  if (socket?.idleSince === undefined) return;
  if (socket.service !== undefined) socket.service.idleMs = at - socket.idleSince;
  else {
    const kept = run.kept.get(number);
    if (kept !== undefined) kept.lastSeenAt = at;
  }
}

function leaveLine({ waiting }: Books, request: number, at: number): void {
  const wait = waiting.get(request);
  if (wait === undefined) return;
  wait.leftAt = at;
  waiting.delete(request);
}
