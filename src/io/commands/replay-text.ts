/** The report of a replay for people: what was compared, the state at the end, and last what is wrong, if anything is. */
import type { Decision, Entry, Fact } from '../../actors/events.ts';
import type { BackendView } from '../../actors/view.ts';
import type { Damage } from '../event-log/reader.ts';
import type { DivergenceReport, ReplayReport } from '../event-log/replay-log.ts';

const MAX_DAMAGE_SHOWN = 10;
const INDENT = '  ';

/** @returns the report without a newline at the end; lines that may be long are cut at `columns` */
export function formatReport(path: string, report: ReplayReport, columns: number): string {
  const { firstDivergence, damage } = report;
  return [
    `Replay of ${path}`,
    '',
    ...formatCounts(report),
    '',
    ...formatState(report),
    ...damage.slice(0, MAX_DAMAGE_SHOWN).flatMap((each) => formatDamage(each, columns)),
    ...(damage.length > MAX_DAMAGE_SHOWN ? ['', `and ${damage.length - MAX_DAMAGE_SHOWN} more damages`] : []),
    ...(firstDivergence === undefined ? [] : formatDivergence(firstDivergence, columns)),
    '',
    verdictOf(report),
  ].join('\n');
}

function verdictOf({ firstTrouble, divergences, damage, decisions, entries }: ReplayReport): string {
  if (firstTrouble === undefined) {
    if (entries === 0) return 'Nothing to compare: no entry lies in this range.';
    return `Faithful: ${count(decisions, 'decision')} computed again, each as recorded.`;
  }
  const differing = divergences === 0 ? 'no divergence' : count(divergences, 'divergence');
  const damaged = damage.length === 0 ? 'no damage' : `damage in ${count(damage.length, 'place')}`;
  return firstTrouble === 'damage'
    ? `Damaged: ${damaged}, ${differing}.`
    : `Diverged: ${differing}, ${damaged}.`;
}

function formatCounts(report: ReplayReport): string[] {
  const { entries, decisions, hashes, divergences, skipped, gaps, dropped, recovered, from, until } = report;
  const rows: [string, number, string][] = [
    ['entries', entries, from && until ? `${from.seq} to ${until.seq}` : ''],
    ['decisions', decisions, 'compared with what was recorded'],
    ['state hashes', hashes, 'compared with what was recorded'],
    [
      'divergences',
      divergences,
      skipped === 0 ? '' : `${count(skipped, 'entry', 'entries')} behind them not compared`,
    ],
    ['gaps', gaps, gaps === 0 ? '' : `${count(dropped, 'entry', 'entries')} not recorded`],
    ['recovered', recovered, recovered === 0 ? 'bytes' : 'bytes of a torn last line, left out'],
  ];
  const facts = [...report.factsByType].sort((one, other) => other[1] - one[1]);
  const span =
    from && until
      ? [`${INDENT}from ${localTime(from.at)} to ${localTime(until.at)}, ${duration(until.at - from.at)}`]
      : [];
  return [
    ...rows.map(([name, value, note]) =>
      `${INDENT}${name.padEnd(18)}${grouped(value).padStart(13)}  ${note}`.trimEnd(),
    ),
    ...span,
    ...(facts.length === 0 ? [] : ['', 'Facts']),
    ...facts.map(([type, value]) => `${INDENT}${type.padEnd(18)}${grouped(value).padStart(13)}`),
  ];
}

function formatState({ stateSeq, stateHash, backends, queued, inFlight }: ReplayReport): string[] {
  if (stateSeq === undefined) return ['No state: no snapshot could be read.'];
  return [
    stateSeq === 0 ? 'State before the first entry' : `State after entry ${stateSeq}, hash ${stateHash}`,
    ...(backends.length === 0 ? [`${INDENT}no backend`] : formatTable([HEADING, ...backends.map(cellsOf)])),
    `${INDENT}${count(queued, 'request')} waiting, ${inFlight} in flight`,
  ];
}

const HEADING = [
  'BACKEND',
  'STATE',
  'FAILS',
  'PASSES',
  'WEIGHT',
  'CURRENT',
  'IDLE',
  'LEASED',
  'SIZE',
  'SENT',
  'FAILED',
];

function cellsOf(view: BackendView): string[] {
  const { id, state, consecutiveFailures, consecutiveSuccesses, weight, currentWeight, pool, requests } =
    view;
  const numbers = [consecutiveFailures, consecutiveSuccesses, weight, currentWeight, pool.idle, pool.leased];
  return [id, state, ...[...numbers, pool.size, requests.total, requests.failed].map(String)];
}

/** The first two columns hold words, the others numbers. */
function formatTable(rows: readonly (readonly string[])[]): string[] {
  const widths = HEADING.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => {
    const cells = row.map((cell, column) =>
      column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    return `${INDENT}${cells.join('  ')}`;
  });
}

function formatDamage({ segment, line, byte, problem, readable }: Damage, columns: number): string[] {
  return [
    '',
    `DAMAGE in ${segment}, line ${line}, byte ${byte}`,
    ...wrap(problem, columns),
    ...wrap(`can be read: ${readable}`, columns),
  ];
}

/** Lines of whole words. */
function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = INDENT;
  for (const word of text.split(' ')) {
    if (line.length + word.length + 1 > columns && line.trim() !== '') {
      lines.push(line);
      line = INDENT + INDENT;
    }
    line += line.endsWith(' ') ? word : ` ${word}`;
  }
  return [...lines, line];
}

function formatDivergence({ divergence, place, before, after }: DivergenceReport, columns: number): string[] {
  const { seq, at } = divergence;
  const width = String(after.at(-1)?.seq ?? seq).length;
  const near = (mark: string, entry: Pick<Entry, 'seq' | 'at' | 'fact'>) => {
    const start = `${INDENT}${mark} ${String(entry.seq).padStart(width)}  ${timeOfDay(entry.at)}`;
    const text = `${start}  ${compact(entry.fact)}`;
    return text.length > columns ? `${text.slice(0, columns - 3)}...` : text;
  };
  return [
    '',
    `DIVERGENCE at entry ${seq}, ${localTime(at)} (${place.segment}, line ${place.line})`,
    ...formatDifference(divergence),
    `${INDENT}facts around it:`,
    ...before.map((entry) => near(' ', entry)),
    ...('fact' in divergence ? [near('>', divergence)] : []),
    ...after.map((entry) => near(' ', entry)),
  ];
}

function formatDifference(divergence: DivergenceReport['divergence']): string[] {
  switch (divergence.kind) {
    case 'state':
      return [
        `${INDENT}the decisions were the same, but the state is another:`,
        `${INDENT}- recorded hash ${divergence.recorded}`,
        `${INDENT}+ computed hash ${divergence.computed}`,
      ];
    case 'failure':
      return [
        `${INDENT}the core cannot take the fact: ${divergence.computed}`,
        ...divergence.recorded.map((decision) => `${INDENT}- recorded  ${compact(decision)}`),
      ];
    case 'decisions':
      return diff(divergence.recorded.map(compact), divergence.computed.map(compact));
  }
}

/** Decisions that are the same at the beginning and the end stand once. */
function diff(recorded: readonly string[], computed: readonly string[]): string[] {
  const shorter = Math.min(recorded.length, computed.length);
  let head = 0;
  while (head < shorter && recorded[head] === computed[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && recorded.at(-1 - tail) === computed.at(-1 - tail)) tail += 1;
  const same = (text: string) => `${INDENT}            ${text}`;
  const lines = [
    ...recorded.slice(0, head).map(same),
    ...recorded.slice(head, recorded.length - tail).map((text) => `${INDENT}- recorded  ${text}`),
    ...computed.slice(head, computed.length - tail).map((text) => `${INDENT}+ computed  ${text}`),
    ...recorded.slice(recorded.length - tail).map(same),
  ];
  if (recorded.length === 0) lines.unshift(`${INDENT}- recorded  no decision`);
  if (computed.length === 0) lines.push(`${INDENT}+ computed  no decision`);
  return lines;
}

/** `request.queued request=7 length=1`: what an event says on one line. */
function compact({ type, ...fields }: Fact | Decision): string {
  const parts = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return [type, ...parts].join(' ');
}

function count(value: number, one: string, many = `${one}s`): string {
  return `${grouped(value)} ${value === 1 ? one : many}`;
}

function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

function localTime(at: number): string {
  const date = new Date(at);
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join('-');
  return `${day} ${timeOfDay(at)}`;
}

function timeOfDay(at: number): string {
  const date = new Date(at);
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':');
  return `${time}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

function duration(ms: number): string {
  if (ms < 60_000) return `${ms / 1000} s`;
  const minutes = Math.floor(ms / 60_000);
  const [hours, days] = [Math.floor(minutes / 60), Math.floor(minutes / 1440)];
  if (days > 0) return `${days} d ${hours % 24} h`;
  return hours > 0
    ? `${hours} h ${minutes % 60} min`
    : `${minutes} min ${Math.floor((ms % 60_000) / 1000)} s`;
}
