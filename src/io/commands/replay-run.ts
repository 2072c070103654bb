/** Runs `reprise replay`: resolves the range, shows progress, prints the report, and says in the exit code how it went. */
import { setFlagsFromString } from 'node:v8';
import type { Figures } from '../../actors/figures/figures.ts';
import { LogRefusedError } from '../event-log/reader-files.ts';
import { type ReplayReport, replayLog } from '../event-log/replay-log.ts';
import { endOfLog, isBackwards, lastTimeOfDay, type Point, parsePoint } from '../event-log/replay-range.ts';
import { createProgress } from './replay-progress.ts';
import { formatReport } from './replay-text.ts';

export const EXIT_DIVERGED = 2;
export const EXIT_DAMAGED = 3;
/** From sysexits.h: EX_USAGE. */
const EXIT_USAGE = 64;

/** For output that goes to no terminal. */
const DEFAULT_COLUMNS = 100;

type ReplayFlags = {
  readonly from?: string;
  readonly until?: string;
  readonly metrics?: true;
  readonly json?: true;
};

/**
 * @param refuse ends the command with a message about a wrong flag; it throws
 * @returns the exit code
 */
export async function runReplay(
  path: string,
  flags: ReplayFlags,
  refuse: (message: string) => never,
): Promise<number> {
  // Nothing lives longer than its line, so a small nursery serves as well; V8 would let it grow to a third of the memory.
  setFlagsFromString('--semi-space-growth-factor=1');
  const progress = createProgress('replaying', process.stderr);
  try {
    const from = await resolvePoint(path, '--from', flags.from, refuse);
    const until = await resolvePoint(path, '--until', flags.until, refuse);
    if (from !== undefined && until !== undefined && isBackwards(from, until)) {
      refuse(`--until ${flags.until} is before --from ${flags.from}`);
    }
    const withFigures = flags.metrics === true;
    const report = await replayLog(path, { from, until, withFigures, onProgress: progress.show });
    progress.clear();
    const columns = process.stdout.columns ?? DEFAULT_COLUMNS;
    if (report.figures !== undefined) await writeFigures(path, report, report.figures, flags.json === true);
    else if (flags.json) process.stdout.write(`${JSON.stringify(toJson(report))}\n`);
    else process.stdout.write(`${formatReport(path, report, columns)}\n`);
    return exitCodeOf(report);
  } catch (error) {
    progress.clear();
    if (!(error instanceof LogRefusedError)) throw error;
    process.stderr.write(`reprise: ${error.message}\n`);
    return EXIT_USAGE;
  }
}

async function writeFigures(
  path: string,
  report: ReplayReport,
  figures: Figures,
  asJson: boolean,
): Promise<void> {
  const { recordedMetrics } = await import('../metrics/metrics.ts');
  const { backends, queued, inFlight, dropped, firstTrouble } = report;
  const metrics = recordedMetrics({ figures, core: { backends, queued, inFlight } });
  process.stdout.write(asJson ? `${JSON.stringify(await metrics.json())}\n` : await metrics.text());
  if (dropped > 0) {
    process.stderr.write(`reprise: ${dropped} entries are missing in the log, and in these figures\n`);
  }
  if (firstTrouble !== undefined) {
    process.stderr.write(
      `reprise: the replay is not faithful (${firstTrouble}); run "reprise replay ${path}" for where and why\n`,
    );
  }
}

/** What goes wrong first decides, since damage may be the cause of a divergence behind it and not of one before it. */
function exitCodeOf({ firstTrouble }: ReplayReport): number {
  if (firstTrouble === undefined) return 0;
  return firstTrouble === 'damage' ? EXIT_DAMAGED : EXIT_DIVERGED;
}

async function resolvePoint(
  path: string,
  flag: string,
  text: string | undefined,
  refuse: (message: string) => never,
): Promise<Point | undefined> {
  if (text === undefined) return undefined;
  const point = parsePoint(text);
  if (point === undefined) {
    return refuse(`${flag} ${text} is no entry's number and no time (ISO 8601, epoch ms, HH:MM[:SS])`);
  }
  if (!('timeOfDayMs' in point)) return point;
  const end = await endOfLog(path);
  return end === undefined ? undefined : { at: lastTimeOfDay(point.timeOfDayMs, end) };
}

function toJson(report: ReplayReport): object {
  const { entries, decisions, hashes, skipped, divergences, firstDivergence, recovered, gaps, dropped } =
    report;
  const { stateSeq, stateHash, from, until, backends, queued, inFlight, damage, factsByType } = report;
  return {
    entries,
    facts: entries,
    decisions,
    divergences,
    firstDivergence:
      firstDivergence === undefined
        ? null
        : {
            ...firstDivergence.divergence,
            ...firstDivergence.place,
            before: firstDivergence.before,
            after: firstDivergence.after,
          },
    recovered,
    gaps,
    stateHash,
    from: from ?? null,
    until: until ?? null,
    backends,
    stateSeq: stateSeq ?? null,
    queued,
    inFlight,
    factsByType: Object.fromEntries(factsByType),
    hashes,
    skipped,
    dropped,
    damage,
  };
}
