/** The report for a terminal, within 100 columns. */
import { differencesInWords, exactnessInWords, exceptionsInWords, noDifference } from './exactness.ts';
import type { Report } from './report.ts';
import { backendRows, differenceRows, figureRows } from './rows.ts';
import { count, dayAndTime, grouped, lasting, outcomeInWords, shownValue, timeOfDay } from './words.ts';

const COLUMNS = 100;
const DIFFERENCES_SHOWN = 5;
const TRANSITIONS_SHOWN = 8;
const DAMAGE_SHOWN = 5;

/** @returns the report without a newline at the end */
export function formatWhatIf(report: Report): string {
  return [
    ...headOf(report),
    '',
    ...figuresOf(report),
    '',
    ...backendsOf(report),
    ...differencesOf(report),
    '',
    'How exact',
    ...exactnessInWords(report).flatMap((text) => item(text)),
    '',
    'Taken for granted',
    ...report.notes.flatMap((text) => item(text)),
    ...damageOf(report),
  ].join('\n');
}

function headOf(report: Report): string[] {
  const { record, config } = report;
  const changes = config.changed.map(
    ({ key, before, after }) => `${key}: ${shownValue(before)} -> ${shownValue(after)}`,
  );
  const [first = 'the config stays as it was', ...others] = changes;
  const requests = `${dayAndTime(record.from)} to ${timeOfDay(record.to)} (${lasting(record.to - record.from)})`;
  return [
    ...wrap(`What if  ${first}`, '         '),
    ...others.flatMap((text) => wrap(`         ${text}`, '         ')),
    `Record   ${requests}, ${count(record.entries, 'entry', 'entries')}`,
    ...exceptionsInWords(report).flatMap((text) => wrap(`Beware   ${text}`, '         ')),
  ];
}

function figuresOf(report: Report): string[] {
  return table([['', 'recorded', 'what if', 'change'], ...figureRows(report)]);
}

function backendsOf(report: Report): string[] {
  const columns = ['requests', '5xx', 'failures', 'unhealthy'];
  return table([
    ['Backends', ...columns.flatMap((name) => [name, ''])],
    ['', ...columns.flatMap(() => ['recorded', 'what if'])],
    ...backendRows(report).map(([name = '', ...cells]) => [`  ${name}`, ...cells]),
  ]);
}

function differencesOf(report: Report): string[] {
  const { differences, requests } = report;
  if (differences.total === 0 && requests.changed === 0) return ['', ...wrap(noDifference(report), '')];
  const shown = differenceRows(report).slice(0, DIFFERENCES_SHOWN);
  return [
    '',
    ...wrap(differencesInWords(report), ''),
    ...shown.flatMap(([seq, time, fact = '', recorded, whatIf]) => [
      `  entry ${seq}  ${time}  ${cut(fact, 70)}`,
      ...wrap(`    recorded  ${recorded}`, '              '),
      ...wrap(`    what if   ${whatIf}`, '              '),
    ]),
    '',
    `Requests that fare otherwise: ${grouped(requests.changed)}`,
    ...requests.transitions
      .slice(0, TRANSITIONS_SHOWN)
      .map(
        ({ before, after, count: number }) =>
          `  ${grouped(number).padStart(9)}  ${outcomeInWords(before)} -> ${
            before === after ? `${outcomeInWords(after)}, by another backend` : outcomeInWords(after)
          }`,
      ),
  ];
}

function damageOf({ damage }: Report): string[] {
  if (damage.length === 0) return [];
  return [
    '',
    `DAMAGED LOG: ${count(damage.length, 'place')}; what could be read was used`,
    ...damage
      .slice(0, DAMAGE_SHOWN)
      .flatMap(({ segment, line, problem, readable }) =>
        item(`${segment}, line ${line}: ${problem}; can be read: ${readable}`),
      ),
  ];
}

/** The first column holds words, the others are flush right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, index) => (index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

function item(text: string): string[] {
  return wrap(`  - ${text}`, '    ');
}

/** Breaks a line between words; later lines begin with the indent. */
function wrap(text: string, indent: string): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > COLUMNS) {
    const space = rest.lastIndexOf(' ', COLUMNS);
    const end = space > indent.length ? space : COLUMNS;
    lines.push(rest.slice(0, end));
    rest = indent + rest.slice(end).trimStart();
  }
  return [...lines, rest];
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 3)}...` : text;
}
