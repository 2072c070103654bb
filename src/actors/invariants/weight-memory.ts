/** Remembers current weights: a pick passes them round among the backends, and only a config gives and takes them. */
import { selectorOf } from '../core.ts';
import type { Memory } from './rule.ts';

export function createWeightMemory(): Memory {
  let before = 0;
  return {
    follow(core, fact, _, breaches) {
      let sum = 0;
      for (const { currentWeight } of selectorOf(core).peers) sum += currentWeight;
      if (sum !== before && !('config' in fact))
        breaches.push(`the current weights came to ${before} and now to ${sum}`);
      before = sum;
    },
  };
}
