/** The life of a request as a timeline to read. */
import type { Candidate } from '../../actors/explain/candidates.ts';
import type { Life, LifeEvent, LifeSummary } from '../../actors/explain/life.ts';
import { eventWords } from './event-words.ts';
import {
  clock,
  day,
  dayAndClock,
  duration,
  grouped,
  offset,
  type Paint,
  type Style,
  shorten,
  WIDTH,
  wrap,
  zone,
} from './format.ts';
import { shortenLineRuns, type Told } from './line-runs.ts';
import { formatTable } from './table.ts';
import { phaseWords, whyOf } from './words.ts';

const OFFSET_WIDTH = 10;

/** @returns the lines of one request's life */
export function formatLife(life: Life, paint: Paint): string[] {
  const { request, requestId, run, method, path, arrivedAt } = life;
  return [
    paint('bold', `Request ${request} of run ${run}, X-Request-ID ${requestId}`),
    ...wrap(`${method} ${path}, arrived ${dayAndClock(arrivedAt)} (${zone(arrivedAt)})`, WIDTH),
    ...wrap(outcomeWords(life), WIDTH).map((line) => paint(styleOfOutcome(life), line)),
    '',
    ...earlierEvents(life).map((line) => paint('dim', line)),
    ...shortenLineRuns(life.timeline.filter((event) => isTold(event, life))).flatMap((told) =>
      'event' in told ? formatEvent(told.event, life, paint) : [paint('dim', leftOutWords(told))],
    ),
    ...(life.omitted === 0
      ? []
      : [`    (${grouped(life.omitted)} further events of the line and of backends left out)`]),
  ];
}

const TURN = { served: 'got their turn', left: 'were left by their clients', rejected: 'were rejected' };

function leftOutWords({ leftOut, what }: Extract<Told, { leftOut: number }>): string {
  const indent = ' '.repeat(clock(0).length + 2 + OFFSET_WIDTH + 2);
  return `${indent}… ${grouped(leftOut)} more that were ahead ${TURN[what]} …`;
}

/** How it ended, in one sentence. */
function outcomeWords(life: LifeSummary): string {
  const { outcome, status, code, phase, backends, retries, arrivedAt, endedAt } = life;
  const after = endedAt === null ? '' : ` after ${duration(endedAt - arrivedAt)}`;
  const again = retries === 0 ? '' : `, having failed at ${backends.slice(0, -1).join(' and ')}`;
  const last = backends.at(-1) ?? 'no backend';
  switch (outcome) {
    case 'ended':
      return `Answered by ${last} with status ${status ?? 'unknown'}${after}${again}.`;
    case 'failed':
      return `Broken off by ${last}${after}, status ${status} had been sent${again}.`;
    case 'rejected':
      return `Rejected by the gateway with ${code}${after}${again}.`;
    case 'aborted':
      return `Given up by its client${after}, ${phaseWords(phase)}${again}.`;
    case 'open':
      return `Still under way where the log ends, ${phaseWords(phase)}.`;
    case 'unknown':
      return `How it ended is not in the log; last seen ${phaseWords(phase)}.`;
  }
}

function styleOfOutcome({ outcome, status }: LifeSummary): Style {
  if (outcome === 'ended') return (status ?? 0) < 400 ? 'green' : 'yellow';
  return outcome === 'failed' || outcome === 'rejected' ? 'red' : 'yellow';
}

/** Whether a backend is of interest for this request: one it was given to, or any if it was given to none. */
function isInvolved(backend: string, { backends }: Life): boolean {
  return backends.length === 0 || backends.includes(backend);
}

/** While it waits every backend matters, else only those that have it. */
function isTold(event: LifeEvent, life: Life): boolean {
  if (event.type !== 'backend-changed' || isInvolved(event.backend, life)) return true;
  const before = life.timeline.slice(0, life.timeline.indexOf(event));
  const last = before.findLast(({ type }) => type === 'queued' || type === 'picked' || type === 'rejected');
  return last?.type === 'queued';
}

const EARLIER_TOLD = 6;

/** What had become of its backends before it arrived. */
function earlierEvents(life: Life): string[] {
  return (
    life.before
      // That a backend was healthy from the start is what one expects.
      .filter(({ backend, from, to }) => isInvolved(backend, life) && (from !== null || to !== 'healthy'))
      .sort((a, b) => a.seq - b.seq)
      .slice(-EARLIER_TOLD)
      .flatMap(({ at, backend, from, to, reason }) => {
        const words =
          from === null ? `${backend}: ${to}, ${reason}` : `${backend}: ${from} → ${to}: ${reason}`;
        return timed(at, life.arrivedAt, words);
      })
  );
}

function timed(at: number, arrivedAt: number, text: string): string[] {
  const time = day(at) === day(arrivedAt) ? clock(at) : day(at).padEnd(clock(at).length);
  const head = `${time}  ${offset(at - arrivedAt).padStart(OFFSET_WIDTH)}  `;
  const [first = '', ...others] = wrap(text, WIDTH - head.length);
  return [`${head}${first}`, ...others.map((line) => `${' '.repeat(head.length)}${line}`)];
}

function formatEvent(event: LifeEvent, life: Life, paint: Paint): string[] {
  const lines = timed(event.at, life.arrivedAt, eventWords(event, life));
  const style = styleOfEvent(event);
  const told = style === undefined ? lines : lines.map((line) => paint(style, line));
  const candidates = 'candidates' in event ? event.candidates : null;
  return candidates === null ? told : [...told, ...formatCandidates(candidates, event.at, paint)];
}

function styleOfEvent(event: LifeEvent): Style | undefined {
  switch (event.type) {
    case 'failed':
    case 'rejected':
      return 'red';
    case 'ended':
    case 'first-byte':
      return 'green';
    case 'aborted':
    case 'interrupted':
    case 'backend-changed':
      return 'yellow';
    default:
      return undefined;
  }
}

function formatCandidates(candidates: readonly Candidate[], at: number, paint: Paint): string[] {
  if (candidates.length === 0) return [];
  return formatTable(
    [
      { title: 'BACKEND' },
      { title: 'WEIGHT', align: 'right' },
      { title: 'CURRENT', align: 'right' },
      { title: 'LEASED', align: 'right' },
      { title: 'IDLE', align: 'right' },
      { title: 'WHY' },
    ],
    candidates.map((candidate) => {
      const { backend, weight, effectiveWeight, currentWeight, pool, verdict } = candidate;
      const { before, after } = currentWeight;
      return {
        mark: verdict === 'taken' ? '→' : '',
        style: verdict === 'taken' ? 'bold' : undefined,
        cells: [
          shorten(backend, 40),
          effectiveWeight === weight ? String(weight) : `${effectiveWeight} of ${weight}`,
          before === after ? String(before) : `${before} → ${after}`,
          `${pool.leased}/${pool.size}`,
          String(pool.idle),
          whyOf(candidate, candidates, at),
        ],
      };
    }),
    paint,
  );
}

function briefOutcome({ outcome, status, code, backends, arrivedAt, endedAt }: LifeSummary): string {
  const after = endedAt === null ? '' : ` after ${duration(endedAt - arrivedAt)}`;
  const at = backends.length === 0 ? '' : ` (${backends.join(', ')})`;
  const words = {
    ended: `status ${status ?? 'unknown'}`,
    failed: 'broken off',
    rejected: `rejected: ${code}`,
    aborted: 'given up by its client',
    open: 'under way where the log ends',
    unknown: 'its end is not in the log',
  }[outcome];
  return `${words}${after}${at}`;
}

/** Many requests of one id, one line each. */
export function formatList(lives: readonly LifeSummary[], total: number, paint: Paint): string[] {
  const rows = lives.slice(0, LISTED).map((life) => ({
    cells: [
      `seq:${life.seq}`,
      String(life.run),
      String(life.request),
      dayAndClock(life.arrivedAt),
      briefOutcome(life),
    ],
  }));
  const more = total - rows.length;
  return [
    paint(
      'bold',
      `${grouped(total)} requests carry this id. Explain one of them by its entry, as \`seq:N\`:`,
    ),
    '',
    ...formatTable(
      [
        { title: 'ENTRY', align: 'right' },
        { title: 'RUN', align: 'right' },
        { title: 'REQUEST', align: 'right' },
        { title: 'ARRIVED' },
        { title: 'WHAT CAME OF IT' },
      ],
      rows,
      paint,
    ),
    ...(more > 0 ? [`    and ${grouped(more)} more`] : []),
  ];
}

const LISTED = 50;
