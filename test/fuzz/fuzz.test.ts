/** A short run of the fuzzer, of the same cases each time; `npm run fuzz` is the long one. */
import assert from 'node:assert/strict';

import { it } from 'node:test';
import { run } from './run.ts';

const SEED = 1;
const CASES = 1_500;
/** No new world is begun after this, so that a busy machine does not take for ever. */
const BUDGET_MS = 12_000;

/** Linux answers to all of 127.0.0.0/8, so that each case has an address of its own. */
const skip = process.platform === 'linux' ? false : 'needs the loopback of Linux';

it('nothing malformed harms the gateway, its backends or another client', { skip }, async (context) => {
  const { cases, answered, failures } = await run({
    seed: SEED,
    from: 0,
    to: CASES,
    until: performance.now() + BUDGET_MS,
  });
  context.diagnostic(`seed ${SEED}: ${cases} cases, ${answered} answers to bystanders`);
  assert.deepEqual(failures, [], `npm run fuzz -- --seed ${SEED} --case K shows one of them`);
  assert.ok(cases >= 500 && answered > 0, 'hardly anything was tried');
});
