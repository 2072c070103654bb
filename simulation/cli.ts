/**
 * Runs the real core and the real streams through simulated trouble:
 *
 *   npm run simulate -- [--seed N] [--seeds COUNT] [--steps N] [--minutes N] [--out FOLDER]
 *   npm run simulate -- --seed N --steps N --backends N --faults a,b    one scenario, as a failure prints it
 *
 * Each seed is a world of its own. It is run with every invariant checked, its record is replayed and compared, and it is
 * run a second time, which must give the same record. Prints how far it is, and a verdict. On a breach the exit code is 1,
 * and the smallest run that fails in the same way is written as an event log, into FOLDER or that for temporary files.
 */
import { randomInt } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FAULTS } from './faults.ts';
import { judge, type Verdict } from './judge.ts';
import { drawScenario, type Scenario } from './scenario.ts';
import { shrink } from './shrink.ts';
import { createTally } from './tally.ts';
import { writeLog } from './write-log.ts';

const DEFAULT_SEEDS = 200;
const DEFAULT_STEPS = 2_000;
const REPORT_EVERY_MS = 5_000;
/** From sysexits.h: EX_USAGE. */
const EXIT_USAGE = 64;
const USAGE = `usage: npm run simulate -- [--seed N] [--seeds COUNT] [--steps N] [--minutes N] [--out FOLDER]
       npm run simulate -- --seed N [--steps N] [--backends N] [--faults a,b]   one scenario
`;

const text = { type: 'string' } as const;
const values = readArguments();
const minutes = asNumber('minutes', values.minutes);
const first = asNumber('seed', values.seed) ?? randomInt(2 ** 31);
const isOne = values.backends !== undefined || values.faults !== undefined;
const count = isOne
  ? 1
  : (asNumber('seeds', values.seeds) ?? (minutes === undefined ? DEFAULT_SEEDS : Infinity));
process.exitCode = simulate() ? 0 : 1;

function simulate(): boolean {
  const started = performance.now();
  const until = minutes === undefined ? Infinity : started + minutes * 60_000;
  const tally = createTally();
  let told = started;
  let seed = first;
  console.log(`simulate: from seed ${first} on, ${scenarioOf(first).steps} steps each`);
  for (; seed - first < count && performance.now() < until; seed += 1) {
    const verdict = judge(scenarioOf(seed));
    tally.add(verdict);
    if (verdict.breach !== undefined) {
      tellBreach(verdict);
      return false;
    }
    if (performance.now() - told < REPORT_EVERY_MS) continue;
    told = performance.now();
    console.log(`  ${tally.text()}`);
  }
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(`simulate: seeds ${first} to ${seed - 1}: ${tally.text()}; ${seconds} s`);
  console.log('simulate: all is well: every invariant held, every replay and every second run was the same');
  return true;
}

function scenarioOf(seed: number): Scenario {
  const drawn = drawScenario(seed, asNumber('steps', values.steps) ?? DEFAULT_STEPS);
  const wanted = values.faults?.split(',');
  return {
    ...drawn,
    backends: asNumber('backends', values.backends) ?? drawn.backends,
    faults: wanted === undefined ? drawn.faults : FAULTS.filter((fault) => wanted.includes(fault)),
  };
}

function tellBreach(failed: Verdict): void {
  console.log(
    `simulate: BREACH in seed ${failed.scenario.seed}, entry ${failed.entries.length}:\n  ${failed.breach}`,
  );
  const small = shrink(failed, (scenario) => judge(scenario, 1));
  const { seed, steps, backends, faults } = small.scenario;
  const folder = writeLog(join(values.out ?? tmpdir(), `reprise-simulation-${seed}`), small);
  console.log(`smallest that fails so, at entry ${small.entries.length}:\n  ${small.breach}`);
  const again = `--seed ${seed} --steps ${steps} --backends ${backends} --faults '${faults.join()}'`;
  console.log(`again: npm run simulate -- ${again}`);
  console.log(`its event log: ${folder} (reprise replay, explain and inspect open it)`);
}

function readArguments() {
  try {
    const options = {
      seed: text,
      seeds: text,
      steps: text,
      minutes: text,
      backends: text,
      faults: text,
      out: text,
    };
    return parseArgs({ options }).values;
  } catch (error) {
    process.stderr.write(`simulate: ${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exit(EXIT_USAGE);
  }
}

function asNumber(name: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(given)) return Number(given);
  process.stderr.write(`simulate: --${name} must be a number, not "${given}"\n${USAGE}`);
  process.exit(EXIT_USAGE);
}
