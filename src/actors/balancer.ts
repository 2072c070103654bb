/**
 * The core's one door. `step` takes a fact with its time and returns what is to be done; it is synchronous, has
 * no clock, no randomness and no effects, so the same facts always lead to the same decisions.
 */
import { abortRequest, beginResponse, endResponse, failResponse, failSocket } from './answers.ts';
import { assertNever } from './assert-never.ts';
import { type Core, createCore, poolOf, tellPool } from './core.ts';
import { admitRequest, expireWait, serveWaiting } from './dispatch.ts';
import type { Decision, Fact } from './events.ts';
import { applyConfig, tellBackend } from './fleet.ts';
import { liftIfNoneIsHealthy } from './outlier.ts';
import { advanceRamps } from './ramp.ts';
import { type CoreSnapshot, restoreCore } from './snapshot.ts';
import { type TrafficView, viewTraffic } from './traffic.ts';
import { type BackendView, viewBackends } from './view.ts';

export type Balancer = {
  /**
   * @param fact what happened
   * @param at when, in milliseconds since the epoch; never less than at the step before
   * @returns what the core decided about it, in order
   */
  step(fact: Fact, at: number): readonly Decision[];
  /** What the core knows of each backend, in the order of the config, removed ones that still drain last. */
  backends(): BackendView[];
  /** Of requests as a whole: the queue, and retries. @param at milliseconds since the epoch */
  traffic(at: number): TrafficView;
  /** For invariants and tests, which look and do not touch. */
  readonly core: Core;
};

/**
 * @param snapshot the state to go on from; a core that knows nothing without one
 */
export function createBalancer(snapshot?: CoreSnapshot): Balancer {
  const core = snapshot === undefined ? createCore() : restoreCore(snapshot);
  return {
    core,
    step(fact, at) {
      core.at = at;
      core.decisions = [];
      // The room that has come with time belongs to those who wait, not to one who comes with this fact; and they get it
      // after the fact, which may be that the backend has fallen.
      if (core.ramps.size > 0 && poolOf(core).waiting.length === 0) advanceRamps(core);
      takeIn(core, fact);
      if (core.ramps.size > 0) advanceRamps(core);
      if (core.news === 'healthChanged') liftIfNoneIsHealthy(core);
      serveWaiting(core);
      return core.decisions;
    },
    backends: () => viewBackends(core),
    traffic: (at) => viewTraffic(core, at),
  };
}

function takeIn(core: Core, fact: Fact): void {
  switch (fact.type) {
    case 'gateway.started':
    case 'config.reloaded':
      applyConfig(core, fact.config);
      break;
    case 'config.rejected':
      break;
    case 'probe.succeeded':
    case 'probe.failed':
      tellBackend(core, fact.backend, { ...fact, at: core.at });
      break;
    case 'operator.drained':
    case 'operator.restored':
      tellBackend(core, fact.backend, { type: fact.type });
      break;
    case 'request.received':
      admitRequest(core, fact);
      break;
    case 'socket.opened':
      tellPool(core, { type: 'socketOpened', socket: fact.socket, at: core.at });
      break;
    case 'socket.failed':
      failSocket(core, fact);
      break;
    case 'socket.closed':
      tellPool(core, { type: 'socketClosed', backend: fact.backend, socket: fact.socket });
      break;
    case 'response.started':
      beginResponse(core, fact);
      break;
    case 'response.ended':
      endResponse(core, fact);
      break;
    case 'response.failed':
      failResponse(core, fact);
      break;
    case 'client.aborted':
      abortRequest(core, fact.request);
      break;
    case 'timer.fired':
      takeTimer(core, fact);
      break;
    case 'gateway.stopping':
      core.phase = 'stopping';
      break;
    case 'listener.closed':
      core.phase = 'stopped';
      core.decisions.push({ type: 'gateway.stopped' });
      break;
    default:
      assertNever(fact);
  }
}

function takeTimer(core: Core, fact: Extract<Fact, { type: 'timer.fired' }>): void {
  switch (fact.timer) {
    case 'queue':
      expireWait(core, fact.request);
      break;
    case 'ejection':
      tellBackend(core, fact.backend, { type: 'ejection.expired', at: core.at });
      break;
    case 'sweep':
      tellPool(core, { type: 'swept', at: core.at, idleTimeoutMs: core.config.pool.idleTimeoutMs });
      break;
    default:
      assertNever(fact);
  }
}
