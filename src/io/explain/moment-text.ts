/** The state of everything at one moment. */

import type { Entry } from '../../actors/events.ts';
import type { Change, Instant } from '../../actors/explain/history.ts';
import type {
  BackendNow,
  ConfigChange,
  MomentReport,
  RequestNow,
} from '../../actors/explain/moment-watch.ts';
import {
  clockBeside,
  dayAndClock,
  duration,
  fullClockBeside,
  grouped,
  hang,
  offset,
  type Paint,
  type Style,
  shorten,
  zone,
} from './format.ts';
import { stretchWords } from './stretch-words.ts';
import { type Column, formatTable } from './table.ts';
import { decisionWords, factWords, whyNotHealthy } from './words.ts';

/** Longer lists are cut; `--json` has all. */
const LISTED = 20;
const ID_WIDTH = 24;

/** A moment of the log: when, what the last entry before it was, and what it finds. */
export type Moment = MomentReport & {
  readonly at: number;
  readonly last: Instant;
  /** Null where the log ends. */
  readonly next: (Instant & { readonly type: string }) | null;
  /** Whether entries are missing between `last` and `next`, so that the state is that of `last`. */
  readonly isInterrupted: boolean;
};

export function formatMoment(moment: Moment, paint: Paint): string[] {
  const { at, last, phase, stretch } = moment;
  const before = at === last.at ? '' : `, which came ${duration(at - last.at)} before`;
  return [
    paint('bold', `The state at ${dayAndClock(at)} (${zone(at)})`),
    ...hang('', `After entry ${last.seq}${before}. The gateway was ${PHASE_WORDS[phase]}.`),
    ...hang('', `${stretchWords(stretch)}.`),
    ...warnings(moment).flatMap((words) => hang('', words).map((line) => paint('yellow', line))),
    '',
    ...formatBackends(moment, paint),
    '',
    ...formatWaiting(moment, paint),
    ...formatInFlight(moment, paint),
    '',
    ...formatChanges(moment, paint),
    '',
    ...formatEntries(moment, paint),
  ];
}

const PHASE_WORDS = {
  running: 'running',
  stopping: 'stopping: it finished what was in flight',
  stopped: 'stopped',
} as const;

function warnings({ isInterrupted, next, last, phase }: Moment): string[] {
  if (next?.type === 'gateway.started') {
    const killed =
      phase === 'stopped' ? '' : ' Nothing stopped this run: it was killed, or its end is missing.';
    return [
      `The run ended with entry ${last.seq}: the next entry, at ${dayAndClock(next.at)}, is another start of the gateway.${killed}`,
    ];
  }
  if (!isInterrupted) return [];
  return [
    `The log is interrupted here: this is the state after entry ${last.seq}, and what followed is missing.`,
  ];
}

function formatBackends({ backends, at }: Moment, paint: Paint): string[] {
  if (backends.length === 0) return ['There is no backend.'];
  const columns: Column[] = [
    { title: 'BACKEND' },
    { title: 'WEIGHT', align: 'right' },
    { title: 'CURRENT', align: 'right' },
    { title: 'LEASED', align: 'right' },
    { title: 'IDLE', align: 'right' },
    { title: 'SENT', align: 'right' },
    { title: 'FAILED', align: 'right' },
    { title: 'STATE' },
  ];
  const rows = backends.map((backend) => ({
    style: STATE_STYLES[backend.state],
    cells: [
      shorten(backend.backend, 40),
      String(backend.weight),
      String(backend.currentWeight),
      `${backend.pool.leased}/${backend.pool.size}`,
      String(backend.pool.idle),
      grouped(backend.requests.total),
      grouped(backend.requests.failed),
      stateWords(backend, at),
    ],
  }));
  return formatTable(columns, rows, paint);
}

const STATE_STYLES: Readonly<Record<BackendNow['state'], Style | undefined>> = {
  healthy: undefined,
  unhealthy: 'red',
  ejected: 'red',
  draining: 'yellow',
  drained: 'yellow',
  removed: 'dim',
};

function stateWords(backend: BackendNow, at: number): string {
  const { state, since, probes } = backend;
  if (state !== 'healthy') {
    const rising =
      probes.consecutiveSuccesses === 0
        ? ''
        : `; ${probes.consecutiveSuccesses} of ${probes.rise} probes have succeeded since`;
    return `${whyNotHealthy(backend, at)}${state === 'unhealthy' ? rising : ''}`;
  }
  const when = since === null ? '' : ` since ${clockBeside(since, at)}`;
  if (probes.consecutiveFailures === 0) return `healthy${when}`;
  return `healthy${when}; ${probes.consecutiveFailures} of ${probes.fall} probes have failed, the last with: ${probes.last}`;
}

function formatWaiting({ waiting, queue, at }: Moment, paint: Paint): string[] {
  if (waiting.length === 0) return [`No request waits (pool.queue.max ${grouped(queue.max)}).`];
  const rows = waiting.slice(0, LISTED).map((request, index) => ({
    cells: [
      String(index + 1),
      String(request.request),
      request.queuedAt === null ? '?' : duration(at - request.queuedAt),
      ageOf(request, at),
      ...namesOf(request),
    ],
  }));
  return [
    `${grouped(waiting.length)} of at most ${grouped(queue.max)} wait:`,
    ...formatTable(
      [
        { title: 'PLACE', align: 'right' },
        { title: 'REQUEST', align: 'right' },
        { title: 'WAITS FOR', align: 'right' },
        { title: 'AGE', align: 'right' },
        { title: 'X-REQUEST-ID' },
        { title: 'PATH' },
      ],
      rows,
      paint,
    ),
    ...moreThan(waiting.length),
  ];
}

function formatInFlight({ inFlight, at }: Moment, paint: Paint): string[] {
  if (inFlight.length === 0) return ['No request is in flight.'];
  const rows = inFlight.slice(0, LISTED).map((request) => ({
    cells: [
      String(request.request),
      ageOf(request, at),
      shorten(request.backend ?? '', 40),
      FLIGHT_WORDS[request.phase],
      ...namesOf(request),
    ],
  }));
  return [
    `${grouped(inFlight.length)} in flight, the oldest first:`,
    ...formatTable(
      [
        { title: 'REQUEST', align: 'right' },
        { title: 'AGE', align: 'right' },
        { title: 'BACKEND' },
        { title: 'STATE' },
        { title: 'X-REQUEST-ID' },
        { title: 'PATH' },
      ],
      rows,
      paint,
    ),
    ...moreThan(inFlight.length),
  ];
}

const FLIGHT_WORDS: Readonly<Record<RequestNow['phase'], string>> = {
  waiting: 'waiting',
  connecting: 'connecting',
  sent: 'no byte yet',
  answering: 'answering',
};

function ageOf({ arrivedAt }: RequestNow, at: number): string {
  return arrivedAt === null ? '?' : duration(at - arrivedAt);
}

function namesOf({ requestId, path }: RequestNow): [id: string, path: string] {
  if (requestId === null) return ['?', 'it arrived before what the log tells'];
  return [shorten(requestId, ID_WIDTH), path ?? ''];
}

function moreThan(count: number): string[] {
  return count > LISTED ? [`    and ${grouped(count - LISTED)} more; --json has all`] : [];
}

function formatChanges({ lastChanges, at }: Moment, paint: Paint): string[] {
  if (lastChanges.length === 0) return ['No backend and no config changed before, as far as the log tells.'];
  return [
    paint('dim', 'The last changes before:'),
    ...lastChanges.flatMap((change) => hang(`    ${fullClockBeside(change.at, at)}  `, changeWords(change))),
  ];
}

function changeWords(change: Change | ConfigChange): string {
  if (!('fact' in change)) {
    const { backend, from, to, reason } = change;
    return from === null
      ? `${backend} came with the config: ${to}`
      : `${backend}: ${from} → ${to}: ${reason}`;
  }
  return {
    'gateway.started': 'the gateway started',
    'config.reloaded': 'the config was reloaded',
    'config.rejected': 'a reload was refused, since the config was not valid',
    'gateway.stopping': 'the gateway began to stop',
    'listener.closed': 'the gateway stopped',
  }[change.fact];
}

function formatEntries({ lastEntries, at }: Moment, paint: Paint): string[] {
  if (lastEntries.length === 0) return ['No entry before, as far as the log tells.'];
  const agoOf = (entry: Entry) => (entry.at === at ? '' : offset(entry.at - at));
  const width = Math.max(...lastEntries.map((entry) => agoOf(entry).length));
  return [
    paint('dim', 'The last entries before:'),
    ...lastEntries.flatMap((entry) => {
      const words = [factWords(entry.fact), ...decisionWords(entry)].join('; ');
      return hang(`    ${fullClockBeside(entry.at, at)}  ${agoOf(entry).padStart(width)}  `, words);
    }),
  ];
}
