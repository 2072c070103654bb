/** What a fact, and what happens around it, means for one request; each becomes an event of its life. */
import { poolOf } from '../core.ts';
import type { Entry, Fact } from '../events.ts';
import type { IdleSocket } from '../pool.ts';
import type { Pick } from './candidates.ts';
import { changesIn } from './history.ts';
import type { Life, LifeEvent, LifePhase, LifeSummary, Outcome } from './life.ts';
import type { LineWatch } from './line-watch.ts';
import type { Scene } from './playback.ts';
import { explainRetry, type RetryReason } from './retry.ts';

/** A request as far as it has come. */
export type LifeState = {
  readonly received: Extract<Fact, { type: 'request.received' }>;
  readonly timeline: LifeEvent[];
  readonly backends: string[];
  readonly earlier: Life['before'][number][];
  omitted: number;
  phase: LifePhase;
  /** The lease it has; `since` is when it was asked for or, once the socket is open, granted. */
  holding:
    | {
        readonly backend: string;
        readonly lease: number;
        readonly socket: number;
        readonly reused: boolean;
        readonly since: number;
      }
    | undefined;
  /** The socket that was idle at the last pick, at the backend it picked. */
  idleSocket: IdleSocket | undefined;
  line:
    | { readonly watch: LineWatch; readonly seq: number; readonly at: number; readonly index: number }
    | undefined;
  firstByteAt: number | null;
  status: number | null;
  code: LifeSummary['code'];
  retries: number;
  tried: readonly string[];
  /** What the entry at hand has made different meanwhile. */
  before: {
    readonly replayable: boolean;
    readonly attempts: number;
    readonly waiting: number;
    readonly hadLease: boolean;
  };
  failure: RetryReason | undefined;
  endedAt: number | null;
  outcome: Outcome | undefined;
};

type WithoutInstant<Event> = Event extends unknown ? Omit<Event, 'seq' | 'at'> : never;

/** One entry, and where to write down what it meant. */
export type Step = {
  readonly entry: Entry;
  readonly scene: Scene;
  readonly picks: readonly Pick[];
  readonly state: LifeState;
  add(event: WithoutInstant<LifeEvent>): void;
};

/** Whether a fact is about this request, or the socket it holds. */
export function concerns({ received, holding }: LifeState, fact: Fact): boolean {
  if ('request' in fact) return fact.request === received.request;
  return 'socket' in fact && fact.socket === holding?.socket;
}

/** What happens around every request: backends come and go. */
export function noteSurroundings({ entry, scene, add, state }: Step): void {
  const { type } = entry.fact;
  if (state.phase === 'new') return;
  if (type === 'config.reloaded') add({ type: 'config-reloaded' });
  if (type === 'gateway.stopping') add({ type: 'gateway-stopping' });
  for (const { seq, at, ...change } of changesIn(entry, scene.core))
    add({ type: 'backend-changed', ...change });
}

/** The fact of the entry, which concerns the request. */
export function noteFact(step: Step): void {
  const { fact } = step.entry;
  switch (fact.type) {
    case 'request.received':
      noteArrival(step, fact);
      break;
    case 'socket.closed':
      noteHeld(step, ({ backend, socket }) => step.add({ type: 'socket-closed', backend, socket }));
      break;
    case 'response.started':
      if (!isDiscarded(step)) noteFirstByte(step, fact);
      break;
    case 'response.ended':
      noteEnd(step, fact);
      break;
    case 'socket.failed':
      noteFailure(step, { ...fact, written: false, bytes: 0, chunks: 0 });
      break;
    case 'response.failed':
      noteFailure(step, fact);
      break;
    case 'client.aborted':
      step.add({
        ...{ type: 'aborted', phase: step.state.phase, backend: step.state.holding?.backend ?? null },
        ...(fact.because === undefined ? {} : { because: fact.because }),
      });
      step.state.outcome = 'aborted';
      step.state.line = undefined;
      break;
    default:
  }
}

type Holding = NonNullable<LifeState['holding']>;

function noteHeld({ state }: Step, note: (holding: Holding) => void): void {
  if (state.holding !== undefined) note(state.holding);
}

function noteArrival({ scene, state, add }: Step, fact: LifeState['received']): void {
  const { method, path, bodyBytes, replayable, request } = fact;
  const { leases } = poolOf(scene.core);
  const inFlight = [...leases.values()].filter((lease) => lease.request !== request).length;
  add({ type: 'arrived', method, path, bodyBytes, replayable, inFlight, waiting: state.before.waiting });
}

function noteFirstByte({ entry, state, add }: Step, fact: AnswerFact): void {
  const { holding } = state;
  if (state.phase !== 'sent' || holding?.lease !== fact.lease) return;
  state.phase = 'answering';
  state.status = fact.status;
  state.firstByteAt = entry.at;
  add({
    type: 'first-byte',
    backend: holding.backend,
    status: fact.status,
    afterMs: entry.at - holding.since,
  });
}

/** Whether the answer was thrown away, which its decision tells. */
function isDiscarded({ entry: { decisions }, state: { received } }: Step): boolean {
  return decisions.some(
    (decision) => decision.type === 'response.discarded' && decision.request === received.request,
  );
}

/** Whether the entry releases the lease that the request had; a fact that comes late does not. */
function isReleased({ entry: { decisions } }: Step, { lease }: Holding): boolean {
  return decisions.some((decision) => decision.type === 'lease.released' && decision.lease === lease);
}

function noteEnd(step: Step, fact: Extract<Fact, { type: 'response.ended' }>): void {
  const { entry, state, add } = step;
  const { holding } = state;
  if (holding === undefined || !isReleased(step, holding)) return;
  if (state.firstByteAt === null) noteFirstByte(step, fact);
  const { firstByteAt, status } = state;
  const { backend, socket } = holding;
  const isKept = !entry.decisions.some((each) => each.type === 'socket.evicted' && each.socket === socket);
  const isClosed = state.timeline.some((event) => event.type === 'socket-closed' && event.socket === socket);
  const { bytes, chunks } = fact;
  add({
    ...{ type: 'ended', backend, status, bytes, chunks },
    answeringMs: firstByteAt === null ? null : entry.at - firstByteAt,
    socketKept: isKept && !isClosed,
  });
  state.outcome = 'ended';
}

/** Its end is also the first that is heard of an answer that came in one piece. */
type AnswerFact = Extract<Fact, { type: 'response.started' | 'response.ended' }>;

type FailureFact = Omit<Extract<Fact, { type: 'response.failed' }>, 'type' | 'request' | 'lease'>;

function noteFailure(step: Step, { reason, fault, written, bytes, chunks }: FailureFact): void {
  const { entry, scene, state, add } = step;
  const { holding, phase, received } = state;
  if (holding === undefined || !isReleased(step, holding)) return;
  const { backend, socket, reused } = holding;
  const retried = entry.decisions.some(
    (each) => each.type === 'request.retried' && each.request === received.request,
  );
  const withheld = entry.decisions.some(
    (each) =>
      each.type === 'request.rejected' && each.request === received.request && each.withheld !== undefined,
  );
  const why: RetryReason =
    phase === 'answering'
      ? 'answer-begun'
      : explainRetry({ reason, written, reused }, state.before, scene.core.config, { retried, withheld });
  const known = fault === undefined ? {} : { fault };
  add({ type: 'failed', backend, socket, reason, ...known, phase, reused, written, bytes, chunks, why });
  state.failure = why;
  if (phase === 'answering') state.outcome = 'failed';
}
