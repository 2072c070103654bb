/**
 * Drawing from a seed: each concern of a world has a stream of draws of its own, so that a smaller world, such as
 * shrinking makes, draws the same for what is left of it.
 */
import { createRandom, seedFrom } from '../src/simulation/random.ts';

/** A number from 0 up to 1. */
export type Draw = () => number;

export function drawFor(seed: number, ...concern: readonly (number | string)[]): Draw {
  return createRandom(seedFrom(seed, ...concern));
}

export function chance(draw: Draw, probability: number): boolean {
  return draw() < probability;
}

/** A whole number from `least` to `most`, both included. */
export function between(draw: Draw, least: number, most: number): number {
  return least + Math.floor(draw() * (most - least + 1));
}

/** A whole number whose order of magnitude is even between the two. */
export function spread(draw: Draw, least: number, most: number): number {
  return Math.round(Math.exp(Math.log(least) + draw() * (Math.log(most) - Math.log(least))));
}

/** How long until something that happens at random, once in `meanMs` on average; at least 1 ms. */
export function waitFor(draw: Draw, meanMs: number): number {
  return Math.max(1, Math.round(-Math.log(1 - draw()) * meanMs));
}

export function oneOf<const Item>(draw: Draw, items: readonly [Item, ...Item[]]): Item {
  return items[Math.floor(draw() * items.length)] ?? items[0];
}

export function someOf<Item>(draw: Draw, items: readonly Item[], probability: number): Item[] {
  return items.filter(() => draw() < probability);
}
