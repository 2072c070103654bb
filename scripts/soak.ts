/**
 * Runs of the real daemon among faults, for minutes to hours:
 *
 *     npm run chaos -- [MINUTES=10] [--streams 500] [--seed N]
 */
import { parseArgs } from 'node:util';
import { runChaos } from '../test/soak/chaos.ts';

const say = (line: string) => void process.stdout.write(`${line}\n`);

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: { streams: { type: 'string', default: '500' }, seed: { type: 'string' } },
});
const [, minutes = '10'] = positionals;
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const { isClean } = await runChaos({
  durationMs: Number(minutes) * 60_000,
  streams: Number(values.streams),
  seed,
  say,
});
process.exit(isClean ? 0 : 1);
