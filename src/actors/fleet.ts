/**
 * What happens to the backends as such: probes, operators and reloads go through each one's machine, and a
 * change of state is told to the selector and the pool.
 */
import { createActor } from 'xstate';
import { type BackendActor, type BackendEvent, backendMachine, statusOf } from './backend.ts';
import {
  type Backend,
  type Core,
  poolOfBackend,
  selectorOf,
  syncRoom,
  tellPool,
  tellSelector,
} from './core.ts';
import { isSameOutlier, outlierOf } from './ejection.ts';
import type { BackendSettings, BackendStatus, CoreConfig } from './events.ts';
import { present } from './present.ts';
import { advanceRamps, beginRamp, endRamp } from './ramp.ts';
import { budgetUnder } from './retry-budget.ts';

/** Sends an event to the machine of a backend, and acts on the change of state if there is one. */
export function tellBackend(core: Core, id: string, event: BackendEvent): void {
  const backend = core.backends.get(id);
  if (backend === undefined) return;
  const from = statusOf(backend.actor);
  backend.actor.send(event);
  const to = statusOf(backend.actor);
  if (from === to) return;
  const { reason, ejectedUntil } = backend.actor.getSnapshot().context;
  const deadline = to === 'ejected' && ejectedUntil !== undefined ? { deadline: ejectedUntil } : {};
  core.decisions.push({ type: 'backend.changed', backend: id, from, to, reason, ...deadline });
  actOnChange(core, id, from, to);
}

function actOnChange(core: Core, id: string, from: BackendStatus, to: BackendStatus): void {
  if (from === 'healthy') endRamp(core, id);
  if (to === 'healthy') welcome(core, id);
  if (from === 'healthy' || to === 'healthy') {
    tellSelector(core, { type: 'healthChanged', backend: id, healthy: to === 'healthy' });
    core.news = 'healthChanged';
  }
  // The sockets of a host that fell out may be half-open: using one later would hang a request.
  if (to === 'unhealthy' || to === 'ejected') {
    tellPool(core, { type: 'socketsUnwanted', backend: id, reason: to });
  }
  if (to === 'draining') {
    tellPool(core, { type: 'socketsUnwanted', backend: id, reason: 'draining' });
    noteIfEmpty(core, id);
  }
  if (to === 'removed') {
    core.backends.get(id)?.actor.stop();
    core.backends.delete(id);
    tellPool(core, { type: 'forgotten', backend: id });
  }
}

/** One that comes back starts slowly; one that is new does not. */
function welcome(core: Core, id: string): void {
  const backend = present(core.backends.get(id), 'a backend');
  if (backend.isNew) backend.isNew = false;
  else beginRamp(core, id);
}

/** Lets a draining backend reach its end once its last lease is released. */
export function noteIfEmpty(core: Core, id: string): void {
  const backend = core.backends.get(id);
  if (backend === undefined || statusOf(backend.actor) !== 'draining') return;
  if (poolOfBackend(core, id)?.leased === 0) tellBackend(core, id, { type: 'leases.ended' });
}

function createBackend(settings: BackendSettings, config: CoreConfig): Backend {
  const { fall, rise, initial, slowStartMs = 0 } = config.health;
  const actor: BackendActor = createActor(backendMachine, {
    id: settings.id,
    input: { fall, rise, initial, outlier: outlierOf(config) },
  });
  actor.start();
  return { settings, actor, total: 0, failed: 0, isNew: initial === 'unhealthy' && slowStartMs > 0 };
}

type Differences = { added: string[]; removed: string[]; changed: string[] };

/** Brings in one backend of the new config: as a new one, as one that returns, or as it was. */
function admit(core: Core, settings: BackendSettings, next: CoreConfig, differences: Differences): void {
  const { id } = settings;
  const known = core.backends.get(id);
  if (known === undefined) {
    core.backends.set(id, createBackend(settings, next));
    differences.added.push(id);
    return;
  }
  const before = known.settings;
  known.settings = settings;
  if (known.actor.getSnapshot().context.removed) {
    tellBackend(core, id, { type: 'config.returned' });
    differences.added.push(id);
  }
  const moved =
    before.host !== settings.host || before.port !== settings.port || before.protocol !== settings.protocol;
  if (moved) {
    tellPool(core, { type: 'socketsUnwanted', backend: id, reason: 'moved' });
    tellBackend(core, id, { type: 'address.changed', initial: next.health.initial });
    tellSelector(core, { type: 'paused', backend: id, until: 0 });
  }
  if (moved || before.weight !== settings.weight) differences.changed.push(id);
}

function dismissMissing(core: Core, next: CoreConfig, differences: Differences): void {
  const staying = new Set(next.backends.map(({ id }) => id));
  for (const [id, { actor }] of core.backends) {
    if (staying.has(id) || actor.getSnapshot().context.removed) continue;
    differences.removed.push(id);
    tellBackend(core, id, { type: 'config.removed' });
  }
}

function configureSelector(core: Core, next: CoreConfig): void {
  const weights = next.backends.map(({ id, weight }) => ({ backend: id, weight }));
  tellSelector(core, { type: 'configured', weights });
  for (const peer of selectorOf(core).peers) {
    const backend = core.backends.get(peer.backend);
    const healthy = backend !== undefined && statusOf(backend.actor) === 'healthy';
    if (peer.healthy !== healthy) {
      tellSelector(core, { type: 'healthChanged', backend: peer.backend, healthy });
    }
    syncRoom(core, peer.backend);
  }
}

/**
 * Takes over a config. A backend that is in both keeps its state, counters, idle sockets and leases (what becomes of its
 * current weight: `selector.ts`); one that is gone drains; a new one starts in `health.initial`.
 */
export function applyConfig(core: Core, next: CoreConfig): void {
  const { fall, rise } = next.health;
  const outlier = outlierOf(next);
  const thresholdsChanged =
    core.config.health.fall !== fall ||
    core.config.health.rise !== rise ||
    !isSameOutlier(outlierOf(core.config), outlier);
  const differences: Differences = { added: [], removed: [], changed: [] };
  for (const settings of next.backends) admit(core, settings, next, differences);
  const { size, maxLifetimeMs = 0 } = next.pool;
  const { at } = core;
  tellPool(core, { type: 'configured', backends: [...core.backends.keys()], size, maxLifetimeMs, at });
  dismissMissing(core, next, differences);
  if (thresholdsChanged) {
    for (const id of core.backends.keys()) {
      tellBackend(core, id, { type: 'thresholds.changed', fall, rise, outlier });
    }
  }
  core.config = next;
  core.budget = budgetUnder(next, core.budget);
  configureSelector(core, next);
  if ((next.health.slowStartMs ?? 0) === 0)
    for (const backend of core.backends.values()) backend.isNew = false;
  advanceRamps(core);
  core.news = 'healthChanged';
  core.decisions.push({ type: 'config.applied', ...differences });
}
