/**
 * The course of one run: trouble for as many steps as the scenario says; then the faults stop, and everything has to end,
 * to come back, and to be shared by weight again; then the gateway stops.
 */
import { poolOf, selectorOf, statusOfBackend } from '../src/actors/core.ts';
import type { BackendStatus } from '../src/actors/events.ts';
import { readBack } from './read-back.ts';
import { firstConfig } from './scenario.ts';
import { PATIENCE_MS } from './traffic.ts';
import type { World } from './world.ts';

/** Yields after everything that happens; what goes wrong is in `world.state.breach`. */
export function* courseOf(world: World): Generator<void> {
  begin(world);
  while (world.state.facts < world.scenario.steps && goesOn(world)) yield;
  calm(world);
  yield* until(world, PATIENCE_MS + 1, () => world.traffic.open.size === 0);
  endsAreMet(world);
  yield* recover(world);
  yield* share(world);
  yield* stop(world);
}

function begin({ control$, scenario, servers, traffic, operators }: World): void {
  control$.next({ type: 'gateway.started', version: 'simulated', config: firstConfig(scenario) });
  servers.begin();
  traffic.begin();
  operators.begin();
}

/** One thing more happens. @returns false if something is wrong */
function goesOn(world: World): boolean {
  world.timeline.advance(Number.POSITIVE_INFINITY);
  return world.state.breach === undefined;
}

/** Time passes until it is so, but no longer than that. */
function* until(world: World, withinMs: number, isSo: () => boolean): Generator<void> {
  const { timeline } = world;
  const deadline = timeline.now() + withinMs;
  while (world.state.breach === undefined && !isSo() && timeline.advance(deadline)) yield;
}

function breach(world: World, text: string): void {
  world.state.breach ??= text;
}

/** A disk that is well writes what waits in less. */
const LOG_CLOSES_WITHIN_MS = 600_000;

function calm(world: World): void {
  world.record?.disk.calm();
  const { servers, traffic, operators } = world;
  world.state.isCalm = true;
  servers.calm();
  traffic.calm();
  operators.calm();
  for (const id of world.balancer.core.backends.keys()) traffic.endTunnels(id);
}

function endsAreMet(world: World): void {
  const { core } = world.balancer;
  if (world.traffic.open.size > 0) breach(world, `${world.traffic.open.size} requests never ended`);
  if (core.requests.size > 0)
    breach(world, `the core has ${core.requests.size} requests of clients that are gone`);
  const { leases, waiting } = poolOf(core);
  if (leases.size > 0) breach(world, `${leases.size} leases were never released`);
  if (waiting.length > 0) breach(world, `${waiting.length} requests wait for nobody`);
}

/** Once the faults have stopped, every backend that answers its probes is healthy within the time that takes. */
function* recover(world: World): Generator<void> {
  const { operators, balancer, scenario, settings } = world;
  const { core } = balancer;
  if (core.config.backends.length === 0) operators.reloadWith(firstConfig(scenario));
  for (const { id } of core.config.backends) if (isHeld(statusOfBackend(core, id))) operators.restore(id);
  // A probe that began while there were faults may still fail.
  yield* until(world, settings.probeTimeoutMs + 1, () => false);
  const { health, outlier } = core.config;
  const beatMs = settings.probeIntervalMs * 1.1 + settings.probeTimeoutMs + 10;
  const longestMs =
    (health.rise + 2) * beatMs +
    (health.slowStartMs ?? 0) +
    2 * Math.max(outlier?.maxEjectionMs ?? 0, 600_000);
  const isWell = () => unwell(world) === undefined;
  yield* until(world, longestMs, isWell);
  const problem = unwell(world);
  if (problem !== undefined) breach(world, `${problem}, ${longestMs} ms after the faults have stopped`);
}

/** Whether only an operator can bring it back. Nobody ends an ejection but time. */
function isHeld(status: BackendStatus | undefined): boolean {
  return status === 'draining' || status === 'drained';
}

function unwell({ balancer: { core }, timeline }: World): string | undefined {
  for (const { id } of core.config.backends) {
    const status = statusOfBackend(core, id);
    if (status !== 'healthy') return `${id} is ${status}`;
  }
  for (const { backend, pausedUntil, weight, effectiveWeight } of selectorOf(core).peers) {
    if (pausedUntil > timeline.now()) return `${backend} is left alone`;
    if (effectiveWeight !== weight) return `${backend} is in slow start`;
  }
  return core.backends.size === core.config.backends.length ? undefined : 'a removed backend is still there';
}

/** Courses of picks longer than this are not gone through. */
const MOST_PICKS = 400;
/** Where requests were sent again within a round, others had more than their turn, and another round is judged. */
const MOST_TRIES = 4;

/**
 * One request after the other, so that nobody is left out for want of room. What trouble has left in current weights is
 * made good first: one that is ahead has a run of picks, one that is behind waits until it has caught up, which takes as
 * many picks as its weight is contained in what it lacks. Then a round leaves the current weights as it found them, and
 * gives to every backend exactly what its weight says.
 */
function* share(world: World): Generator<void> {
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
    breach(world, `a round takes the current weights from ${before.weights} to ${after.weights}`);
  for (const [index, { id }] of world.balancer.core.config.backends.entries()) {
    const got = (after.picks[index] ?? 0) - (before.picks[index] ?? 0);
    if (got !== shares[index])
      breach(world, `in a round ${id} got ${got} requests, not ${shares[index]} as its weight says`);
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
  if (!client.hasEnded) breach(world, 'a request to healthy backends did not end');
}

/** The gateway is told to stop, some requests under way; they end, and then nothing is taken any more. */
function* stop(world: World): Generator<void> {
  const { traffic, gateway, control$, scenario, prober, sockets, balancer } = world;
  const few = scenario.faults.includes('stop') ? 10 : 1;
  for (let sent = 0; sent < few; sent += 1) traffic.sendOne();
  gateway.stopTicks();
  control$.next({ type: 'gateway.stopping' });
  yield* until(world, PATIENCE_MS, () => traffic.open.size === 0);
  control$.next({ type: 'listener.closed' });
  const late = traffic.sendOne();
  if (!late.hasEnded) breach(world, 'a request was taken after the gateway had stopped');
  endsAreMet(world);
  if (prober.running.size > 0) breach(world, 'probes go on after the gateway has stopped');
  const idle = [...poolOf(balancer.core).backends.values()].reduce((sum, pool) => sum + pool.idle.length, 0);
  if (sockets.connections.size !== idle)
    breach(world, `${sockets.connections.size} sockets are open of which the core knows ${idle}`);
  gateway.close();
  yield* closeLog(world);
}

/** What of the log can be on the disk gets there, and then all of it is read back. */
function* closeLog(world: World): Generator<void> {
  const { record, state } = world;
  if (record === undefined) return;
  const { disk, recorder } = record;
  yield* until(world, LOG_CLOSES_WITHIN_MS, () => recorder.isAtRest);
  if (!recorder.isAtRest) breach(world, 'the event log does not come to rest');
  const problem = readBack(disk, recorder, state.facts);
  if (problem !== undefined) breach(world, problem);
}
