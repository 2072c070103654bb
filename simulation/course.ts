/**
 * The course of one run: trouble for as many steps as the scenario says. Then the faults stop: every request has to end, every
 * backend to become healthy, and requests to be shared by weight again. Then the gateway stops.
 */
import { poolOf, selectorOf, statusOfBackend } from '../src/actors/core.ts';
import type { BackendStatus } from '../src/actors/events.ts';
import { noteBreach, runNext, until } from './passing-time.ts';
import { readBack } from './read-back.ts';
import { firstConfig } from './scenario.ts';
import { checkShares } from './shares.ts';
import { PATIENCE_MS } from './traffic.ts';
import type { World } from './world.ts';

/** Yields after everything that happens; the first thing that goes wrong is in `world.state.breach`. */
export function* courseOf(world: World): Generator<void> {
  begin(world);
  while (world.state.facts < world.scenario.steps && runNext(world)) yield;
  calm(world);
  yield* until(world, PATIENCE_MS + 1, () => world.traffic.open.size === 0);
  checkNothingIsLeft(world);
  yield* checkRecovery(world);
  yield* checkShares(world);
  yield* checkStop(world);
}

function begin({ control$, scenario, servers, traffic, operators }: World): void {
  control$.next({ type: 'gateway.started', version: 'simulated', config: firstConfig(scenario) });
  servers.begin();
  traffic.begin();
  operators.begin();
}

/** Far longer than a disk without trouble needs to write what waits. */
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

function checkNothingIsLeft(world: World): void {
  const { core } = world.balancer;
  if (world.traffic.open.size > 0) noteBreach(world, `${world.traffic.open.size} requests never ended`);
  if (core.requests.size > 0)
    noteBreach(world, `the core has ${core.requests.size} requests of clients that are gone`);
  const { leases, waiting } = poolOf(core);
  if (leases.size > 0) noteBreach(world, `${leases.size} leases were never released`);
  if (waiting.length > 0) noteBreach(world, `${waiting.length} requests wait for nobody`);
}

/** Once the faults have stopped, every backend that answers its probes is healthy within the time that takes. */
function* checkRecovery(world: World): Generator<void> {
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
  if (problem !== undefined) noteBreach(world, `${problem}, ${longestMs} ms after the faults have stopped`);
}

/** Whether only an operator can bring it back. An ejected backend is not held: its ejection has to end by itself. */
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

/** The gateway is told to stop, some requests under way; they end, and then nothing is taken any more. */
function* checkStop(world: World): Generator<void> {
  const { traffic, gateway, control$, scenario, prober, sockets, balancer } = world;
  const few = scenario.faults.includes('stop') ? 10 : 1;
  for (let sent = 0; sent < few; sent += 1) traffic.sendOne();
  gateway.stopTicks();
  control$.next({ type: 'gateway.stopping' });
  yield* until(world, PATIENCE_MS, () => traffic.open.size === 0);
  control$.next({ type: 'listener.closed' });
  const late = traffic.sendOne();
  if (!late.hasEnded) noteBreach(world, 'a request was taken after the gateway had stopped');
  checkNothingIsLeft(world);
  if (prober.running.size > 0) noteBreach(world, 'probes go on after the gateway has stopped');
  const idle = [...poolOf(balancer.core).backends.values()].reduce((sum, pool) => sum + pool.idle.length, 0);
  if (sockets.connections.size !== idle)
    noteBreach(world, `${sockets.connections.size} sockets are open of which the core knows ${idle}`);
  gateway.close();
  yield* closeLog(world);
}

/** What of the log can be on the disk gets there, and then all of it is read back. */
function* closeLog(world: World): Generator<void> {
  const { record, state } = world;
  if (record === undefined) return;
  const { disk, recorder } = record;
  yield* until(world, LOG_CLOSES_WITHIN_MS, () => recorder.isAtRest);
  if (!recorder.isAtRest) noteBreach(world, 'the event log does not come to rest');
  const problem = readBack(disk, recorder, state.facts);
  if (problem !== undefined) noteBreach(world, problem);
}
