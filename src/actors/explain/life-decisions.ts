/** What a decision of the core means for one request. */
import { assertNever } from '../assert-never.ts';
import { poolOf } from '../core.ts';
import type { Decision } from '../events.ts';
import { present } from '../present.ts';
import { judgeCandidates, lookAround } from './candidates.ts';
import type { Step } from './life-notes.ts';
import { watchLine } from './line-watch.ts';

const AHEAD_NAMED = 10;

type RequestDecision = Extract<Decision, { readonly request: number }>;

/** A decision about the request; `index` is its place in the entry. */
export function noteDecision(step: Step, decision: RequestDecision, index: number): void {
  const { add } = step;
  switch (decision.type) {
    case 'backend.selected':
      notePick(step, decision.backend, index);
      break;
    case 'socket.requested':
      noteConnecting(step, decision);
      break;
    case 'lease.granted':
      noteLease(step, decision);
      break;
    case 'lease.released':
      step.state.holding = undefined;
      break;
    case 'response.discarded':
      add({ type: 'discarded', backend: decision.backend, status: decision.status });
      step.state.failure = 'status-allowed';
      break;
    case 'response.passed':
      add({ type: 'passed-on', because: decision.because });
      break;
    case 'request.queued':
      notePick(step, null, index);
      noteQueued(step, decision, index);
      break;
    case 'request.retried':
      noteRetry(step, decision);
      break;
    case 'request.rejected':
      noteRejection(step, decision, index);
      break;
    default:
      assertNever(decision);
  }
}

/** @returns whether there was a pick just before this decision */
function notePick(step: Step, backend: string | null, index: number): boolean {
  const { entry, state, add } = step;
  const pick = step.picks.findLast((each) => each.index === index);
  if (pick === undefined) return false;
  const waitedMs = waitedMsOf(step);
  const cause =
    state.phase === 'waiting' ? 'room' : entry.fact.type === 'request.received' ? 'arrival' : 'retry';
  const candidates = judgeCandidates(pick, state.tried);
  add({ type: 'picked', backend, cause, fact: entry.fact, waitedMs, candidates });
  if (backend !== null) {
    state.backends.push(backend);
    state.idleSocket = pick.idleSocket;
    state.line = undefined;
  }
  return true;
}

function waitedMsOf({ entry, state: { line } }: Step): number | null {
  return line === undefined ? null : entry.at - line.at;
}

function noteConnecting(
  { entry, state, add }: Step,
  decision: Extract<Decision, { type: 'socket.requested' }>,
): void {
  const { backend, lease, socket } = decision;
  add({ type: 'connecting', backend, lease, socket, avoidsIdle: state.idleSocket !== undefined });
  state.phase = 'connecting';
  state.holding = { backend, lease, socket, reused: false, since: entry.at };
}

function noteLease(step: Step, decision: Extract<Decision, { type: 'lease.granted' }>): void {
  const { entry, scene, state, add } = step;
  const { backend, lease, socket, reused } = decision;
  const past = scene.history.socket(socket);
  const idle = state.idleSocket?.socket === socket ? state.idleSocket : undefined;
  const asked = state.holding?.lease === lease ? state.holding.since : undefined;
  add({
    ...{ type: 'leased', backend, lease, socket, reused },
    connectMs: reused || asked === undefined ? null : entry.at - asked,
    socketAgeMs: reused && past !== undefined ? entry.at - past.openedAt : null,
    idleMs: idle === undefined ? null : entry.at - idle.since,
    servedBefore: reused && past !== undefined ? past.leases - 1 : null,
  });
  state.phase = 'sent';
  state.holding = { backend, lease, socket, reused, since: entry.at };
}

function noteQueued(
  { entry, scene, state, add }: Step,
  decision: Extract<Decision, { type: 'request.queued' }>,
  index: number,
): void {
  const watch = watchLine(state.received.request, entry.decisions.slice(index + 1), scene.core);
  const { length, deadline } = decision;
  const { ahead } = watch;
  add({ type: 'queued', place: ahead.length + 1, length, deadline, ahead: ahead.slice(0, AHEAD_NAMED) });
  state.phase = 'waiting';
  state.line = { watch, seq: entry.seq, at: entry.at, index };
}

/** What the entry made of the line, if the request is in it. */
export function noteLine({ entry: { seq, fact, decisions }, state: { line }, add }: Step): void {
  if (line === undefined) return;
  const later = line.seq === seq ? decisions.slice(line.index + 1) : decisions;
  for (const change of line.watch.after({ fact, decisions: later })) add({ type: 'line', ...change });
}

function noteRetry(
  { scene, state, add }: Step,
  { from, reason, attempt }: Extract<Decision, { type: 'request.retried' }>,
): void {
  const why = present(state.failure, 'why a request is sent again');
  add({ type: 'retried', from, reason, why, attempt, attempts: scene.core.config.retry.attempts });
  state.retries += 1;
  state.phase = 'new';
}

function noteRejection(
  step: Step,
  decision: Extract<Decision, { type: 'request.rejected' }>,
  index: number,
): void {
  const { scene, state, add } = step;
  const { core, history } = scene;
  const { code, backend = null, reason = null } = decision;
  // After a failure of its own, or at the end of its time, it is rejected without another pick.
  const hasPick = !state.before.hadLease && code !== 'queue_timeout' && notePick(step, null, index);
  const isLeftAlone = code === 'queue_timeout' || state.failure === 'no-other-backend';
  const tried = backend === null ? state.tried : [...state.tried, backend];
  add({
    ...{ type: 'rejected', code, backend, reason },
    waitedMs: waitedMsOf(step),
    queue: { length: poolOf(core).waiting.length, max: core.config.pool.queue.max },
    candidates: isLeftAlone && !hasPick ? lookAround(core, history, tried) : null,
  });
  state.code = code;
  state.line = undefined;
  state.outcome = 'rejected';
}
