/** The state of everything after one entry, copied out of a core for the page. */
import { type Core, poolOf, selectorOf } from '../../../actors/core.ts';
import { type BackendView, viewBackends } from '../../../actors/view.ts';
import type { InspectedBackend, Instant, Moment } from '../api.ts';
import { createRecent, lastPicks, lastSecond, type Recent } from './recent.ts';

const WAITING_SHOWN = 50;

/**
 * @param instant the last entry the core has taken
 * @param recent what is known beyond the core's state; nothing without it
 */
export function momentOf(core: Core, instant: Instant, recent: Recent = createRecent(core)): Moment {
  const { waiting } = poolOf(core);
  const { fall, rise } = core.config.health;
  return {
    seq: instant.seq,
    at: instant.at,
    phase: core.phase,
    thresholds: { fall, rise },
    backends: viewBackends(core).map((view) => inspectBackend(core, view, recent)),
    picks: lastPicks(recent),
    waiting: waiting
      .slice(0, WAITING_SHOWN)
      .map((request) => ({ request, since: core.requests.get(request)?.queuedAt ?? instant.at })),
    waitingTotal: waiting.length,
    inFlight: core.requests.size,
    perSecond: lastSecond(recent, instant.at),
  };
}

function inspectBackend(core: Core, view: BackendView, recent: Recent): InspectedBackend {
  return {
    ...view,
    since: recent.since.get(view.id) ?? null,
    reason: reasonOf(core, view.id),
    lastTransition: recent.transitions.get(view.id) ?? null,
    lastChange: recent.changes.get(view.id) ?? null,
    eligibility: eligibilityOf(core, view),
  };
}

/** Why a backend is in its state, in words; that its last lease ended does not say why it drained. */
export function reasonOf(core: Core, id: string): string {
  const snapshot = core.backends.get(id)?.actor.getSnapshot();
  if (snapshot === undefined) return '';
  const { value, context } = snapshot;
  if (value !== 'draining' && value !== 'drained') return context.reason;
  return context.removed ? 'removed from the config' : 'drained by an operator';
}

function eligibilityOf(core: Core, { id, state }: BackendView): InspectedBackend['eligibility'] {
  if (state !== 'healthy') return state;
  const peer = selectorOf(core).peers.find(({ backend }) => backend === id);
  return peer?.hasRoom === false ? 'full' : 'eligible';
}
