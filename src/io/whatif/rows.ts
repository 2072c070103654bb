/** The rows of the report's tables, the same in the text and on the page. */
import type { Report } from './report.ts';
import type { BackendSummary, Spread, Summary } from './summary.ts';
import { decisionsInWords, factInWords, grouped, lasting, timeOfDay } from './words.ts';

type Row = readonly string[];

/** Rows of the name, recorded, what if, and the change where it is a number; names are indented by what they belong to. */
export function figureRows({ before, after }: Report): Row[] {
  /** Left out where there is nothing of the kind. */
  const rare = (name: string, pick: (summary: Summary) => number): Row[] =>
    pick(before) === 0 && pick(after) === 0 ? [] : [number(name, pick)];
  const number = (name: string, pick: (summary: Summary) => number): Row => [
    name,
    grouped(pick(before)),
    grouped(pick(after)),
    signed(pick(after) - pick(before)),
  ];
  const codes = [...new Set([...Object.keys(before.rejectedByCode), ...Object.keys(after.rejectedByCode)])];
  return [
    number('Requests', ({ received }) => received),
    number('  served', ({ served }) => served),
    ...rare('  answered 5xx by a backend', ({ errors }) => errors),
    ...rare('  broken off after the start', ({ broken }) => broken),
    number('  rejected', ({ rejected }) => rejected),
    ...codes.map((code) => number(`    ${code}`, ({ rejectedByCode }) => rejectedByCode[code] ?? 0)),
    ...rare('  client left', ({ aborted }) => aborted),
    ...rare('  under way at the end', ({ underWay }) => underWay),
    ...rare('Retries', ({ retries }) => retries),
    number('Requests that waited', ({ waits }) => waits.count),
    ...spread('  waited', before.waits, after.waits),
    ...spread('Served: first byte', before.firstByte, after.firstByte),
    ...spread('Served: in all', before.latency, after.latency),
    number('Changes of a backend’s state', ({ stateChanges }) => stateChanges),
  ];
}

function spread(name: string, before: Spread, after: Spread): Row[] {
  if (before.count === 0 && after.count === 0) return [];
  const row = (what: string, pick: (spread: Spread) => number | null): Row => [
    `${name}, ${what}`,
    lasting(pick(before)),
    lasting(pick(after)),
  ];
  return [
    row('p50', ({ p50Ms }) => p50Ms),
    row('p99', ({ p99Ms }) => p99Ms),
    row('max', ({ maxMs }) => maxMs),
  ];
}

function signed(change: number): string {
  if (change === 0) return '';
  return change > 0 ? `+${grouped(change)}` : `-${grouped(-change)}`;
}

/** Rows of the id, and of each figure recorded and what if. */
export function backendRows({ before, after }: Report): Row[] {
  const ids = [...new Set([...before.backends, ...after.backends].map(({ id }) => id))];
  const both = (id: string, show: (backend: BackendSummary) => string) =>
    [before, after].map(({ backends }) => {
      const backend = backends.find((candidate) => candidate.id === id);
      return backend === undefined ? '-' : show(backend);
    });
  return ids.map((id) => [
    id,
    ...both(id, ({ requests }) => grouped(requests)),
    ...both(id, ({ errors }) => grouped(errors)),
    ...both(id, ({ failures }) => grouped(failures)),
    ...both(id, ({ unhealthyMs }) => lasting(unhealthyMs)),
  ]);
}

/** Rows of the entry, its time, what happened, what was decided, and what would have been. */
export function differenceRows({ differences }: Report): Row[] {
  return differences.first.map(({ seq, at, fact, before, after }) => [
    String(seq),
    timeOfDay(at),
    factInWords(fact),
    decisionsInWords(before),
    decisionsInWords(after),
  ]);
}
