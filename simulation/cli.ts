/** `npm run simulate`. */

import { runScenario } from './run.ts';
import { drawScenario } from './scenario.ts';

const [from = '1', count = '1', steps = '2000'] = process.argv.slice(2);
let facts = 0,
  sim = 0,
  bad = 0;
const t0 = performance.now();
for (let seed = +from; seed < +from + +count; seed++) {
  const run = runScenario(drawScenario(seed, +steps));
  facts += run.facts;
  sim += run.simulatedMs;
  if (run.breach) {
    bad++;
    console.log(seed, run.scenario.backends, run.facts, run.breach.slice(0, 600), run.scenario.faults.join());
  }
}
const s = (performance.now() - t0) / 1000;
console.log({ facts, perS: Math.round(facts / s), hours: sim / 3.6e6, bad });
