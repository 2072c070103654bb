/**
 * Shows that the simulator finds faults: puts deliberate ones into a copy of the product, one at a time, and runs seeds
 * on each until one fails.
 *
 *   npm run simulate:mutants -- [--seeds MOST] [--steps N] [--only TEXT]
 *
 * Prints a table as Markdown; the exit code is 1 if a mutant survives.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Found } from './hunt.ts';
import { MUTATIONS, type Mutation } from './mutations.ts';

const ROOT = resolve(import.meta.dirname, '..');
/** For one mutant; one that never comes to an end is told from one that survives. */
const WITHIN_MS = 300_000;

const text = { type: 'string' } as const;
const { values } = parseArgs({ options: { seeds: text, steps: text, only: text } });
const { seeds = '300', steps = '1500', only = '' } = values;

const folder = mkdtempSync(join(tmpdir(), 'reprise-mutants-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const part of ['src', 'simulation', 'package.json'])
  cpSync(join(ROOT, part), join(folder, part), { recursive: true });
symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));

if (only === '') requireSound();
console.log('| deliberate fault | in | found by | seeds |\n|---|---|---|---|');
const survivors = MUTATIONS.filter(({ name }) => name.includes(only)).filter(
  (mutation) => !isCaught(mutation),
);
console.log(
  survivors.length === 0
    ? '\nmutants: all were caught'
    : `\nmutants: ${survivors.length} SURVIVED: ${survivors.map(({ name }) => name).join('; ')}`,
);
process.exitCode = survivors.length === 0 ? 0 : 1;

/** Without a fault the same seeds must pass, or what is found below says nothing. */
function requireSound(): void {
  const { by } = hunt();
  if (by === null) return;
  console.log(`mutants: without any fault seeds up to ${seeds} fail already: ${by}`);
  process.exit(1);
}

function isCaught({ name, file, before, after }: Mutation): boolean {
  const path = join(folder, file);
  const source = readFileSync(path, 'utf8');
  if (source.split(before).length !== 2)
    throw new Error(`${name}: ${file} does not have its text exactly once`);
  writeFileSync(
    path,
    source.replace(before, () => after),
  );
  try {
    const found = hunt();
    console.log(
      `| ${name} | \`${file.replace('src/', '')}\` | ${found.by ?? '**nothing**'} | ${found.seeds} |`,
    );
    return found.by !== null;
  } finally {
    writeFileSync(path, source);
  }
}

function hunt(): Found {
  const script = join(folder, 'simulation/hunt.ts');
  const { stdout, stderr, error } = spawnSync(process.execPath, [script, seeds, steps], {
    ...{ encoding: 'utf8', timeout: WITHIN_MS, killSignal: 'SIGKILL' },
  });
  if (error !== undefined) return { seeds: 0, by: 'it never ends' };
  try {
    const found: Found = JSON.parse(stdout);
    return found;
  } catch {
    throw new Error(`a hunt ended without a result: ${stderr}`);
  }
}
