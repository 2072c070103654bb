/**
 * Passive health: what real requests say of their backends. A backend may answer its probes and fail its requests, and
 * since it fails them fast it always has room for more. After some failures in a row it is ejected for a while. Never too
 * many at once, and never the last that is healthy: a backend that fails some requests is better than none.
 */
import { statusOf } from './backend.ts';
import { type Core, selectorOf } from './core.ts';
import { tellBackend } from './fleet.ts';

/** So that 0.29 of 100 is 29, whatever binary fractions make of it. */
const ROUNDING = 1e-9;

/** A backend has answered. Any status but 5xx says that it works: 4xx are about the request, and 429 about its load. */
export function noteAnswer(core: Core, id: string, status: number): void {
  if (status >= 500) noteError(core, id, `status ${status}`);
  else if ((core.backends.get(id)?.actor.getSnapshot().context.consecutiveErrors ?? 0) > 0) {
    tellBackend(core, id, { type: 'request.succeeded' });
  }
}

/** A request has failed at a backend, by 5xx or without an answer. */
export function noteError(core: Core, id: string, reason: string): void {
  const backend = core.backends.get(id);
  if (backend === undefined || statusOf(backend.actor) !== 'healthy') return;
  if (backend.actor.getSnapshot().context.outlier === undefined) return;
  tellBackend(core, id, { type: 'request.failed', at: core.at, reason, mayEject: mayEject(core, id) });
}

function mayEject(core: Core, id: string): boolean {
  const isAnotherHealthy = selectorOf(core).peers.some(({ healthy, backend }) => healthy && backend !== id);
  return isAnotherHealthy && ejected(core).length < mostEjected(core);
}

/** How many backends may be ejected at the same time. */
export function mostEjected({ config: { outlier, backends } }: Core): number {
  return Math.floor((outlier?.maxEjectedShare ?? 0) * backends.length + ROUNDING);
}

function ejected({ backends }: Core): string[] {
  return [...backends].filter(([, { actor }]) => statusOf(actor) === 'ejected').map(([id]) => id);
}

/**
 * Takes the ejected backends back in when no other is healthy any more. Their probes succeed, and to ask them is better
 * than to ask none.
 */
export function liftIfNoneIsHealthy(core: Core): void {
  if (selectorOf(core).peers.some(({ healthy }) => healthy)) return;
  for (const id of ejected(core)) tellBackend(core, id, { type: 'ejection.lifted' });
}
