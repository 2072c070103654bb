/**
 * Shows that the simulator finds faults: puts deliberate ones into a copy of the product, one at a time, and runs seeds
 * on each until one fails.
 *
 *   npm run simulate:mutants -- [--seeds MOST] [--steps N] [--only TEXT]
 *
 * Prints a table as Markdown; the exit code is 1 if a mutant survives.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Found } from './hunt.ts';
import { createCopy } from './mutated-copy.ts';
import type { Mutation } from './mutations/mutation.ts';
import { MUTATIONS } from './mutations.ts';

/** For one mutant; one that never comes to an end is told from one that survives. */
const WITHIN_MS = 300_000;

const text = { type: 'string' } as const;
const { values } = parseArgs({ options: { seeds: text, steps: text, only: text } });
const { seeds = '300', steps = '1500', only = '' } = values;

using copy = createCopy();
process.exitCode = hasSurvivors() ? 1 : 0;

function hasSurvivors(): boolean {
  if (only === '' && !isSound()) return true;
  console.log('| deliberate fault | in | found by | seeds |\n|---|---|---|---|');
  const chosen = MUTATIONS.filter(({ name }) => name.includes(only));
  const survivors = chosen.filter((mutation) => !isCaught(mutation)).map(({ name }) => name);
  if (survivors.length === 0) console.log(`\nmutants: all ${chosen.length} were caught`);
  else console.log(`\nmutants: ${survivors.length} SURVIVED: ${survivors.join('; ')}`);
  return survivors.length > 0;
}

/** Without a fault the same seeds must pass, or what is found afterwards says nothing. */
function isSound(): boolean {
  const { by } = hunt();
  if (by !== null) console.log(`mutants: without any fault seeds up to ${seeds} fail already: ${by}`);
  return by === null;
}

function isCaught(mutation: Mutation): boolean {
  const takeOut = copy.put(mutation);
  const found = hunt();
  takeOut();
  const where = mutation.file.replace('src/', '');
  console.log(`| ${mutation.name} | \`${where}\` | ${found.by ?? '**nothing**'} | ${found.seeds} |`);
  return found.by !== null;
}

function hunt(): Found {
  const script = join(copy.folder, 'simulation/hunt.ts');
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
