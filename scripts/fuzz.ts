/**
 * Throws malformed traffic at a real gateway before real backends, and damaged logs at all that read logs:
 *
 *   npm run fuzz -- [--seed N] [--cases N] [--logs N] [--minutes N]
 *   npm run fuzz -- --seed N --case K        one case of traffic alone
 *   npm run fuzz -- --seed N --log K         one damaged log alone
 *
 * Prints the seed, how fast it goes, and a verdict; the exit code is 1 if anything was wrong.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { judgeDamage } from '../test/fuzz/logs/judge.ts';
import { run } from '../test/fuzz/run.ts';

type Range = { readonly from: number; readonly to: number };

const DEFAULT_CASES = 20_000;
const DEFAULT_LOGS = 200;
/** As many as there are addresses for. */
const MOST_CASES = 10_000_000;
/** The share of the time that goes to traffic. */
const TRAFFIC_SHARE = 0.9;
/** Failures that are printed; one is enough to begin with. */
const MOST_SHOWN = 20;

const USAGE = `usage: npm run fuzz -- [--seed N] [--cases N] [--logs N] [--minutes N]
       npm run fuzz -- --seed N --case K, or --log K
`;
/** From sysexits.h: EX_USAGE. */
const EXIT_USAGE = 64;

const number = { type: 'string' } as const;
const { values } = readArguments();
const started = performance.now();
const seed = asNumber('seed', values.seed) ?? randomInt(2 ** 31);
const minutes = asNumber('minutes', values.minutes);
const until = (share: number) =>
  minutes === undefined ? Number.POSITIVE_INFINITY : started + share * minutes * 60_000;

const failures = [
  ...(await fuzzTraffic(rangeOf('case', 'log', DEFAULT_CASES))),
  ...(await fuzzLogs(rangeOf('log', 'case', DEFAULT_LOGS))),
];
console.log(`fuzz: seed ${seed}: ${failures.length === 0 ? 'all is well' : `${failures.length} FAILURES`}`);
if (failures.length > 0) console.log(`one alone: npm run fuzz -- --seed ${seed} --case K (or --log K)`);
process.exitCode = failures.length > 0 ? 1 : 0;

function readArguments() {
  try {
    return parseArgs({
      options: { seed: number, cases: number, logs: number, minutes: number, case: number, log: number },
    });
  } catch (error) {
    process.stderr.write(`fuzz: ${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exit(EXIT_USAGE);
  }
}

/** One alone if its number was given, none if it was that of the other kind. */
function rangeOf(kind: 'case' | 'log', other: 'case' | 'log', many: number): Range {
  const one = asNumber(kind, values[kind]);
  if (one !== undefined) return { from: one, to: one + 1 };
  if (values[other] !== undefined) return { from: 0, to: 0 };
  const count = asNumber(`${kind}s`, values[`${kind}s`]);
  return { from: 0, to: count ?? (minutes === undefined ? many : MOST_CASES) };
}

async function fuzzTraffic({ from, to }: Range): Promise<readonly string[]> {
  if (from === to) return [];
  console.log(`fuzz: seed ${seed}, cases from ${from}`);
  let shown = 0;
  const { failures } = await run({
    ...{ seed, from, to, until: until(TRAFFIC_SHARE) },
    report({ cases, answered, failures }) {
      const what = `${cases} cases, ${perSecond(cases)}/s, ${answered} answers to bystanders`;
      console.log(`  ${what}, ${failures.length} failures`);
      for (; shown < Math.min(failures.length, MOST_SHOWN); shown += 1)
        console.log(`FAILURE ${failures[shown]}`);
    },
  });
  return failures;
}

async function fuzzLogs({ from, to }: Range): Promise<readonly string[]> {
  const failures: string[] = [];
  let tried = 0;
  for (; from + tried < to && performance.now() < until(1); tried += 1) {
    for (const failure of await judgeDamage(seed, from + tried)) {
      failures.push(failure);
      console.log(`FAILURE ${failure}`);
    }
  }
  if (tried > 0) console.log(`  ${tried} damaged logs, ${failures.length} failures`);
  return failures;
}

function perSecond(count: number): number {
  return Math.round(count / ((performance.now() - started) / 1000));
}

function asNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  console.error(`fuzz: --${name} must be a number, not "${text}"`);
  process.exit(64);
}
