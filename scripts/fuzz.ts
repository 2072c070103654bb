/** `npm run fuzz -- [--seed N] [--cases N] [--minutes N] [--case K]`: throws malformed traffic at a real gateway. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { run } from '../test/fuzz/run.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    cases: { type: 'string' },
    minutes: { type: 'string' },
    case: { type: 'string' },
  },
});

const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
const one = values.case === undefined ? undefined : Number(values.case);
const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
const from = one ?? 0;
const to =
  from + (one === undefined ? Number(values.cases ?? (minutes === undefined ? 20_000 : 10_000_000)) : 1);
const started = performance.now();
console.log(`fuzz: seed ${seed}, cases ${from} to ${to - 1}`);
let shown = 0;
const { cases, answered, failures } = await run({
  seed,
  from,
  to,
  until: minutes === undefined ? Number.POSITIVE_INFINITY : started + minutes * 60_000,
  report(progress) {
    const perSecond = Math.round(progress.cases / ((performance.now() - started) / 1000));
    console.log(
      `  ${progress.cases} cases, ${perSecond}/s, ${progress.answered} answers to bystanders, ${progress.failures.length} failures`,
    );
    for (; shown < progress.failures.length; shown += 1)
      if (shown < 20) console.log(`FAILURE ${progress.failures[shown]}`);
  },
});
const seconds = (performance.now() - started) / 1000;
console.log(
  `fuzz: seed ${seed}: ${cases} cases in ${seconds.toFixed(1)} s (${Math.round(cases / seconds)}/s), ` +
    `${answered} answers to bystanders: ${failures.length === 0 ? 'all is well' : `${failures.length} FAILURES`}`,
);
if (failures.length > 0) console.log(`one case alone: npm run fuzz -- --seed ${seed} --case K`);
process.exitCode = failures.length > 0 ? 1 : 0;
