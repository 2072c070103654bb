/** The plots of the page: what was recorded above or to the left, what would have been below or to the right. */
import type { BackendStatus } from '../../actors/events.ts';
import type { Courses, Report } from './report.ts';
import type { BackendSummary, Summary } from './summary.ts';
import {
  escapeText,
  LEFT,
  niceCeiling,
  picture,
  RIGHT,
  round,
  type Span,
  timeAxis,
  WIDTH,
  xOf,
} from './svg.ts';
import { grouped, lasting, timeOfDay } from './words.ts';

const BAND = 14;
const ROW = 2 * BAND + 16;
const TOP = 8;

/** Of each backend two bands, one above the other. */
export function stateBands(report: Report): string {
  const { before, after, record } = report;
  const ids = idsOf(before, after);
  const bottom = TOP + ids.length * ROW;
  const rows = ids.map((id, index) => {
    const y = TOP + index * ROW;
    return (
      `<text class="name" x="${LEFT - 12}" y="${y + BAND + 6}" text-anchor="end">${escapeText(shorten(id))}</text>` +
      bands(find(before, id), record, y + 2, 'recorded') +
      bands(find(after, id), record, y + 4 + BAND, 'what if')
    );
  });
  const label = ids
    .map(
      (id) =>
        `${id}: unhealthy ${lasting(find(before, id)?.unhealthyMs ?? 0)} recorded, ${lasting(find(after, id)?.unhealthyMs ?? 0)} what if`,
    )
    .join('; ');
  return picture(
    bottom + 24,
    `States of each backend over time. ${label}.`,
    timeAxis(record, TOP, bottom) + rows.join('') + estimateMark(report, bottom),
  );
}

function bands(backend: BackendSummary | undefined, span: Span, y: number, course: string): string {
  return (backend?.states ?? [])
    .map(({ from, to, state }) => {
      if (state === null) return '';
      const x = xOf(from, span);
      const width = Math.max(1.5, round(xOf(to, span) - x));
      const title = `${backend?.id ?? ''} ${course}: ${state}, ${timeOfDay(from)} to ${timeOfDay(to)} (${lasting(to - from)})`;
      return (
        `<rect class="${classOf(state)}" x="${x}" y="${y}" width="${width}" height="${BAND}">` +
        `<title>${escapeText(title)}</title></rect>`
      );
    })
    .join('');
}

function classOf(state: BackendStatus): string {
  return `state-${state}`;
}

/** Two bars for each backend. */
export function requestBars({ before, after }: Report): string {
  const ids = idsOf(before, after);
  const most = Math.max(
    1,
    ...[before, after].flatMap(({ backends }) => backends.map(({ requests }) => requests)),
  );
  const room = WIDTH - LEFT - RIGHT - 110;
  const bar = (backend: BackendSummary | undefined, y: number, course: string) => {
    const { requests = 0, errors = 0, failures = 0 } = backend ?? {};
    const width = round((requests / most) * room);
    const bad = round(((errors + failures) / most) * room);
    const what = `${grouped(requests)}${errors + failures > 0 ? `, ${grouped(errors + failures)} failed` : ''}`;
    return (
      `<rect class="${course}" x="${LEFT}" y="${y}" width="${width}" height="${BAND}"/>` +
      `<rect class="bad" x="${LEFT}" y="${y}" width="${bad}" height="${BAND}"/>` +
      `<text class="value" x="${LEFT + width + 6}" y="${y + BAND - 3}">${what}</text>`
    );
  };
  const rows = ids.map((id, index) => {
    const y = TOP + index * ROW;
    return (
      `<text class="name" x="${LEFT - 12}" y="${y + BAND + 6}" text-anchor="end">${escapeText(shorten(id))}</text>` +
      bar(find(before, id), y + 2, 'before') +
      bar(find(after, id), y + 4 + BAND, 'after')
    );
  });
  const label = ids
    .map(
      (id) => `${id}: ${find(before, id)?.requests ?? 0} recorded, ${find(after, id)?.requests ?? 0} what if`,
    )
    .join('; ');
  return picture(TOP + ids.length * ROW, `Requests of each backend. ${label}.`, rows.join(''));
}

const PLOT = 180;
const MOST_COLUMNS = 240;
const LEAST_HEIGHT = 2;

/** How many waited at most, both courses as lines. */
export function waitingLines(report: Report, courses: Courses): string {
  const { before, after, record } = report;
  const columns = columnsOf(record);
  const most = ({ seconds }: Courses['before']) =>
    inColumns(seconds, columns, ({ mostWaiting }) => mostWaiting, Math.max);
  const [recorded, whatIf] = [most(courses.before), most(courses.after)];
  const ceiling = niceCeiling(Math.max(1, ...recorded, ...whatIf));
  const bottom = TOP + PLOT;
  const line = (values: readonly number[], course: string) => {
    const points = values.map((value, index) => {
      const y = round(bottom - (value / ceiling) * PLOT);
      const x = xOf(columns.from + index * columns.ms, record);
      return `${index === 0 ? 'M' : 'H'}${index === 0 ? `${x} ` : x}${index === 0 ? y : `V${y}`}`;
    });
    return `<path class="line ${course}" d="${points.join('')}H${xOf(record.to, record)}"/>`;
  };
  const label = `Requests waiting over time. ${waited(before, 'Recorded')}; ${waited(after, 'what if')}.`;
  return picture(
    bottom + 24,
    label,
    timeAxis(record, TOP, bottom) +
      valueAxis(ceiling, bottom, PLOT) +
      line(recorded, 'before') +
      line(whatIf, 'after') +
      estimateMark(report, bottom),
  );
}

/** Where the answer stops being exact. */
function estimateMark({ exactness, record }: Report, bottom: number): string {
  const at = exactness.exactUntil?.at;
  if (at === undefined) return '';
  const x = xOf(at, record);
  return (
    `<line class="mark" x1="${x}" x2="${x}" y1="${TOP - 6}" y2="${bottom}">` +
    `<title>Exact up to here (${timeOfDay(at)}), an estimate after it</title></line>`
  );
}

function waited({ waits }: Summary, course: string): string {
  return `${course}: ${waits.count} waited, at most ${lasting(waits.maxMs ?? 0)}`;
}

/** Requests that clients saw fail, upwards as recorded, downwards as they would have been. */
export function failureColumns({ before, after, record }: Report, courses: Courses): string {
  const columns = columnsOf(record);
  const sums = ({ seconds }: Courses['before'], pick: 'rejected' | 'failed') =>
    inColumns(
      seconds,
      columns,
      (second) => second[pick],
      (one, other) => one + other,
    );
  const series = [courses.before, courses.after].map((course) => ({
    rejected: sums(course, 'rejected'),
    errors: sums(course, 'failed'),
  }));
  const totals = series.flatMap(({ rejected, errors }) =>
    rejected.map((value, index) => value + (errors[index] ?? 0)),
  );
  const ceiling = niceCeiling(Math.max(1, ...totals));
  const half = PLOT / 2;
  const middle = TOP + half;
  /** One failure among thousands must not be too small to be seen. */
  const height = (value: number) =>
    value === 0 ? 0 : Math.max(LEAST_HEIGHT, round((value / ceiling) * half));
  const drawn = series.map(({ rejected, errors }, course) =>
    rejected
      .map((value, index) => {
        const error = errors[index] ?? 0;
        if (value + error === 0) return '';
        const x = xOf(columns.from + index * columns.ms, record);
        const width = Math.max(1, round(xOf(columns.from + (index + 1) * columns.ms, record) - x - 0.5));
        const rect = (name: string, offset: number, size: number) => {
          const y = course === 0 ? middle - offset - size : middle + offset;
          return size === 0
            ? ''
            : `<rect class="${name}" x="${x}" y="${round(y)}" width="${width}" height="${size}"/>`;
        };
        return rect('rejected', 0, height(value)) + rect('bad', height(value), height(error));
      })
      .join(''),
  );
  const label =
    `Requests that failed over time. Recorded: ${before.rejected} rejected, ${before.errors + before.broken} answered 5xx or broken off; ` +
    `what if: ${after.rejected} rejected, ${after.errors + after.broken} answered 5xx or broken off.`;
  const axis =
    `<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${middle}" y2="${middle}"/>` +
    [TOP, TOP + PLOT]
      .map((y) => `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>`)
      .join('') +
    `<text class="tick" x="${LEFT - 8}" y="${TOP + 10}" text-anchor="end">${grouped(ceiling)}</text>` +
    `<text class="tick" x="${LEFT - 8}" y="${TOP + PLOT}" text-anchor="end">${grouped(ceiling)}</text>` +
    `<text class="name" x="${LEFT - 40}" y="${middle - half / 2 + 4}" text-anchor="end">recorded</text>` +
    `<text class="name" x="${LEFT - 40}" y="${middle + half / 2 + 4}" text-anchor="end">what if</text>`;
  return picture(TOP + PLOT + 24, label, timeAxis(record, TOP, TOP + PLOT) + axis + drawn.join(''));
}

/** How long one column of the two plots above is, in words. */
export function columnInWords({ record }: Report): string {
  const { ms } = columnsOf(record);
  return ms === 1000 ? 'second' : lasting(ms).replace(/\.0+(?= )/, '');
}

type Columns = { readonly from: number; readonly ms: number; readonly count: number };

/** Whole seconds each, since the figures are by the second. */
function columnsOf({ from, to }: Span): Columns {
  const first = Math.floor(from / 1000);
  const seconds = Math.floor(to / 1000) - first + 1;
  const perColumn = Math.max(1, Math.ceil(seconds / MOST_COLUMNS));
  return { from: first * 1000, ms: perColumn * 1000, count: Math.ceil(seconds / perColumn) };
}

function inColumns<Value>(
  seconds: ReadonlyMap<number, Value>,
  { from, ms, count }: Columns,
  pick: (value: Value) => number,
  join: (one: number, other: number) => number,
): number[] {
  const values = new Array<number>(count).fill(0);
  for (const [second, value] of seconds) {
    const index = Math.floor((second * 1000 - from) / ms);
    if (index >= 0 && index < count) values[index] = join(values[index] ?? 0, pick(value));
  }
  return values;
}

function valueAxis(ceiling: number, bottom: number, height: number): string {
  return [0, 0.5, 1]
    .map((share) => {
      const y = round(bottom - share * height);
      const value = ceiling * share;
      return (
        `<line class="${share === 0 ? 'axis' : 'grid'}" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>` +
        (Number.isInteger(value)
          ? `<text class="tick" x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${grouped(value)}</text>`
          : '')
      );
    })
    .join('');
}

function idsOf(before: Summary, after: Summary): string[] {
  return [...new Set([...before.backends, ...after.backends].map(({ id }) => id))];
}

function find({ backends }: Summary, id: string): BackendSummary | undefined {
  return backends.find((backend) => backend.id === id);
}

/** The end of a long id tells more than its beginning. */
function shorten(id: string): string {
  return id.length > 17 ? `…${id.slice(-16)}` : id;
}
