/**
 * The course of one run: trouble for as many steps as the scenario says; then the faults stop, and everything has to end,
 * to come back, and to be shared by weight again; then the gateway stops.
 */
import { poolOf, selectorOf, statusOfBackend } from '../src/actors/core.ts';
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

function calm(world: World): void {
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
  for (const { id } of core.config.backends) operators.restore(id);
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

/**
 * One request after the other, so that nobody is left out for want of room. What trouble has left in current weights is
 * made good first: one that is ahead has a run of picks, one that is behind waits until it has caught up, which takes as
 * many picks as its weight is contained in what it lacks. Then a round leaves the current weights as it found them, and
 * gives to every backend exactly what its weight says.
 */
function* share(world: World): Generator<void> {
  const { core } = world.balancer;
  const { backends } = core.config;
  const divisor = backends.reduce((common, { weight }) => greatestCommonDivisor(common, weight), 0);
  const round = backends.reduce((sum, { weight }) => sum + weight, 0) / Math.max(1, divisor);
  const settling = Math.max(
    0,
    ...selectorOf(core).peers.map(({ currentWeight, weight }) => Math.abs(currentWeight) / weight),
  );
  const rounds = 1 + Math.ceil(settling / round);
  if ((rounds + 1) * round > MOST_PICKS) return;
  for (let left = rounds * round; left > 0; left -= 1) yield* serveOne(world);
  const weightsOf = () => selectorOf(core).peers.map(({ currentWeight }) => currentWeight);
  const weights = weightsOf();
  const totals = totalsOf(world);
  for (let left = round; left > 0; left -= 1) yield* serveOne(world);
  if (world.state.breach !== undefined) return;
  if (weights.join() !== weightsOf().join())
    breach(world, `after ${rounds} rounds the current weights go from ${weights} to ${weightsOf()} in one`);
  const after = totalsOf(world);
  for (const [index, { id, weight }] of backends.entries()) {
    const got = (after[index] ?? 0) - (totals[index] ?? 0);
    if (got !== weight / divisor)
      breach(world, `of ${round} requests ${id} got ${got}, not ${weight / divisor} as its weight says`);
  }
}

function greatestCommonDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestCommonDivisor(other, one % other);
}

/** Requests sent to each backend so far, in the order of the config. */
function totalsOf({ balancer: { core } }: World): number[] {
  return core.config.backends.map(({ id }) => core.backends.get(id)?.total ?? 0);
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
  if (sockets.ends.size !== idle)
    breach(world, `${sockets.ends.size} sockets are open of which the core knows ${idle}`);
  gateway.close();
}
