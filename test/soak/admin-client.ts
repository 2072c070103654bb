/** Asks a gateway in another process by its admin API. */
import type { BackendView } from '../../src/actors/view.ts';
import type { EventLogStats } from '../../src/io/event-log/event-log.ts';

export type DaemonStats = {
  readonly eventLog: EventLogStats;
  readonly heapBytes: number;
  /** Requests that were sent again, whatever for. */
  readonly retries: number;
};

/** Every call rejects where the gateway does not answer. */
export type AdminClient = {
  isHealthy(): Promise<boolean>;
  /** As SIGHUP, but told when it is done and how: the status of the answer. */
  reload(): Promise<number>;
  drain(backend: string): Promise<void>;
  restore(backend: string): Promise<void>;
  backends(): Promise<BackendView[]>;
  stats(): Promise<DaemonStats>;
};

/** Longer than a busy machine makes it wait. */
const ANSWER_WITHIN_MS = 20_000;

export function createAdminClient(admin: string): AdminClient {
  const call = (path: string, method = 'GET') =>
    fetch(`${admin}${path}`, {
      method,
      // A connection that is kept would count among the sockets of the gateway.
      headers: { Connection: 'close' },
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
  const change = async (path: string) => void (await (await call(path, 'POST')).text());
  return {
    isHealthy: () =>
      call('/health').then(
        ({ ok }) => ok,
        () => false,
      ),
    async reload() {
      const answer = await call('/reload', 'POST');
      await answer.text();
      return answer.status;
    },
    drain: (backend) => change(`/backends/${backend}/drain`),
    restore: (backend) => change(`/backends/${backend}/restore`),
    // Of the same source as this file.
    backends: async () => (await (await call('/backends')).json()) as BackendView[],
    stats: async () => statsIn(await (await call('/stats')).json()),
  };
}

type Series = { readonly labels: object; readonly value: number };

function statsIn(answer: unknown): DaemonStats {
  const { eventLog, metrics } = answer as {
    eventLog: EventLogStats;
    metrics: Record<string, { series: readonly Series[] }>;
  };
  const sum = (name: string) => (metrics[name]?.series ?? []).reduce((all, { value }) => all + value, 0);
  return {
    eventLog,
    heapBytes: sum('nodejs_heap_size_used_bytes'),
    retries: sum('reprise_retries_total'),
  };
}
