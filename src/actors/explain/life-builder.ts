/** Writes down the life of one request while the log goes by: what each entry meant for it, in order. */
import { statusOf } from '../backend.ts';
import { poolOf } from '../core.ts';
import type { Entry, Fact } from '../events.ts';
import { present } from '../present.ts';
import type { Pick } from './candidates.ts';
import type { Instant } from './history.ts';
import type { Life, LifeSummary, Outcome } from './life.ts';
import { noteDecision, noteLine } from './life-decisions.ts';
import { concerns, type LifeState, noteFact, noteSurroundings, type Step } from './life-notes.ts';
import type { Scene, Stretch } from './playback.ts';

export type LifeBuilder = {
  /** Undefined while the request is under way. */
  readonly outcome: Outcome | undefined;
  /** Whether a pick in this entry may be for it. */
  expectsPick(entry: Entry): boolean;
  before(entry: Entry, scene: Scene): void;
  after(entry: Entry, scene: Scene, picks: readonly Pick[]): void;
  /** A new stretch of the log has begun. */
  interrupt(scene: Scene): void;
  /** Keeps the summary only. */
  shorten(): void;
  life(): Life;
};

/** What there may be many of is left out beyond this many events. */
const EVENTS_KEPT = 100;

/** @param entry the one in which the request arrives; it is to be given to `before` and `after` too */
export function createLifeBuilder(
  entry: Entry,
  received: Extract<Fact, { type: 'request.received' }>,
  { stretch: { run } }: Scene,
): LifeBuilder {
  const state = createState(received);
  const { request } = received;
  const arrival = { seq: entry.seq, at: entry.at, run };

  return {
    get outcome() {
      return state.outcome;
    },
    expectsPick: ({ fact }) => state.phase === 'new' || state.phase === 'waiting' || concerns(state, fact),
    before({ fact }, scene) {
      if (fact === received) rememberBackends(state, scene);
      const { core } = scene;
      const { replayable, attempts } = core.requests.get(request) ?? { ...received, attempts: 0 };
      const hadLease = state.holding !== undefined;
      state.before = { replayable, attempts, waiting: poolOf(core).waiting.length, hadLease };
    },
    after(entry, scene, picks) {
      const step: Step = { entry, scene, picks, state, add: (event) => append(state, entry, event) };
      noteSurroundings(step);
      if (concerns(state, entry.fact)) noteFact(step);
      state.tried = scene.core.requests.get(request)?.tried.slice() ?? state.tried;
      for (const [index, decision] of entry.decisions.entries()) {
        if ('request' in decision && decision.request === request) noteDecision(step, decision, index);
      }
      noteLine(step);
      if (scene.core.requests.has(request)) return;
      state.outcome ??= 'unknown';
      state.endedAt = entry.at;
    },
    interrupt({ core, stretch }) {
      const goesOn = stretch.began === 'gap' && stretch.run === run && core.requests.has(request);
      const { began: by, missing, reason } = stretch;
      append(state, stretch, { type: 'interrupted', by, missing, reason, goesOn });
      if (goesOn) resume(state, { core, stretch });
      else state.outcome = 'unknown';
    },
    shorten() {
      state.timeline.length = 0;
      state.earlier.length = 0;
    },
    life: () => ({
      ...summarise(state, arrival),
      timeline: state.timeline,
      omitted: state.omitted,
      before: state.earlier,
    }),
  };
}

function createState(received: LifeState['received']): LifeState {
  return {
    received,
    timeline: [],
    backends: [],
    earlier: [],
    omitted: 0,
    phase: 'new',
    holding: undefined,
    idleSocket: undefined,
    line: undefined,
    firstByteAt: null,
    status: null,
    code: null,
    retries: 0,
    tried: [],
    before: { replayable: received.replayable, attempts: 0, waiting: 0, hadLease: false },
    failure: undefined,
    endedAt: null,
    outcome: undefined,
  };
}

function append(state: LifeState, { seq, at }: Instant, event: Parameters<Step['add']>[0]): void {
  const isMinor = event.type === 'line' || event.type === 'backend-changed';
  if (isMinor && state.timeline.length >= EVENTS_KEPT) state.omitted += 1;
  else state.timeline.push({ seq, at, ...event });
}

/** What befell each backend of late, which is not to be had later. */
function rememberBackends(state: LifeState, { core, history }: Scene): void {
  for (const [backend, { actor }] of core.backends) {
    const stands = statusOf(actor);
    for (const change of history.changesOf(backend)) state.earlier.push({ ...change, stands });
  }
}

/** Goes on behind a gap, with what the core's state tells of the request. */
function resume(state: LifeState, { core, stretch }: { core: Scene['core']; stretch: Stretch }): void {
  const known = present(core.requests.get(state.received.request), 'a request under way');
  state.tried = known.tried.slice();
  state.line = undefined;
  state.holding = undefined;
  const lease = known.lease === undefined ? undefined : poolOf(core).leases.get(known.lease);
  if (lease === undefined) {
    state.phase = 'waiting';
    return;
  }
  const { backend, socket, reused, opened } = lease;
  state.holding = { backend, lease: lease.lease, socket, reused, since: stretch.at };
  state.phase = known.phase === 'answering' ? 'answering' : opened ? 'sent' : 'connecting';
  if (state.backends.at(-1) !== backend) state.backends.push(backend);
}

function summarise(state: LifeState, { seq, at, run }: Instant & { readonly run: number }): LifeSummary {
  const { request, requestId, method, path } = state.received;
  const { endedAt, status, code, phase, backends, retries } = state;
  const outcome = state.outcome ?? 'open';
  return {
    ...{ request, requestId, run, seq, method, path, arrivedAt: at, endedAt, outcome },
    ...{ status, code, phase, backends, retries },
  };
}
