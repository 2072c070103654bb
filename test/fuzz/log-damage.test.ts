/** Logs damaged at random, by seed; `npm run fuzz` tries more of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeDamage } from './logs/judge.ts';

const SEED = 1;
const MOST = 60;
/** However long they take. */
const LEAST = 20;
const BUDGET_MS = 5_000;

test('damage to an event log is reported, whatever it is, and crashes nothing', async (context) => {
  const until = performance.now() + BUDGET_MS;
  const wrong: string[] = [];
  let tried = 0;
  for (; tried < LEAST || (tried < MOST && performance.now() < until); tried += 1)
    wrong.push(...(await judgeDamage(SEED, tried)));
  context.diagnostic(`seed ${SEED}: ${tried} damaged logs`);
  assert.deepEqual(wrong, []);
});
