/** Whether requests are shared exactly as the weights say, once the faults have stopped and every backend is healthy. */
import { selectorOf } from '../src/actors/core.ts';
import { noteBreach, until } from './passing-time.ts';
import { PATIENCE_MS } from './traffic.ts';
import type { World } from './world.ts';

/** The check is left out where it would take more picks than this. */
const MOST_PICKS = 400;
/** After a round with retries another is judged: a retry passes over a backend, so another had more than its turn. */
const MOST_TRIES = 4;

/**
 * Sends one request after the other, so that no backend is passed over for want of room, and counts one round. Before that it
 * lets the current weights settle. Trouble may have left a backend ahead, which then is picked several times in a row, or
 * behind, which then waits: for |currentWeight| / weight picks at most. After that a round gives every backend exactly what
 * its weight says, and leaves the current weights as it found them.
 */
export function* checkShares(world: World): Generator<void> {
  for (let left = MOST_TRIES; left > 0 && world.state.breach === undefined; left -= 1) {
    const shares = sharesOf(world);
    const round = shares.reduce((sum, share) => sum + share, 0);
    const peers = selectorOf(world.balancer.core).peers;
    const behind = Math.max(0, ...peers.map((peer) => Math.abs(peer.currentWeight) / peer.weight));
    const settling = round * (1 + Math.ceil(behind / round));
    if (settling + round > MOST_PICKS) return;
    for (let one = 0; one < settling; one += 1) yield* serveOne(world);
    const before = positionOf(world);
    for (let one = 0; one < round; one += 1) yield* serveOne(world);
    const after = positionOf(world);
    if (after.retries !== before.retries) continue;
    judgeRound(world, shares, before, after);
    return;
  }
}

type Position = {
  readonly weights: readonly number[];
  readonly picks: readonly number[];
  readonly retries: number;
};

/** Where the round is: current weights, picks for requests that come, and retries, in the order of the config. */
function positionOf({ balancer: { core }, state }: World): Position {
  return {
    weights: selectorOf(core).peers.map(({ currentWeight }) => currentWeight),
    picks: core.config.backends.map(({ id }) => state.picks.get(id) ?? 0),
    retries: state.retries,
  };
}

function judgeRound(world: World, shares: readonly number[], before: Position, after: Position): void {
  if (world.state.breach !== undefined) return;
  if (before.weights.join() !== after.weights.join())
    noteBreach(world, `a round takes the current weights from ${before.weights} to ${after.weights}`);
  for (const [index, { id }] of world.balancer.core.config.backends.entries()) {
    const got = (after.picks[index] ?? 0) - (before.picks[index] ?? 0);
    if (got !== shares[index])
      noteBreach(world, `in a round ${id} got ${got} requests, not ${shares[index]} as its weight says`);
  }
}

/** How many requests each backend gets in a round, in the order of the config. */
function sharesOf({ balancer: { core } }: World): number[] {
  const { backends } = core.config;
  const divisor = backends.reduce((common, { weight }) => greatestCommonDivisor(common, weight), 0);
  return backends.map(({ weight }) => weight / divisor);
}

function greatestCommonDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestCommonDivisor(other, one % other);
}

function* serveOne(world: World): Generator<void> {
  if (world.state.breach !== undefined) return;
  const client = world.traffic.sendOne();
  yield* until(world, PATIENCE_MS, () => client.hasEnded);
  if (!client.hasEnded) noteBreach(world, 'a request to healthy backends did not end');
}
