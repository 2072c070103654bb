/**
 * Runs of the real daemon among faults, for minutes to hours. Each says a line a second, then a verdict, and ends with 1 if
 * anything was wrong.
 *
 *     npm run chaos -- [MINUTES=10] [--streams 500] [--seed N]
 *     npm run soak -- [MINUTES=10] [--streams 500] [--seed N]
 *     npm run stale-sockets -- [REQUESTS=100000] [--seed N]
 */
import { parseArgs } from 'node:util';
import { runAmongFaults } from '../test/soak/run.ts';
import { runStale } from '../test/soak/stale.ts';
import type { Verdict } from '../test/soak/verdict.ts';

const USAGE = `usage: npm run chaos -- [MINUTES=10] [--streams 500] [--seed N]
       npm run soak -- [MINUTES=10] [--streams 500] [--seed N]
       npm run stale-sockets -- [REQUESTS=100000] [--seed N]
`;
/** From sysexits.h: EX_USAGE. */
const EXIT_USAGE = 64;

const say = (line: string) => void process.stdout.write(`${line}\n`);

const { values, positionals } = readArguments();
const [mode = '', amount] = positionals;
const seed = numberOf(values.seed ?? String(Math.floor(Math.random() * 2 ** 31)));
const { isClean } = await runMode();
process.exit(isClean ? 0 : 1);

function runMode(): Promise<Verdict> {
  switch (mode) {
    case 'chaos':
    case 'soak':
      return runAmongFaults({
        isSoak: mode === 'soak',
        durationMs: numberOf(amount ?? '10') * 60_000,
        streams: numberOf(values.streams),
        seed,
        say,
      });
    case 'stale-sockets':
      return runStale({ requests: numberOf(amount ?? '100000'), seed, say });
    default:
      return refuse(`there is no run called '${mode}'`);
  }
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { streams: { type: 'string', default: '500' }, seed: { type: 'string' } },
    });
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function numberOf(text: string): number {
  const number = Number(text);
  return number > 0 ? number : refuse(`'${text}' is not a number above 0`);
}

function refuse(problem: string): never {
  process.stderr.write(`soak: ${problem}\n${USAGE}`);
  process.exit(EXIT_USAGE);
}
