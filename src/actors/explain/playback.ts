/**
 * Plays a recorded log to someone who watches the core at work: each entry is shown before and after the core takes it.
 * Where the log is interrupted (another run of the gateway, a gap, damage), a new stretch begins, and nothing
 * remembered from the one before may be carried over.
 */
import type { Core } from '../core.ts';
import type { Entry } from '../events.ts';
import type { LogLine, SnapshotLine } from '../log-lines.ts';
import { createReplay, type Divergence, type Replay } from '../replay.ts';
import { createHistory, type History, type Instant } from './history.ts';

/** A part of the log in which every state follows from the one before. */
export type Stretch = Instant & {
  /**
   * What it begins with: `run` a start of the gateway, `log` the log itself, in the middle of a run; `gap`, `damage` and
   * `divergence` are interruptions of a run.
   */
  readonly began: 'run' | 'log' | 'gap' | 'damage' | 'divergence';
  /** 1 for the first run in the log. Numbers of requests, leases and sockets are unique within a run. */
  readonly run: number;
  /** Entries that cannot be read before it. */
  readonly missing: number;
  /** What kept them out, where a gap says so. */
  readonly reason: string | null;
};

/** What a watcher may look at, and never touch. */
export type Scene = { readonly core: Core; readonly history: History; readonly stretch: Stretch };

export type Watcher = {
  /** A stretch begins; the core is in its first state. */
  begin(scene: Scene): void;
  before(entry: Entry, scene: Scene): void;
  after(entry: Entry, scene: Scene): void;
};

/** A line as the reader of the log hands it out. */
export type PlayedItem = { readonly line: LogLine; readonly covered: string; readonly continuous: boolean };

export type Playback = {
  take(item: PlayedItem): void;
  /** Damage stands before the next item. */
  interrupt(): void;
  /** Goes over to a state behind an interruption even though no entry follows it, if it is not beyond `until`. */
  settle(until: Instant): void;
  /** Undefined until the first entry. */
  readonly scene: Scene | undefined;
  readonly first: Instant | undefined;
  readonly last: Instant | undefined;
  readonly stretches: readonly Stretch[];
  /** Where the core decided otherwise than recorded, the first time. */
  readonly divergence: Divergence | undefined;
  /** An interruption after the last entry so far. */
  readonly isInterrupted: boolean;
};

/** Stretches named in a report; a log of rubbish must not fill the memory. */
const STRETCHES_KEPT = 1000;

type State = {
  readonly watcher: Watcher;
  readonly replay: Replay;
  readonly stretches: Stretch[];
  scene: Scene | undefined;
  first: Instant | undefined;
  last: Instant | undefined;
  divergence: Divergence | undefined;
  /** False from a divergence on, up to the next snapshot. */
  trusted: boolean;
  /** A state to go over to once an entry follows it, and what is known of why it does not follow from the one before. */
  waiting: SnapshotLine | undefined;
  cause: Stretch['began'];
  gapReason: string | null;
  isNewRun: boolean;
  run: number;
};

export function createPlayback(watcher: Watcher): Playback {
  const state: State = {
    watcher,
    // Hashes are for `replay` to check.
    replay: createReplay(String),
    stretches: [],
    scene: undefined,
    first: undefined,
    last: undefined,
    divergence: undefined,
    trusted: true,
    waiting: undefined,
    cause: 'log',
    gapReason: null,
    isNewRun: false,
    run: 0,
  };
  return {
    take({ line, covered, continuous }) {
      if ('fact' in line) takeEntry(state, line, covered);
      else if (line.type === 'segment') state.isNewRun ||= line.reason === 'started';
      else if (line.type === 'log.gap') {
        state.gapReason = line.reason;
        if (state.cause !== 'damage') state.cause = 'gap';
      } else if (line.type === 'snapshot' && !(continuous && state.trusted)) state.waiting = line;
    },
    interrupt() {
      state.cause = 'damage';
    },
    settle(until) {
      const { waiting, isNewRun, gapReason } = state;
      // A run that is recorded from its start has no state yet worth going over to.
      if (waiting === undefined || (isNewRun && gapReason === null)) return;
      if (waiting.seq <= until.seq && waiting.at <= until.at) begin(state, waiting, waiting.at);
    },
    stretches: state.stretches,
    get scene() {
      return state.scene;
    },
    get first() {
      return state.first;
    },
    get last() {
      return state.last;
    },
    get divergence() {
      return state.divergence;
    },
    get isInterrupted() {
      return state.waiting !== undefined || !state.trusted;
    },
  };
}

function takeEntry(state: State, entry: Entry, covered: string): void {
  if (state.waiting !== undefined) {
    state.isNewRun ||= entry.fact.type === 'gateway.started';
    begin(state, state.waiting, entry.at);
  }
  const { watcher, scene } = state;
  const instant = { seq: entry.seq, at: entry.at };
  state.first ??= instant;
  state.last = instant;
  if (!state.trusted || scene === undefined) return;
  watcher.before(entry, scene);
  const divergence = state.replay.take(entry, covered);
  if (divergence !== undefined) {
    state.divergence ??= divergence;
    state.trusted = false;
    state.cause = 'divergence';
    return;
  }
  scene.history.note(entry, scene.core);
  watcher.after(entry, scene);
}

/** Begins a stretch with the state in a snapshot. */
function begin(state: State, snapshot: SnapshotLine, at: number): void {
  const { replay, stretches, isNewRun, gapReason: reason } = state;
  if (isNewRun || state.run === 0) state.run += 1;
  replay.load(snapshot.state);
  const missing = Math.max(0, snapshot.seq - (state.last?.seq ?? 0));
  const stretch: Stretch = {
    began: isNewRun ? 'run' : state.cause,
    run: state.run,
    ...{ seq: snapshot.seq, at, missing, reason },
  };
  if (stretches.length < STRETCHES_KEPT) stretches.push(stretch);
  state.scene = { core: replay.balancer.core, history: createHistory(), stretch };
  state.waiting = undefined;
  state.cause = 'gap';
  state.gapReason = null;
  state.isNewRun = false;
  state.trusted = true;
  state.watcher.begin(state.scene);
}
