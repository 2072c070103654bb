/** When nothing is asked any more nothing may be left: no lease, no waiting request, no socket, and no memory. */
import { setTimeout as pass } from 'node:timers/promises';
import type { DaemonProcess } from './daemon-process.ts';
import type { Gauge } from './gauge.ts';
import { until } from './until.ts';

/** What a gateway holds that has nothing to do. */
export type Rest = Gauge & {
  readonly sockets: number | undefined;
  /** Which process of the gateway it was. */
  readonly starts: number;
};

const NO_LEASES_WITHIN_MS = 10_000;
/** `pool.idleTimeoutMs`, a sweep, and the connections of clients. */
const NO_SOCKETS_WITHIN_MS = 20_000;
const LOOKS = 20;
const LOOK_AGAIN_MS = 20;

/**
 * Waits until all leases and sockets are given back, and measures what is left then.
 *
 * @param faults takes in words what is not given back
 */
export async function restOf(daemon: DaemonProcess, faults: string[], atFirst?: Rest): Promise<Rest> {
  const held = async (of: 'leased' | 'total') => {
    const backends = await daemon.backends();
    const kept = backends.filter(({ pool, requests }) =>
      of === 'total' ? pool.total > 0 : pool.leased + pool.queued + requests.inFlight > 0,
    );
    return kept.map(({ id, state, pool }) => `${id} (${state}) ${JSON.stringify(pool)}`);
  };
  const none = async (what: string, of: 'leased' | 'total', withinMs: number) => {
    await until(what, withinMs, async () => (await held(of)).length === 0).catch(async (error: Error) => {
      faults.push(`${error.message}: ${(await held(of)).join('; ')}`);
    });
  };
  await none('every lease is released', 'leased', NO_LEASES_WITHIN_MS);
  await none('every socket to a backend is closed', 'total', NO_SOCKETS_WITHIN_MS);
  const allowed = atFirst?.sockets;
  if (allowed !== undefined) {
    // Probes come and go; between two of them nothing may be open that was not at first.
    const fewEnough = () => (daemon.descriptors()?.sockets ?? 0) <= allowed;
    await until(`no more than ${allowed} sockets are open`, NO_SOCKETS_WITHIN_MS, fewEnough).catch(
      (error: Error) => {
        faults.push(`${error.message}: ${daemon.descriptors()?.sockets} are`);
      },
    );
  }
  const gauge = await daemon.gauge();
  return { ...gauge, sockets: await fewestSockets(daemon), starts: daemon.life.starts };
}

/** Between two probes. */
async function fewestSockets(daemon: DaemonProcess): Promise<number | undefined> {
  const counts: number[] = [];
  for (let look = 0; look < LOOKS; look += 1) {
    const { sockets } = daemon.descriptors() ?? {};
    if (sockets !== undefined) counts.push(sockets);
    await pass(LOOK_AGAIN_MS);
  }
  return counts.length === 0 ? undefined : Math.min(...counts);
}
