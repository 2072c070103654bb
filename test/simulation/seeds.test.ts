/** A short run of the simulator over fresh seeds; `npm run simulate` is the long one. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { it } from 'node:test';
import { judge } from '../../simulation/judge.ts';
import { drawScenario } from '../../simulation/scenario.ts';
import { createTally } from '../../simulation/tally.ts';

const STEPS = 1_500;
/** No new seed is begun after this. */
const BUDGET_MS = 15_000;
const LEAST_SEEDS = 5;

it('in every drawn world all invariants hold, and the same seed gives the same run', (context) => {
  const first = randomInt(2 ** 31);
  const until = performance.now() + BUDGET_MS;
  const tally = createTally();
  for (let seed = first; performance.now() < until || seed < first + LEAST_SEEDS; seed += 1) {
    const verdict = judge(drawScenario(seed, STEPS));
    const again = `npm run simulate -- --seed ${seed} --seeds 1 --steps ${STEPS}`;
    assert.equal(verdict.breach, undefined, `${again} shows it`);
    tally.add(verdict);
  }
  context.diagnostic(`from seed ${first} on: ${tally.text()}`);
});
