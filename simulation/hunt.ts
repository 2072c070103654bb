/** One process of `npm run simulate:mutants`: runs seeds until one fails, and prints what was found as JSON. */
import { judge } from './judge.ts';
import { drawScenario } from './scenario.ts';
import { kindOf } from './shrink.ts';

export type Found = {
  /** How many seeds it took, the last one included. */
  readonly seeds: number;
  /** What failed, without numbers; null if nothing did. */
  readonly by: string | null;
};

const [most = '100', steps = '1500'] = process.argv.slice(2);

function hunt(): Found {
  for (let seed = 1; seed <= Number(most); seed += 1) {
    const { breach } = judge(drawScenario(seed, Number(steps)));
    if (breach !== undefined) return { seeds: seed, by: kindOf(breach) };
  }
  return { seeds: Number(most), by: null };
}

console.log(JSON.stringify(hunt()));
