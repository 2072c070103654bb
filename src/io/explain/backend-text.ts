/** The life of a backend, period by period. */
import type {
  BackendNote,
  BackendPeriod,
  BackendStretch,
  ProbeRun,
} from '../../actors/explain/backend-life.ts';
import {
  clock,
  counted,
  day,
  dayAndClock,
  duration,
  grouped,
  hang,
  type Paint,
  type Style,
  zone,
} from './format.ts';
import { stretchWords } from './stretch-words.ts';

/** @returns the lines of a backend's life */
export function formatBackend(id: string, stretches: readonly BackendStretch[], paint: Paint): string[] {
  return [
    paint('bold', `Backend ${id}`),
    ...summaryOf(stretches),
    ...stretches.flatMap((stretch) => ['', ...formatStretch(stretch, paint)]),
  ];
}

function summaryOf(stretches: readonly BackendStretch[]): string[] {
  const periods = stretches.flatMap((stretch) => stretch.periods);
  const spent = (state: BackendPeriod['state']) =>
    periods.reduce((ms, period) => ms + (period.state === state ? lengthOf(period) : 0), 0);
  const sum = (count: (period: BackendPeriod) => number) =>
    periods.reduce((total, period) => total + count(period), 0);
  const states = (['healthy', 'unhealthy', 'ejected', 'draining', 'drained'] as const).flatMap((state) => {
    const ms = spent(state);
    return ms === 0 ? [] : [`${state} for ${duration(ms)}`];
  });
  const falls = periods.filter(
    ({ from, state }) => from === 'healthy' && (state === 'unhealthy' || state === 'ejected'),
  ).length;
  const sent = counted(
    sum(({ leases }) => leases.granted),
    'request',
  );
  const failures = counted(sum(failuresOf), 'failure');
  const fellOut =
    falls === 0 ? 'never fell out' : falls === 1 ? 'fell out once' : `fell out ${grouped(falls)} times`;
  return hang('', `${[...states, fellOut].join(', ')}; ${sent} sent, ${failures}.`);
}

/** A stale socket says nothing against its backend. */
function failuresOf({ failures }: BackendPeriod): number {
  return Object.entries(failures).reduce(
    (sum, [why, count]) => sum + (why === 'stale-socket' ? 0 : count),
    0,
  );
}

function lengthOf({ at, until, lastAt }: BackendPeriod): number {
  return (until ?? lastAt) - at;
}

function formatStretch({ stretch, settings, periods }: BackendStretch, paint: Paint): string[] {
  const where =
    settings === null
      ? ''
      : `, at ${settings.protocol}://${settings.host}:${settings.port}, weight ${settings.weight}`;
  return [
    ...hang('', `${stretchWords(stretch)}${where}`).map((line) => paint('bold', line)),
    ...periods.flatMap((period, index) =>
      formatPeriod(period, { before: periods[index - 1], next: periods[index + 1] }, paint),
    ),
  ];
}

type Neighbours = { readonly before: BackendPeriod | undefined; readonly next: BackendPeriod | undefined };

function formatPeriod(period: BackendPeriod, { before, next }: Neighbours, paint: Paint): string[] {
  const { at, state, from, reason, until } = period;
  const date =
    before === undefined || day(before.at) !== day(at) ? [paint('dim', `${day(at)} (${zone(at)})`)] : [];
  const length = duration(lengthOf(period));
  const howLong = until === null ? `for ${length} so far` : `for ${length}`;
  const change = from === null ? state : `${from} → ${state}`;
  const words = state === 'removed' ? `${change}: ${reason}` : `${change}: ${reason}; ${howLong}`;
  return [
    ...date,
    ...hang(`${clock(at)}  `, words).map((line) => paint(STYLES[state], line)),
    ...detailsOf(period).flatMap(([title, words]) => hang(`    ${title.padEnd(10)}`, words)),
    // What an operator did to end the period is told by the next one.
    ...period.notes
      .filter(({ seq }) => seq !== next?.seq)
      .flatMap((note) => hang(`    ${clock(note.at)}  `, noteWords(note))),
  ];
}

const STYLES: Readonly<Record<BackendPeriod['state'], Style>> = {
  healthy: 'green',
  unhealthy: 'red',
  ejected: 'red',
  draining: 'yellow',
  drained: 'yellow',
  removed: 'dim',
};

type Detail = readonly [title: string, words: string];

const RUNS_TOLD = 6;

function detailsOf({ state, probes, leases, failures, sockets }: BackendPeriod): Detail[] {
  const details: Detail[] = [];
  if (probes.succeeded + probes.failed > 0) {
    details.push(['probes', `${grouped(probes.succeeded)} succeeded, ${grouped(probes.failed)} failed`]);
    // What goes against the state is what people look for; the rest lies between.
    const telling = probes.runs.filter(({ ok }) => ok !== (state === 'healthy'));
    const told = telling.slice(-RUNS_TOLD);
    if (probes.earlierRuns > 0 || told.length < telling.length) details.push(['', 'the last of them:']);
    for (const run of told) details.push(['', runWords(run)]);
  }
  const ends = [
    amount(leases.ended, 'ended'),
    amount(leases.failed, 'failed'),
    amount(leases.aborted, 'given up by their clients'),
    amount(leases.discarded, 'answered and sent elsewhere'),
    amount(leases.unopened, 'never connected'),
  ].filter((words) => words !== '');
  if (leases.granted > 0 || ends.length > 0) {
    const why = Object.entries(failures).map(([reason, count]) => `${reason} ${grouped(count)}`);
    const reasons = why.length === 0 ? '' : ` (failures: ${why.join(', ')})`;
    const peak = leases.peak === 0 ? '' : `; at most ${grouped(leases.peak)} at once`;
    details.push([
      'requests',
      `${grouped(leases.granted)} sent; ${ends.join(', ') || 'none ended'}${reasons}${peak}`,
    ]);
  }
  const evicted = Object.entries(sockets.evicted).map(
    ([reason, count]) => `${grouped(count)} closed (${reason})`,
  );
  const moves = [
    amount(sockets.opened, 'opened'),
    amount(sockets.reused, 'taken from the idle ones'),
    amount(sockets.closedByBackend, 'closed by the backend'),
    ...evicted,
  ].filter((words) => words !== '');
  if (moves.length > 0) details.push(['sockets', moves.join(', ')]);
  return details;
}

function amount(count: number, words: string): string {
  return count === 0 ? '' : `${grouped(count)} ${words}`;
}

function runWords({ ok, count, from, until, reasons, slowestMs }: ProbeRun): string {
  const span =
    from === until
      ? clock(from)
      : `${clock(from)} – ${day(from) === day(until) ? clock(until) : dayAndClock(until)}`;
  const why = Object.entries(reasons).map(([reason, times]) =>
    times === count ? reason : `${reason} ${grouped(times)}`,
  );
  return `${span}  ${grouped(count)} ${ok ? 'succeeded' : 'failed'}: ${why.join(', ')}; slowest ${duration(slowestMs)}`;
}

function noteWords(note: BackendNote): string {
  if (note.type === 'operator') return `an operator asked for it to be ${note.action}`;
  return `reload: ${note.changes.join(', ')}`;
}
