/** Draws for one case of the fuzzer: the same seed and case always give the same, whatever ran before. */
import { createRandom, seedFrom } from '../../src/simulation/random.ts';

export type Draw = {
  /** A whole number, both ends included. */
  int(from: number, to: number): number;
  chance(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  /** Bytes as latin1, each of any value. */
  bytes(count: number): string;
};

export function drawFor(...parts: readonly (number | string)[]): Draw {
  const random = createRandom(seedFrom(...parts));
  const int = (from: number, to: number) => from + Math.floor(random() * (to - from + 1));
  return {
    int,
    chance: (probability) => random() < probability,
    pick(items) {
      const found = items[int(0, items.length - 1)];
      if (found === undefined) throw new RangeError('there is nothing to pick from');
      return found;
    },
    bytes: (count) => String.fromCharCode(...Array.from({ length: count }, () => int(0, 255))),
  };
}
