/** Metrics of the backends: state, probes, failures and sockets; in part folded from entries, in part what the core knows. */
import type { BackendStatus } from '../../actors/events.ts';
import type { BackendView } from '../../actors/view.ts';
import { byWord, type Family, oneHot, type Series } from './family.ts';
import { counts, distributions, perBackend } from './request-families.ts';
import type { CoreSource } from './source.ts';

/** `removed` is not among them: a backend in that state is gone. */
const STATES: readonly BackendStatus[] = ['healthy', 'unhealthy', 'draining', 'drained'];

export const backendFamilies: readonly Family<CoreSource>[] = [
  {
    name: 'reprise_backend_state',
    help: '1 for the state the backend is in, 0 for the others.',
    labels: ['backend', 'state'],
    type: 'gauge',
    read: ({ core }) =>
      core.backends.flatMap(({ id, state }) => oneHot('state', STATES, state, { backend: id })),
  },
  {
    name: 'reprise_backend_state_changes_total',
    help: 'Changes of state, by the state that was reached.',
    labels: ['backend', 'state'],
    type: 'counter',
    read: ({ figures }) =>
      perBackend(figures, ({ changes: { removed: _, ...changes } }, backend) =>
        byWord('state', changes, { backend }),
      ),
  },
  gauge('reprise_backend_weight', 'Configured weight.', ({ weight }) => weight),
  gauge(
    'reprise_backend_current_weight',
    'Place in the round, as of smooth weighted round robin.',
    ({ currentWeight }) => currentWeight,
  ),
  gauge(
    'reprise_backend_consecutive_failures',
    'Probes in a row that have failed.',
    ({ consecutiveFailures }) => consecutiveFailures,
  ),
  gauge(
    'reprise_backend_consecutive_successes',
    'Probes in a row that have succeeded.',
    ({ consecutiveSuccesses }) => consecutiveSuccesses,
  ),
  {
    name: 'reprise_backend_picks_total',
    help: 'Times the backend was picked for a request, retries included.',
    labels: ['backend'],
    type: 'counter',
    read: ({ figures }) => counts(figures, ({ picks }) => picks),
  },
  {
    name: 'reprise_backend_failures_total',
    help: 'Attempts that failed, by reason; "stale": a kept socket that the backend had closed already.',
    labels: ['backend', 'reason'],
    type: 'counter',
    read: ({ figures }) =>
      perBackend(figures, ({ failures }, backend) => byWord('reason', failures, { backend })),
  },
  {
    name: 'reprise_probes_total',
    help: 'Probes, by result.',
    labels: ['backend', 'result'],
    type: 'counter',
    read: ({ figures }) =>
      perBackend(figures, ({ probesSucceeded: succeeded, probesFailed: failed }, backend) =>
        byWord('result', { succeeded, failed }, { backend }),
      ),
  },
  {
    name: 'reprise_probe_duration_seconds',
    help: 'How long probes took, whatever their result.',
    labels: ['backend'],
    type: 'histogram',
    read: ({ figures }) => distributions(figures, ({ probe }) => probe),
  },
  {
    name: 'reprise_pool_sockets',
    help: 'Sockets that wait for a request (idle) and that serve one, those being opened included (leased).',
    labels: ['backend', 'state'],
    type: 'gauge',
    read: ({ core }) =>
      core.backends.flatMap(({ id, pool: { idle, leased } }) =>
        byWord('state', { idle, leased }, { backend: id }),
      ),
  },
  gauge('reprise_pool_size', 'Sockets the backend may have (pool.size).', ({ pool }) => pool.size),
  counter('reprise_pool_opened_total', 'Sockets that were opened.', ({ pool }) => pool.opened),
  counter(
    'reprise_pool_reused_total',
    'Leases of a socket that was open already.',
    ({ pool }) => pool.reused,
  ),
  counter(
    'reprise_pool_failed_total',
    'Sockets that failed on lease or could not be opened.',
    ({ pool }) => pool.failed,
  ),
  {
    name: 'reprise_pool_evictions_total',
    help: 'Sockets that the gateway closed, by reason.',
    labels: ['backend', 'reason'],
    type: 'counter',
    read: ({ figures }) =>
      perBackend(figures, ({ evictions }, backend) => byWord('reason', evictions, { backend })),
  },
];

type Read = (view: BackendView) => number;

function gauge(name: string, help: string, read: Read): Family<CoreSource> {
  return { name, help, labels: ['backend'], type: 'gauge', read: ({ core }) => viewed(core.backends, read) };
}

function counter(name: string, help: string, read: Read): Family<CoreSource> {
  return {
    name,
    help,
    labels: ['backend'],
    type: 'counter',
    read: ({ core }) => viewed(core.backends, read),
  };
}

function viewed(backends: readonly BackendView[], read: Read): Series[] {
  return backends.map((view) => ({ labels: { backend: view.id }, value: read(view) }));
}
