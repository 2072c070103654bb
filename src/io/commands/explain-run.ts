/**
 * Runs `reprise explain`: one request's life, one backend's, or the state at one moment, told from a recorded log. The
 * exit code says whether it was found: 0; 1 if there is no such thing; 2 if replay goes another way than the record; 3 if
 * the log is damaged, whatever was found in the rest.
 */
import { watchBackend } from '../../actors/explain/backend-watch.ts';
import type { Instant } from '../../actors/explain/history.ts';
import { watchMoment } from '../../actors/explain/moment-watch.ts';
import { MANY, type RequestReport, watchRequests } from '../../actors/explain/request-watch.ts';
import { LogRefusedError } from '../event-log/reader-files.ts';
import { endOfLog, lastTimeOfDay, type Point, parsePoint } from '../event-log/replay-range.ts';
import { formatBackend } from '../explain/backend-text.ts';
import { dayAndClock, grouped, type Paint, paintFor } from '../explain/format.ts';
import { formatMoment, type Moment } from '../explain/moment-text.ts';
import { type LogFacts, playLog } from '../explain/play.ts';
import { formatLife, formatList } from '../explain/request-text.ts';
import { createProgress } from './replay-progress.ts';

const EXIT_NOT_FOUND = 1;
const EXIT_DIVERGED = 2;
const EXIT_DAMAGED = 3;
/** From sysexits.h: EX_USAGE. */
const EXIT_USAGE = 64;

/** The version of the JSON that `--json` prints. */
const JSON_VERSION = 1;

export type ExplainFlags = { readonly backend?: string; readonly at?: string; readonly json?: true };

/** What came of it: for machines, for people, and what is to be said beside it. */
type Explanation = {
  readonly isFound: boolean;
  readonly json: object;
  lines(paint: Paint): string[];
  readonly log: LogFacts;
  /** Where it was not found, what there is instead. */
  readonly hints: readonly string[];
};

type Progress = (bytesDone: number, bytesTotal: number) => void;

/**
 * @param request an `X-Request-ID`, a request's number, or `seq:N` for the one that arrived in entry N
 * @param refuse ends the command with a message about a wrong flag; it throws
 * @returns the exit code
 */
export async function runExplain(
  path: string,
  request: string | undefined,
  flags: ExplainFlags,
  refuse: (message: string) => never,
): Promise<number> {
  const progress = createProgress('reading', process.stderr);
  try {
    const explanation = await explain(path, request, flags, refuse, progress.show);
    progress.clear();
    const { isFound, json, log } = explanation;
    if (flags.json === true) process.stdout.write(`${JSON.stringify({ v: JSON_VERSION, ...json, log })}\n`);
    else if (isFound) process.stdout.write(`${explanation.lines(paintFor(process.stdout)).join('\n')}\n`);
    for (const line of [...explanation.hints, ...troubles(log)]) process.stderr.write(`reprise: ${line}\n`);
    return exitCodeOf(explanation);
  } catch (error) {
    progress.clear();
    if (!(error instanceof LogRefusedError)) throw error;
    process.stderr.write(`reprise: ${error.message}\n`);
    return EXIT_USAGE;
  }
}

async function explain(
  path: string,
  request: string | undefined,
  { backend, at }: ExplainFlags,
  refuse: (message: string) => never,
  onProgress: Progress,
): Promise<Explanation> {
  const asked = [request, backend, at].filter((each) => each !== undefined);
  if (asked.length !== 1) {
    return refuse('explain wants one of a request, --backend ID and --at TIME; see reprise explain --help');
  }
  if (backend !== undefined) return explainBackend(path, backend, onProgress);
  if (request !== undefined) return explainRequest(path, request, onProgress);
  return explainMoment(path, await resolvePoint(path, at ?? '', refuse), onProgress);
}

/** Tells the life of the requests of this id. */
export async function explainRequest(
  path: string,
  id: string,
  onProgress: Progress,
): Promise<Explanation & { readonly report: RequestReport }> {
  const watch = watchRequests(id);
  const { log } = await playLog(path, watch, undefined, onProgress);
  const report = watch.report();
  const { requests, total } = report;
  return {
    isFound: total > 0,
    log,
    report,
    json: { explain: 'request', id, ...report },
    lines: (paint) =>
      total > MANY
        ? formatList(requests, total, paint)
        : requests.flatMap((life, index) => [...(index === 0 ? [] : ['', '']), ...formatLife(life, paint)]),
    hints: total > 0 ? [] : requestHints(id, report, log),
  };
}

function requestHints(id: string, { similar, runs }: RequestReport, log: LogFacts): string[] {
  const meant = similar.length === 0 ? [] : [`did you mean ${similar.join(', ')}?`];
  const numbers = runs.flatMap(({ run, requests }) =>
    requests === null ? [] : [`${grouped(requests.first)} to ${grouped(requests.last)} in run ${run}`],
  );
  const known =
    numbers.length === 0 ? 'it has no request at all' : `requests ${numbers.slice(-5).join(', ')}`;
  return [
    `there is no request ${id} in this log`,
    ...meant,
    `${spanOf(log)}: ${known}`,
    ...absenceHints(log),
  ];
}

/** Why something may be missing though it was there. */
function absenceHints({ stretches, from }: LogFacts): string[] {
  const missing = stretches.reduce(
    (sum, stretch) => sum + (stretch.began === 'log' ? 0 : stretch.missing),
    0,
  );
  return [
    ...(stretches[0]?.began === 'log' && from !== null
      ? ['the log begins in the middle of a run; what came before it is not in it']
      : []),
    ...(missing === 0 ? [] : [`${grouped(missing)} entries of the log are missing`]),
  ];
}

function spanOf({ from, until }: LogFacts): string {
  if (from === null || until === null) return 'the log has no entry';
  return `the log reaches from ${dayAndClock(from.at)} (entry ${from.seq}) to ${dayAndClock(until.at)} (entry ${until.seq})`;
}

async function explainBackend(path: string, id: string, onProgress: Progress): Promise<Explanation> {
  const watch = watchBackend(id);
  const { log } = await playLog(path, watch, undefined, onProgress);
  const { stretches, known, similar } = watch.report();
  const isFound = stretches.length > 0;
  const meant = similar.length === 0 ? [] : [`did you mean ${similar.join(', ')}?`];
  return {
    isFound,
    log,
    json: { explain: 'backend', backend: id, stretches, known, similar },
    lines: (paint) => formatBackend(id, stretches, paint),
    hints: isFound
      ? []
      : [
          `there is no backend ${id} in this log`,
          ...meant,
          `its backends: ${known.join(', ') || 'none'}`,
          spanOf(log),
        ],
  };
}

async function explainMoment(path: string, point: Point, onProgress: Progress): Promise<Explanation> {
  const watch = watchMoment();
  const { playback, next, log } = await playLog(path, watch, point, onProgress);
  const { scene, last } = playback;
  const end = next === null ? last?.at : await endOfLog(path);
  if (scene === undefined || (next === null && isAfter(point, last))) {
    const from = log.from ?? next;
    const span =
      from === null || end === undefined
        ? spanOf(log)
        : `the log reaches from ${dayAndClock(from.at)} (entry ${from.seq}) to ${dayAndClock(end)}`;
    const what = 'seq' in point ? `entry ${point.seq}` : dayAndClock(point.at);
    const hints = [`the log tells nothing of ${what}`, span];
    return { isFound: false, log, json: { explain: 'moment', point, found: null }, lines: () => [], hints };
  }
  const behind = last !== undefined && last.seq >= scene.stretch.seq ? last : scene.stretch;
  const moment: Moment = {
    at: 'at' in point ? point.at : behind.at,
    last: { seq: behind.seq, at: behind.at },
    next,
    isInterrupted: playback.isInterrupted,
    ...watch.report(scene),
  };
  return {
    isFound: true,
    log,
    json: { explain: 'moment', point, found: moment },
    lines: (paint) => formatMoment(moment, paint),
    hints: [],
  };
}

function isAfter(point: Point, last: Instant | undefined): boolean {
  if (last === undefined) return true;
  return 'seq' in point ? point.seq > last.seq : point.at > last.at;
}

async function resolvePoint(path: string, text: string, refuse: (message: string) => never): Promise<Point> {
  const point = parsePoint(text.replace(/^seq:/, ''));
  if (point === undefined || (text.startsWith('seq:') && !('seq' in point))) {
    return refuse(`--at ${text} is no entry (seq:N) and no time (ISO 8601, epoch ms, HH:MM[:SS])`);
  }
  if (!('timeOfDayMs' in point)) return point;
  // A last segment without a readable line is most likely today's.
  const end = (await endOfLog(path)) ?? Date.now();
  return { at: lastTimeOfDay(point.timeOfDayMs, end) };
}

/** What is wrong with the log, so that the explanation may be wrong or not whole. */
export function troubles({ damage, divergence }: LogFacts): string[] {
  return [
    ...damage.flatMap(({ segment, line, byte, problem, readable, tornBytes }) =>
      tornBytes > 0
        ? [`the last line of ${segment} is not complete (${grouped(tornBytes)} bytes); it was left out`]
        : [`${segment}, line ${line}, byte ${byte}: ${problem}`, `what could be read: ${readable}`],
    ),
    ...(divergence === null
      ? []
      : [
          `from entry ${divergence.seq} on the core decides otherwise than recorded, so nothing is told up to the next snapshot; run reprise replay`,
        ]),
  ];
}

/** A torn last line is what a crash, or a gateway that is writing, leaves; everything before it is whole. */
function exitCodeOf({ isFound, log }: Explanation): number {
  if (log.damage.some(({ tornBytes }) => tornBytes === 0)) return EXIT_DAMAGED;
  if (log.divergence !== null) return EXIT_DIVERGED;
  return isFound ? 0 : EXIT_NOT_FOUND;
}
