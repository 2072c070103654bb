/** What must hold of backends: their states, what the selector knows of them, and what they get. */
import { type Core, poolOf, selectorOf, statusOfBackend } from '../core.ts';
import type { Decision, Fact } from '../events.ts';
import { mostEjected } from '../outlier.ts';
import { hasRoom } from '../pool.ts';
import { isWilling } from '../selector.ts';

/** A lease begins only at a backend that is healthy at the end of the step that began it. */
export function leasesBeginAtHealthyBackends(
  core: Core,
  _: Fact,
  decisions: readonly Decision[],
): string | undefined {
  for (const decision of decisions) {
    if (decision.type !== 'backend.selected') continue;
    const status = statusOfBackend(core, decision.backend);
    if (status !== 'healthy')
      return `request ${decision.request} was given to ${decision.backend}, which is ${status}`;
  }
  return undefined;
}

/** The selector has the backends of the config, in their order and with their weights. */
export function theSelectorHasTheConfig(core: Core): string | undefined {
  const { peers } = selectorOf(core);
  const { backends } = core.config;
  if (peers.length !== backends.length)
    return `the selector has ${peers.length} backends, the config ${backends.length}`;
  for (let index = 0; index < peers.length; index += 1) {
    const peer = peers[index];
    const settings = backends[index];
    if (peer?.backend !== settings?.id || peer?.weight !== settings?.weight)
      return `the selector has ${peer?.backend} with ${peer?.weight} in the place of ${settings?.id}`;
  }
  return undefined;
}

/** The selector's view of health and room is the machines' and the pool's. */
export function theSelectorIsUpToDate(core: Core): string | undefined {
  const { backends } = poolOf(core);
  for (const { backend, healthy, hasRoom: room } of selectorOf(core).peers) {
    if (healthy !== (statusOfBackend(core, backend) === 'healthy'))
      return `the selector is wrong on ${backend}'s health`;
    const pool = backends.get(backend);
    if (pool === undefined || room !== hasRoom(pool))
      return `the selector is wrong on the room at ${backend}`;
  }
  return undefined;
}

/** A backend drains only as long as it has leases. */
export function drainingEnds(core: Core): string | undefined {
  for (const [backend, { leased }] of poolOf(core).backends) {
    if (leased === 0 && statusOfBackend(core, backend) === 'draining')
      return `${backend} drains without a lease`;
  }
  return undefined;
}

/** Ejections keep within their share; those above a share that was lowered only run off. */
export function ejectionsStayWithinTheirShare(
  core: Core,
  _: Fact,
  decisions: readonly Decision[],
): string | undefined {
  for (const decision of decisions) {
    if (decision.type !== 'backend.changed' || decision.to !== 'ejected') continue;
    const out = [...core.backends.keys()].filter((id) => statusOfBackend(core, id) === 'ejected');
    return out.length <= mostEjected(core)
      ? undefined
      : `${out.join()} are ejected, of ${mostEjected(core)} at most`;
  }
  return undefined;
}

/** Nobody is kept out for failing requests while there is nobody else to take them. */
export function someoneIsHealthyWhileOneIsEjected(core: Core): string | undefined {
  let isOneEjected = false;
  for (const id of core.backends.keys()) {
    const status = statusOfBackend(core, id);
    if (status === 'healthy') return undefined;
    if (status === 'ejected') isOneEjected = true;
  }
  return isOneEjected ? 'a backend is ejected and none is healthy' : undefined;
}

/** A backend in slow start has less than its share, any other the whole of it. */
export function sharesAreWhole(core: Core): string | undefined {
  const { backends } = poolOf(core);
  for (const { backend, weight, effectiveWeight } of selectorOf(core).peers) {
    const pool = backends.get(backend);
    if (effectiveWeight > weight || (pool !== undefined && pool.limit > pool.size))
      return `${backend} has more than its share`;
    if (pool !== undefined && pool.limit < 1) return `${backend} may have no lease at all`;
    const isWhole = effectiveWeight === weight && pool?.limit === pool?.size;
    if (!isWhole && !core.ramps.has(backend)) return `${backend} is kept short and is not in slow start`;
  }
  return undefined;
}

/** A slow start lasts as long as the config says, and no longer. */
export function slowStartsEnd(core: Core): string | undefined {
  const { slowStartMs = 0 } = core.config.health;
  for (const [backend, since] of core.ramps) {
    if (core.at - since >= slowStartMs)
      return `${backend} is in slow start for ${core.at - since} ms, of ${slowStartMs}`;
    if (statusOfBackend(core, backend) !== 'healthy') return `${backend} is in slow start and is not healthy`;
  }
  return undefined;
}

/** A backend is left alone for no longer than an ejection may last, and heeded as long as there is another. */
export function pausesAreHeeded(core: Core, _: Fact, decisions: readonly Decision[]): string | undefined {
  for (const decision of decisions) {
    if (decision.type === 'backend.paused') {
      const longestMs = core.config.outlier?.maxEjectionMs ?? 0;
      if (decision.until > core.at + longestMs)
        return `${decision.backend} is left alone for ${decision.until - core.at} ms, of ${longestMs}`;
    }
    // What a step that changed more has picked from is not known any more.
    if (decision.type !== 'backend.selected' || decisions.length > 2) continue;
    const tried = core.requests.get(decision.request)?.tried ?? [];
    const { peers } = selectorOf(core);
    const isPaused = peers.some(
      ({ backend, pausedUntil }) => backend === decision.backend && pausedUntil > core.at,
    );
    const other = peers.find((peer) => peer.backend !== decision.backend && isWilling(peer, tried, core.at));
    if (isPaused && other !== undefined)
      return `request ${decision.request} was given to ${decision.backend}, which asked to be left alone`;
  }
  return undefined;
}
