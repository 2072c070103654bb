/**
 * Replays a recorded log: every decision is computed again and compared, every hash of the state too. After a divergence
 * or damage it goes on from the next snapshot, so that one fault does not hide what lies behind it.
 */
import type { Entry } from '../../actors/events.ts';
import { createFigures, type Figures } from '../../actors/figures/figures.ts';
import { foldEntry } from '../../actors/figures/fold.ts';
import { resumeFigures } from '../../actors/figures/resume.ts';
import type { CheckpointLine, SnapshotLine } from '../../actors/log-lines.ts';
import { createReplay, type Divergence, type Replay } from '../../actors/replay.ts';
import type { BackendView } from '../../actors/view.ts';
import { type Damage, type LogItem, type Place, readLog } from './reader.ts';
import { LogRefusedError } from './reader-files.ts';
import { chooseFrom, isBeyond, isReached, type Point } from './replay-range.ts';
import { stateHash } from './segments.ts';

export type ReplayOptions = {
  /** Begins at the last snapshot at or before it. */
  readonly from?: Point | undefined;
  /** The last entry, or the last moment, that is replayed. */
  readonly until?: Point | undefined;
  /** Whether the figures of the entries are wanted. */
  readonly withFigures?: boolean;
  readonly onProgress?: (bytesDone: number, bytesTotal: number) => void;
};

/** A divergence with the entries around it. */
export type DivergenceReport = {
  readonly divergence: Divergence;
  readonly place: Place;
  readonly before: readonly Entry[];
  /** The ones that follow in the log, whatever the core would have made of them. */
  readonly after: readonly Entry[];
};

export type Moment = { readonly seq: number; readonly at: number };

export type ReplayReport = {
  readonly entries: number;
  readonly factsByType: ReadonlyMap<string, number>;
  /** Recorded decisions that were compared. */
  readonly decisions: number;
  /** Entries between a divergence and the next snapshot, with which nothing could be compared. */
  readonly skipped: number;
  /** Hashes of the state that were compared. */
  readonly hashes: number;
  readonly divergences: number;
  readonly firstDivergence: DivergenceReport | undefined;
  readonly damage: readonly Damage[];
  /** Bytes of a torn last line. */
  readonly recovered: number;
  readonly gaps: number;
  /** Entries that the gaps say were not recorded. */
  readonly dropped: number;
  /** What went wrong first, since what comes behind may follow from it. */
  readonly firstTrouble: 'damage' | 'divergence' | undefined;
  readonly from: Moment | undefined;
  readonly until: Moment | undefined;
  /** The state at the end, which is after the entry `stateSeq`. */
  readonly stateSeq: number | undefined;
  readonly stateHash: string;
  readonly backends: readonly BackendView[];
  readonly queued: number;
  readonly inFlight: number;
  /** Of the last run of the gateway in the range, from its start or that of the range on; if they were wanted. */
  readonly figures: Figures | undefined;
};

/** Entries kept on each side of the first divergence. */
const AROUND = 5;
/** Beyond these, damage is as good as everywhere; a log of rubbish must not fill the memory. */
const MAX_DAMAGE_KEPT = 100;

/**
 * @param path a folder of segments, or one segment
 * @throws LogRefusedError if there is nothing to replay
 */
export async function replayLog(path: string, options: ReplayOptions = {}): Promise<ReplayReport> {
  const { from, onProgress } = options;
  const run = createRun(options);
  const log = readLog(path, {
    onDamage: (damage) => noteDamage(run, damage),
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(from === undefined ? {} : { choose: (segments) => chooseFrom(segments, from) }),
  });
  reading: for await (const batch of log) {
    for (const item of batch) if (!takeItem(run, item)) break reading;
  }
  if (!run.reachedFrom && run.tally.firstTrouble === undefined) refuseRange(run);
  return reportOf(run);
}

/** @throws LogRefusedError since the log, or the range, ended before its beginning */
function refuseRange({ tally, stateSeq, isEnded }: Run): never {
  const { seq, at } = tally.until ?? { seq: stateSeq ?? 0, at: undefined };
  const time = at === undefined ? '' : `, at ${new Date(at).toISOString()}`;
  throw new LogRefusedError(
    'LOG_OUT_OF_RANGE',
    isEnded
      ? `--until is before --from: it ends the replay with entry ${seq}${time}`
      : `the log ends with entry ${seq}${time}; --from is behind that`,
  );
}

type Run = {
  readonly replay: Replay;
  readonly from: Point | undefined;
  readonly until: Point | undefined;
  tally: ReturnType<typeof createTally>;
  /** False from a divergence on, up to the next snapshot. */
  isTrusted: boolean;
  /** Whether an entry or a snapshot at or behind `from` has come. */
  reachedFrom: boolean;
  /** Whether `until` was reached before the end of the log. */
  isEnded: boolean;
  stateSeq: number | undefined;
  /** The last few entries, up to the first divergence. */
  recent: Entry[];
  figures: Figures | undefined;
};

function createRun({ from, until, withFigures = false }: ReplayOptions): Run {
  const replay = createReplay(stateHash);
  return {
    ...{ replay, from, until },
    tally: createTally(),
    isTrusted: false,
    reachedFrom: from === undefined,
    isEnded: false,
    stateSeq: undefined,
    recent: [],
    figures: withFigures ? createFigures() : undefined,
  };
}

function createTally() {
  return {
    entries: 0,
    factsByType: new Map<string, number>(),
    decisions: 0,
    skipped: 0,
    hashes: 0,
    divergences: 0,
    firstDivergence: undefined as (DivergenceReport & { readonly after: Entry[] }) | undefined,
    damage: [] as Damage[],
    recovered: 0,
    gaps: 0,
    dropped: 0,
    firstTrouble: undefined as ReplayReport['firstTrouble'],
    from: undefined as Moment | undefined,
    until: undefined as Moment | undefined,
  };
}

/** @returns false once the end of the range is reached */
function takeItem(run: Run, item: LogItem): boolean {
  const { line, place } = item;
  if ('fact' in line) {
    run.isEnded = run.until !== undefined && isBeyond(line, run.until);
    if (run.isEnded) return false;
    noteReached(run, line);
    takeEntry(run, line, item);
    return true;
  }
  switch (line.type) {
    case 'snapshot':
      return takeSnapshot(run, line, item);
    case 'checkpoint':
      if (run.isTrusted) compareHash(run, line, place);
      return true;
    case 'log.gap':
      run.tally.gaps += 1;
      run.tally.dropped += line.dropped;
      return true;
    case 'segment':
      return true;
  }
}

/** An entry that was not recorded is reached with the snapshot behind the gap. */
function noteReached(run: Run, line: Moment): void {
  run.reachedFrom ||= run.from !== undefined && isReached(line, run.from);
}

function takeEntry(run: Run, entry: Entry, { place, covered }: LogItem): void {
  const { tally } = run;
  const { type } = entry.fact;
  tally.entries += 1;
  tally.factsByType.set(type, (tally.factsByType.get(type) ?? 0) + 1);
  tally.from ??= { seq: entry.seq, at: entry.at };
  tally.until = { seq: entry.seq, at: entry.at };
  noteAfter(run, entry);
  if (run.figures !== undefined) foldEntry(run.figures, entry);
  if (run.isTrusted) {
    tally.decisions += entry.decisions.length;
    run.stateSeq = entry.seq;
    judge(run, run.replay.take(entry, covered), place);
  } else tally.skipped += 1;
  if (tally.firstDivergence !== undefined) return;
  run.recent.push(entry);
  if (run.recent.length > 2 * AROUND) run.recent.splice(0, AROUND);
}

function takeSnapshot(run: Run, line: SnapshotLine, { place, continuous }: LogItem): boolean {
  const { from, until } = run;
  run.isEnded = until !== undefined && isBeyond(line, until);
  if (run.isEnded) {
    if (run.stateSeq !== undefined) return false;
    const where = `behind entry ${line.seq}, at ${new Date(line.at).toISOString()}`;
    throw new LogRefusedError(
      'LOG_OUT_OF_RANGE',
      from === undefined
        ? `the log begins ${where}; --until is before that`
        : `--until is before the last snapshot by --from, which is ${where}`,
    );
  }
  noteReached(run, line);
  if (from !== undefined && !isBeyond({ seq: line.seq + 1, at: line.at }, from)) {
    run.tally = createTally();
    run.recent = [];
    if (run.figures !== undefined) run.figures = createFigures();
  }
  if (run.figures !== undefined && (!continuous || run.tally.entries === 0)) {
    resumeFigures(run.figures, line.state);
  }
  if (!continuous || !run.isTrusted) {
    const problem = load(run.replay, line);
    run.isTrusted = problem === undefined;
    if (problem !== undefined) {
      noteDamage(run, { ...place, problem, readable: 'what is behind the next snapshot', tornBytes: 0 });
      return true;
    }
    run.stateSeq = line.seq;
  }
  compareHash(run, line, place);
  return true;
}

/** @returns why the snapshot cannot be loaded, in words */
function load(replay: Replay, { state }: SnapshotLine): string | undefined {
  try {
    replay.load(state);
    return undefined;
  } catch (error) {
    return `the snapshot cannot be loaded: ${String(error)}`;
  }
}

function compareHash(run: Run, { seq, at, hash }: SnapshotLine | CheckpointLine, place: Place): void {
  run.tally.hashes += 1;
  judge(run, run.replay.compare(seq, at, hash), place);
}

function judge(run: Run, divergence: Divergence | undefined, place: Place): void {
  if (divergence === undefined) return;
  const { tally } = run;
  run.isTrusted = false;
  tally.divergences += 1;
  tally.firstTrouble ??= 'divergence';
  tally.firstDivergence ??= { divergence, place, before: run.recent.slice(-AROUND), after: [] };
}

function noteAfter({ tally }: Run, entry: Entry): void {
  const after = tally.firstDivergence?.after;
  if (after !== undefined && after.length < AROUND) after.push(entry);
}

function noteDamage({ tally }: Run, damage: Damage): void {
  tally.firstTrouble ??= 'damage';
  tally.recovered += damage.tornBytes;
  if (tally.damage.length < MAX_DAMAGE_KEPT) tally.damage.push(damage);
}

function reportOf({ replay, tally, stateSeq, figures }: Run): ReplayReport {
  const { core } = replay.balancer;
  return {
    ...tally,
    stateSeq,
    stateHash: replay.stateHash(),
    backends: replay.balancer.backends(),
    queued: core.pool.getSnapshot().context.waiting.length,
    inFlight: core.requests.size,
    figures,
  };
}
