/**
 * Compares Reprise with nginx and the proxies of npm, where they are installed: CPU time per request and per chunk of a
 * stream, delay, memory per idle stream. Linux only. The report goes to stdout as Markdown, progress to stderr:
 *
 *     npm run --silent bench -- all > bench/RESULTS.md
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Bench } from './compare/bench-run.ts';
import { floorsSection, type Measured } from './compare/floors.ts';
import { measureMemory } from './compare/memory.ts';
import { findContestants } from './compare/proxies.ts';
import { heading } from './compare/report.ts';
import { measureRequests } from './compare/requests.ts';
import { measureStreams } from './compare/streams.ts';
import { memorySection, requestsSection, streamsSection } from './compare/tables.ts';

const EX_USAGE = 64;
const USAGE = `Usage: npm run bench -- [requests|streams|memory|all] [options]

  --rounds N       instead of 100 rounds of requests, 5 of streams, 3 of memory
  --peers FOLDER   where npm has installed the peers; BENCH_PEERS, or ~/.cache/proxy-rig/npm
  --only NAMES     of the proxies, with commas between: Reprise,fast-proxy
  --quick          Reprise alone, for a moment: tries whether the benchmark works, its figures mean nothing
`;
const MEASUREMENTS = ['requests', 'streams', 'memory'] as const;
type Measurement = (typeof MEASUREMENTS)[number];

type Wanted = {
  readonly measurements: readonly Measurement[];
  readonly rounds: number | undefined;
  readonly peersFolder: string;
  readonly only: readonly string[] | undefined;
  readonly isQuick: boolean;
};

let wanted: Wanted | undefined;
try {
  wanted = readFlags(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`bench: ${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = EX_USAGE;
}
if (wanted !== undefined) await run(wanted);

async function run({ measurements, rounds, peersFolder, only, isQuick }: Wanted): Promise<void> {
  const { found, missing } = findContestants(peersFolder);
  const isWanted = (name: string) => (isQuick ? name === 'Reprise' : (only?.includes(name) ?? true));
  const contestants = found.filter(({ name }) => isWanted(name));
  if (!isQuick) for (const line of missing) say(line);
  const folder = mkdtempSync(join(tmpdir(), 'reprise-bench-'));
  const bench: Bench = { contestants, peersFolder, isQuick, rounds, folder, say };
  try {
    const measured: Measured = {};
    const sections: string[] = [];
    if (measurements.includes('requests')) {
      measured.requests = await measureRequests(bench);
      sections.push(requestsSection(measured.requests));
    }
    if (measurements.includes('streams')) {
      measured.streams = await measureStreams(bench);
      sections.push(streamsSection(measured.streams));
    }
    if (measurements.includes('memory')) {
      measured.memory = await measureMemory(bench);
      sections.push(memorySection(measured.memory));
    }
    const command = `npm run --silent bench -- ${process.argv.slice(2).join(' ')}`;
    const floors = isQuick ? [] : [floorsSection(measured)];
    const report = [heading(command, contestants), ...floors, ...sections];
    process.stdout.write(`${report.join('\n\n')}\n`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readFlags(args: readonly string[]): Wanted {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      peers: { type: 'string' },
      only: { type: 'string' },
      quick: { type: 'boolean' },
    },
  });
  const [word = 'all', ...more] = positionals;
  const measurements = word === 'all' ? MEASUREMENTS : MEASUREMENTS.filter((each) => each === word);
  if (measurements.length === 0 || more.length > 0) {
    throw new Error(`there is no measurement '${[word, ...more].join(' ')}'`);
  }
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) {
    throw new Error(`--rounds must be a whole number from 1, not '${values.rounds}'`);
  }
  const peers = values.peers ?? process.env.BENCH_PEERS ?? join(homedir(), '.cache', 'proxy-rig', 'npm');
  return {
    measurements,
    rounds,
    peersFolder: resolve(peers),
    only: values.only?.split(','),
    isQuick: values.quick === true,
  };
}

function say(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
