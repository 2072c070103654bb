/** What a fault run says each second: what clients met, and how the gateway is. */
import type { BackendView } from '../../src/actors/view.ts';
import type { Crowd } from './crowd.ts';
import type { DaemonProcess } from './daemon-process.ts';

/** One sign for each state, before the number of leases. */
const SIGNS = {
  healthy: '+',
  unhealthy: '!',
  ejected: 'x',
  draining: '~',
  drained: '-',
  removed: '.',
} as const;

export const LEGEND =
  'states of backends: + healthy, ! unhealthy, x ejected, ~ draining, - drained; then leases, and /sockets in all';

/** @returns the line of this second; where the gateway does not answer it says so */
export async function lineOf(seconds: number, crowd: Crowd, daemon: DaemonProcess): Promise<string> {
  const [backends, stats] = await Promise.all([
    daemon.backends().catch(() => undefined),
    daemon.stats().catch(() => undefined),
  ]);
  const { eventLog } = stats ?? {};
  const log = `${mib(daemon.logBytes())}${eventLog === undefined || eventLog.state === 'recording' ? '' : ` (${eventLog.state}: ${eventLog.reason})`}`;
  return [
    `${String(seconds).padStart(4)} s`,
    clientsOf(crowd),
    stats === undefined ? 'gateway: no answer' : `heap ${mib(stats.heapBytes)}`,
    `rss ${mib(daemon.rssBytes() ?? 0)} fds ${daemon.descriptors()?.all ?? '?'} log ${log}`,
    backends === undefined
      ? ''
      : `${backends.map(stateOf).join(' ')} queued ${backends[0]?.pool.queued ?? 0}`,
  ].join(' | ');
}

function clientsOf({ asked, inFlight, outcomes, faults }: Crowd): string {
  const count = (fits: (name: string) => boolean) =>
    [...outcomes].reduce((sum, [name, times]) => (fits(name) ? sum + times : sum), 0);
  const groups = ['whole', 'left', 'told', 'cut', 'refused', 'passed', 'unanswered'].flatMap((group) => {
    const times = count((name) => name === group || name.startsWith(`${group} `));
    return times === 0 ? [] : [`${group} ${times}`];
  });
  return `asked ${asked} under way ${inFlight}: ${groups.join(' ')} WRONG ${faults.count}`;
}

function stateOf({ id, state, pool }: BackendView): string {
  return `${id}${SIGNS[state]}${pool.leased}/${pool.total}`;
}

function mib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
