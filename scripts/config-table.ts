/**
 * Writes the table of all configuration keys into README.md, between `<!-- config:begin -->` and
 * `<!-- config:end -->`, so that it is never other than the schema:
 *
 *   node scripts/config-table.ts [FILE]           rewrites the table
 *   node scripts/config-table.ts --check [FILE]   changes nothing; exit code 1 if the table is out of date
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type ConfigReferenceRow, configReference } from '../src/io/config/describe.ts';

const BEGIN = '<!-- config:begin -->';
const END = '<!-- config:end -->';
/** EX_DATAERR of sysexits.h. */
const EXIT_NO_MARKS = 65;

const { values, positionals } = parseArgs({
  options: { check: { type: 'boolean', default: false } },
  allowPositionals: true,
});
process.exitCode = run(positionals[0] ?? resolve(import.meta.dirname, '../README.md'), values.check);

function run(file: string, onlyCheck: boolean): number {
  const name = relative(process.cwd(), file);
  const before = readFileSync(file, 'utf8');
  const after = withTable(before);
  if (after === undefined) {
    console.error(`config-table: ${name} needs a line ${BEGIN} and, below it, a line ${END}`);
    return EXIT_NO_MARKS;
  }
  if (after === before) return 0;
  if (onlyCheck) {
    console.error(
      `config-table: the configuration table of ${name} is out of date: run 'node scripts/config-table.ts'`,
    );
    return 1;
  }
  writeFileSync(file, after);
  console.log(`config-table: ${name} has been rewritten`);
  return 0;
}

/** @returns the text with a new table between its marks, or undefined if it has no marks */
function withTable(text: string): string | undefined {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END, begin);
  if (begin === -1 || end === -1) return undefined;
  const rows = configReference().map(toRow);
  const table = ['| key | default | environment | |', '|---|---|---|---|', ...rows].join('\n');
  return `${text.slice(0, begin + BEGIN.length)}\n${table}\n${text.slice(end)}`;
}

function toRow({ key, default: value, env, shortEnv, doc, restart }: ConfigReferenceRow): string {
  const cells = [
    asCode(key),
    isJson(value) ? asCode(value) : value,
    asCode(shortEnv ?? env),
    restart ? `${doc} Takes effect after a restart.` : doc,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function asCode(text: string): string {
  return `\`${text}\``;
}

/** A default that depends on the surroundings is told in words, and words are not code. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
