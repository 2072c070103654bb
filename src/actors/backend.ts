/**
 * The state machine of one backend: `healthy`, `unhealthy`, `ejected`, `draining` and its ends, driven by probe results,
 * failures of real requests, operators and reloads. Its context holds the thresholds and the counters that run towards
 * them.
 *
 * Health is judged in every state, draining included, so that a restored backend comes back as what it is.
 * Time is a field of the event: a delayed transition would make replay depend on the clock.
 */
import { type ActorRefFrom, assertEvent, assign, setup } from 'xstate';
import { ejectionOf } from './ejection.ts';
import type { BackendStatus, OutlierSettings } from './events.ts';
import { present } from './present.ts';

export type LastProbe = { at: number; ok: boolean; latencyMs: number; reason: string };

export type BackendContext = {
  fall: number;
  rise: number;
  /** Undefined where requests that fail eject no backend. */
  outlier: OutlierSettings | undefined;
  consecutiveFailures: number;
  consecutiveSuccesses: number;
  /** The verdict of the thresholds, kept up also while draining. */
  passing: boolean;
  lastProbe: LastProbe | undefined;
  /** Failures of real requests in a row while it is healthy. */
  consecutiveErrors: number;
  /** How often it has been ejected of late, which makes the next ejection longer; see `ejection.ts`. */
  timesEjected: number;
  /** When its last ejection ends or would have ended. */
  ejectedUntil: number | undefined;
  /** Whether the config has it no longer; else it drains because an operator said so. */
  removed: boolean;
  /** Why the state changed last, in words for the log. */
  reason: string;
};

type BackendInput = {
  fall: number;
  rise: number;
  initial: 'healthy' | 'unhealthy';
  outlier: OutlierSettings | undefined;
};

export type BackendEvent =
  | { type: 'probe.succeeded'; at: number; latencyMs: number; status: number }
  | { type: 'probe.failed'; at: number; latencyMs: number; reason: string }
  /** `mayEject` is false where the others could not do without it. */
  | { type: 'request.failed'; at: number; reason: string; mayEject: boolean }
  /** Sent only where it changes something: after a failure. */
  | { type: 'request.succeeded' }
  | { type: 'ejection.expired'; at: number }
  | { type: 'ejection.lifted' }
  | { type: 'operator.drained' }
  | { type: 'operator.restored' }
  | { type: 'config.removed' }
  | { type: 'config.returned' }
  | { type: 'thresholds.changed'; fall: number; rise: number; outlier: OutlierSettings | undefined }
  | { type: 'address.changed'; initial: 'healthy' | 'unhealthy' }
  | { type: 'leases.ended' };

type ProbeEvent = Extract<BackendEvent, { type: 'probe.succeeded' | 'probe.failed' }>;

/**
 * The whole threshold logic: one result moves its own counter up and sets the other to zero; the verdict turns
 * when a counter reaches its threshold.
 */
function judgeProbe(context: BackendContext, event: ProbeEvent): Partial<BackendContext> {
  const ok = event.type === 'probe.succeeded';
  const consecutiveSuccesses = ok ? context.consecutiveSuccesses + 1 : 0;
  const consecutiveFailures = ok ? 0 : context.consecutiveFailures + 1;
  const reason = ok ? `status ${event.status}` : event.reason;
  return {
    consecutiveSuccesses,
    consecutiveFailures,
    passing: ok
      ? context.passing || consecutiveSuccesses >= context.rise
      : context.passing && consecutiveFailures < context.fall,
    lastProbe: { at: event.at, ok, latencyMs: event.latencyMs, reason },
  };
}

function isProbe(event: BackendEvent): event is ProbeEvent {
  return event.type === 'probe.succeeded' || event.type === 'probe.failed';
}

type FailedRequest = Extract<BackendEvent, { type: 'request.failed' }>;

function isFailedRequest(event: BackendEvent): event is FailedRequest {
  return event.type === 'request.failed';
}

function isOutlier({ outlier, consecutiveErrors }: BackendContext, { mayEject }: FailedRequest): boolean {
  return mayEject && outlier !== undefined && consecutiveErrors + 1 >= outlier.consecutiveFailures;
}

const base = setup({
  types: {
    context: {} as BackendContext,
    events: {} as BackendEvent,
    input: {} as BackendInput,
  },
  guards: {
    isPassing: ({ context }) => context.passing,
    fallReached: ({ context, event }) => isProbe(event) && judgeProbe(context, event).passing === false,
    riseReached: ({ context, event }) => isProbe(event) && judgeProbe(context, event).passing === true,
    errorsReached: ({ context, event }) => isFailedRequest(event) && isOutlier(context, event),
    isOver: ({ context, event }) =>
      event.type === 'ejection.expired' &&
      event.at >= present(context.ejectedUntil, 'the end of an ejection'),
    isOutlierOff: ({ event }) => event.type === 'thresholds.changed' && event.outlier === undefined,
    isRemoved: ({ context }) => context.removed,
    isConfigured: ({ context }) => !context.removed,
  },
  actions: {
    recordProbe: assign(({ context, event }) => {
      assertEvent(event, ['probe.succeeded', 'probe.failed']);
      return judgeProbe(context, event);
    }),
    explainFall: assign({
      reason: ({ context: { consecutiveFailures, fall }, event }) => {
        assertEvent(event, 'probe.failed');
        return `${consecutiveFailures} of ${fall} probes failed, the last with: ${event.reason}`;
      },
    }),
    explainRise: assign({
      reason: ({ context }) => `${context.consecutiveSuccesses} of ${context.rise} probes succeeded`,
    }),
    countError: assign({ consecutiveErrors: ({ context }) => context.consecutiveErrors + 1 }),
    forgetErrors: assign({ consecutiveErrors: 0 }),
    eject: assign(({ context, event }) => {
      assertEvent(event, 'request.failed');
      return { consecutiveErrors: context.consecutiveErrors + 1, ...ejectionOf(context, event) };
    }),
    explainExpiry: assign({ reason: 'its ejection is over' }),
    explainLifting: assign({ reason: 'no other backend is healthy' }),
    explainOutlierOff: assign({ reason: 'outlier ejection was switched off' }),
    explainDrain: assign({ reason: 'drained by an operator' }),
    explainRestore: assign({ reason: 'restored by an operator' }),
    markRemoved: assign({ removed: true, reason: 'removed from the config' }),
    markConfigured: assign({ removed: false, reason: 'back in the config' }),
    explainEmpty: assign({ reason: 'no lease left' }),
    setThresholds: assign(({ event }) => {
      assertEvent(event, 'thresholds.changed');
      return { fall: event.fall, rise: event.rise, outlier: event.outlier };
    }),
    startAfresh: assign(({ event }) => ({
      consecutiveFailures: 0,
      consecutiveSuccesses: 0,
      lastProbe: undefined,
      timesEjected: 0,
      ejectedUntil: undefined,
      passing: event.type === 'address.changed' && event.initial === 'healthy',
      reason: 'its address changed',
    })),
  },
});

const mayFall = [
  { guard: 'fallReached', target: 'unhealthy', actions: ['recordProbe', 'explainFall'] },
  { actions: 'recordProbe' },
] as const;

const whileConfigured = {
  'operator.drained': { target: 'draining', actions: 'explainDrain' },
  'config.removed': { target: 'draining', actions: 'markRemoved' },
  'address.changed': { target: 'evaluating', actions: 'startAfresh' },
} as const;

/** Everything a backend that takes no new lease has in common, whether it still has leases or not. */
const whileHeld = {
  'probe.succeeded': { actions: 'recordProbe' },
  'probe.failed': { actions: 'recordProbe' },
  'operator.restored': { guard: 'isConfigured', target: 'evaluating', actions: 'explainRestore' },
  // What an operator wanted of a backend ended with its place in the config, whether or not leases were left.
  'config.returned': { target: 'evaluating', actions: 'markConfigured' },
  'address.changed': { actions: 'startAfresh' },
} as const;

export const backendMachine = base.createMachine({
  id: 'backend',
  initial: 'evaluating',
  context: ({ input }) => ({
    fall: input.fall,
    rise: input.rise,
    outlier: input.outlier,
    consecutiveFailures: 0,
    consecutiveSuccesses: 0,
    passing: input.initial === 'healthy',
    lastProbe: undefined,
    consecutiveErrors: 0,
    timesEjected: 0,
    ejectedUntil: undefined,
    removed: false,
    reason: 'configured',
  }),
  on: { 'thresholds.changed': { actions: 'setThresholds' } },
  states: {
    evaluating: {
      always: [{ guard: 'isPassing', target: 'healthy' }, { target: 'unhealthy' }],
    },
    healthy: {
      entry: 'forgetErrors',
      on: {
        'probe.succeeded': { actions: 'recordProbe' },
        'probe.failed': mayFall,
        'request.failed': [
          { guard: 'errorsReached', target: 'ejected', actions: 'eject' },
          { actions: 'countError' },
        ],
        'request.succeeded': { actions: 'forgetErrors' },
        ...whileConfigured,
      },
    },
    unhealthy: {
      on: {
        'probe.failed': { actions: 'recordProbe' },
        'probe.succeeded': [
          { guard: 'riseReached', target: 'healthy', actions: ['recordProbe', 'explainRise'] },
          { actions: 'recordProbe' },
        ],
        ...whileConfigured,
      },
    },
    // Its probes may well succeed, which is why it takes failing requests to get here, and time to leave. A probe verdict
    // of unhealthy is the stronger one, though: that backend comes back when its probes say so.
    ejected: {
      on: {
        'probe.succeeded': { actions: 'recordProbe' },
        'probe.failed': mayFall,
        'ejection.expired': { guard: 'isOver', target: 'evaluating', actions: 'explainExpiry' },
        'ejection.lifted': { target: 'evaluating', actions: 'explainLifting' },
        'operator.restored': { target: 'evaluating', actions: 'explainRestore' },
        'thresholds.changed': {
          guard: 'isOutlierOff',
          target: 'evaluating',
          actions: ['setThresholds', 'explainOutlierOff'],
        },
        ...whileConfigured,
      },
    },
    draining: {
      on: {
        ...whileHeld,
        'config.removed': { actions: 'markRemoved' },
        'leases.ended': [
          { guard: 'isRemoved', target: 'removed', actions: 'explainEmpty' },
          { target: 'drained', actions: 'explainEmpty' },
        ],
      },
    },
    drained: {
      on: { ...whileHeld, 'config.removed': { target: 'removed', actions: 'markRemoved' } },
    },
    removed: { type: 'final' },
  },
});

export type BackendActor = ActorRefFrom<typeof backendMachine>;

/** The state of the machine as one word. `evaluating` is passed through and never seen from outside. */
export function statusOf(actor: BackendActor): BackendStatus {
  const { value } = actor.getSnapshot();
  if (value === 'evaluating') throw new TypeError('the machine rests in `evaluating`');
  return value;
}
