/** Which entries the list shows, and how to ask the server for them. */
import type { Decision, Fact } from '../../../../actors/events.ts';

type EventType = Fact['type'] | Decision['type'];

export type EventFilter = {
  /** The name of a group, or one type; empty shows all. */
  readonly kind: string;
  /** Empty shows all. */
  readonly backend: string;
  /** Digits; empty shows all. */
  readonly request: string;
};

export const EVERYTHING: EventFilter = { kind: '', backend: '', request: '' };

export type EventGroup = {
  readonly name: string;
  readonly title: string;
  readonly types: readonly EventType[];
};

export const EVENT_GROUPS: readonly EventGroup[] = [
  {
    name: 'changes',
    title: 'State changes',
    types: [
      'backend.changed',
      'config.applied',
      'config.rejected',
      'gateway.started',
      'gateway.stopping',
      'gateway.stopped',
      'listener.closed',
    ],
  },
  { name: 'probes', title: 'Probes', types: ['probe.succeeded', 'probe.failed'] },
  {
    name: 'trouble',
    title: 'Trouble',
    types: [
      'probe.failed',
      'socket.failed',
      'response.failed',
      'client.aborted',
      'request.rejected',
      'request.retried',
    ],
  },
  {
    name: 'requests',
    title: 'Requests',
    types: [
      'request.received',
      'backend.selected',
      'response.started',
      'response.ended',
      'response.failed',
      'client.aborted',
      'request.queued',
      'request.rejected',
      'request.retried',
    ],
  },
  {
    name: 'pool',
    title: 'Sockets and leases',
    types: [
      'socket.opened',
      'socket.failed',
      'socket.closed',
      'socket.requested',
      'socket.evicted',
      'lease.granted',
      'response.passed',
      'response.discarded',
      'backend.paused',
      'lease.released',
      'timer.fired',
    ],
  },
  {
    name: 'operator',
    title: 'Operator',
    types: ['operator.drained', 'operator.restored', 'config.reloaded', 'config.rejected'],
  },
];

/** Every type there is, each once, by name. */
export const EVENT_TYPES: readonly EventType[] = [
  ...new Set(EVENT_GROUPS.flatMap(({ types }) => types)),
].toSorted();

/** The types that a filter names; undefined where it names none. */
function typesOf({ kind }: EventFilter): readonly string[] | undefined {
  if (kind === '') return undefined;
  return EVENT_GROUPS.find(({ name }) => name === kind)?.types ?? [kind];
}

export function isFiltering({ kind, backend, request }: EventFilter): boolean {
  return kind !== '' || backend !== '' || request !== '';
}

export type EntryRange = { readonly before: number } | { readonly after: number } | 'end';

/** @returns the query of `GET /inspector/api/entries`, without its question mark */
export function entryQuery(filter: EventFilter, range: EntryRange, limit: number): string {
  const query = new URLSearchParams({ limit: String(limit) });
  if (range !== 'end') for (const [key, seq] of Object.entries(range)) query.set(key, String(seq));
  const types = typesOf(filter);
  if (types !== undefined) query.set('types', types.join(','));
  if (filter.backend !== '') query.set('backend', filter.backend);
  if (filter.request !== '') query.set('request', filter.request);
  return query.toString();
}
