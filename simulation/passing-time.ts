/** Lets time pass in a simulated world, one planned event after the other, until a condition holds or something is wrong. */
import type { World } from './world.ts';

/** Lets the next planned event happen. @returns false if something is wrong */
export function runNext(world: World): boolean {
  world.timeline.advance(Number.POSITIVE_INFINITY);
  return world.state.breach === undefined;
}

/** Lets time pass until `isSo`, but no longer than `withinMs`. */
export function* until(world: World, withinMs: number, isSo: () => boolean): Generator<void> {
  const { timeline } = world;
  const deadline = timeline.now() + withinMs;
  while (world.state.breach === undefined && !isSo() && timeline.advance(deadline)) yield;
}

/** Notes what is wrong. Only the first breach is kept, since later ones may follow from it. */
export function noteBreach(world: World, text: string): void {
  world.state.breach ??= text;
}
