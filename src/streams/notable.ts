/**
 * Entries that are not plain traffic. By far the most entries are of requests that come, are served and end; whoever
 * watches backends, the config or failures need not see those.
 */
import { filter, type Observable, share } from 'rxjs';
import type { Decision, Entry, Fact } from '../actors/events.ts';

const PLAIN_FACTS: ReadonlySet<Fact['type']> = new Set<Fact['type']>([
  'request.received',
  'response.started',
  'response.ended',
  'socket.opened',
  'socket.closed',
]);

const PLAIN_DECISIONS: ReadonlySet<Decision['type']> = new Set<Decision['type']>([
  'backend.selected',
  'lease.granted',
  'lease.released',
  'socket.requested',
  'socket.evicted',
  'request.queued',
]);

/** One look at each entry for all who subscribe. */
export function notableEntries(entries$: Observable<Entry>): Observable<Entry> {
  return entries$.pipe(filter(isNotable), share());
}

function isNotable({ fact, decisions }: Entry): boolean {
  if (!PLAIN_FACTS.has(fact.type)) return true;
  for (const { type } of decisions) if (!PLAIN_DECISIONS.has(type)) return true;
  return false;
}
