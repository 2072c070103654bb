/** What a gateway says of its backends, as a table for people and as JSON for scripts. */
import type { BackendView } from '../../actors/view.ts';
import { clock, counted, grouped, type Paint, type Style, shorten } from '../explain/format.ts';
import { type Column, formatTable } from '../explain/table.ts';

const ID_WIDTH = 40;

const COLUMNS: readonly Column[] = [
  { title: 'BACKEND' },
  { title: 'STATE' },
  { title: 'WEIGHT', align: 'right' },
  { title: 'CURRENT', align: 'right' },
  { title: 'IDLE', align: 'right' },
  { title: 'LEASED', align: 'right' },
  { title: 'REQUESTS', align: 'right' },
  { title: 'FAILED', align: 'right' },
  { title: 'PROBES IN A ROW' },
];

const STYLES: Readonly<Record<BackendView['state'], Style>> = {
  healthy: 'green',
  unhealthy: 'red',
  ejected: 'red',
  draining: 'yellow',
  drained: 'yellow',
  removed: 'dim',
};

/** @returns the lines */
export function statusAsText(
  url: string,
  backends: readonly BackendView[],
  at: number,
  paint: Paint,
): string[] {
  const heading = `${paint('bold', url)} at ${clock(at).slice(0, 8)}`;
  if (backends.length === 0) return [heading, '', 'No backend is configured.'];
  const rows = backends.map((backend) => ({ style: STYLES[backend.state], cells: cellsOf(backend) }));
  return [heading, '', ...formatTable(COLUMNS, rows, paint), '', queueLine(backends), totalLine(backends)];
}

/** @returns one line */
export function statusAsJson(url: string, backends: readonly BackendView[]): string {
  return JSON.stringify({ admin: url, queued: queuedOf(backends), total: totalOf(backends), backends });
}

function cellsOf(backend: BackendView): string[] {
  const { id, state, weight, currentWeight, pool, requests } = backend;
  return [
    shorten(id, ID_WIDTH),
    state,
    String(weight),
    String(currentWeight),
    String(pool.idle),
    `${pool.leased}/${pool.size}`,
    grouped(requests.total),
    grouped(requests.failed),
    probeWords(backend),
  ];
}

/** Such as `3 failed: refused`. */
function probeWords({ consecutiveFailures, consecutiveSuccesses, lastProbe }: BackendView): string {
  if (lastProbe === null) return 'none yet';
  const { ok, latencyMs, reason } = lastProbe;
  return ok
    ? `${grouped(consecutiveSuccesses)} passed, ${latencyMs} ms`
    : `${grouped(consecutiveFailures)} failed: ${reason}`;
}

function queueLine(backends: readonly BackendView[]): string {
  const queued = queuedOf(backends);
  if (queued === 0) return 'No request waits for a socket.';
  return `${counted(queued, 'request')} ${queued === 1 ? 'waits' : 'wait'} for a socket.`;
}

/** One line serves all backends, and each says how long it is. */
function queuedOf(backends: readonly BackendView[]): number {
  return backends[0]?.pool.queued ?? 0;
}

function totalLine(backends: readonly BackendView[]): string {
  const { healthy, requests, failed, inFlight } = totalOf(backends);
  return `${healthy} of ${counted(backends.length, 'backend')} healthy; ${counted(requests, 'request')}, ${grouped(failed)} failed, ${grouped(inFlight)} in flight.`;
}

function totalOf(backends: readonly BackendView[]) {
  const sum = (of: (backend: BackendView) => number) =>
    backends.reduce((total, backend) => total + of(backend), 0);
  return {
    backends: backends.length,
    healthy: sum(({ state }) => (state === 'healthy' ? 1 : 0)),
    requests: sum(({ requests }) => requests.total),
    failed: sum(({ requests }) => requests.failed),
    inFlight: sum(({ requests }) => requests.inFlight),
  };
}
