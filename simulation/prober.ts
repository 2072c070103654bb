/** The probe port of a simulated world: what a health check would come to at the backend as it is then. */
import { Observable } from 'rxjs';
import type { BackendSettings, CoreConfig } from '../src/actors/events.ts';
import type { ProbePort, ProbeResult } from '../src/streams/ports.ts';
import { between } from './draw.ts';
import type { WorldSettings } from './scenario.ts';
import type { Server, Servers } from './servers.ts';
import type { Timeline } from './timeline.ts';

export type SimulatedProber = ProbePort & {
  /** Probes under way, by backend. */
  readonly running: ReadonlyMap<string, number>;
};

type ProberOptions = {
  readonly servers: Servers;
  readonly settings: WorldSettings;
  readonly timeline: Timeline;
  readonly config: () => CoreConfig;
  readonly onBreach: (breach: string) => void;
};

export function createProber(options: ProberOptions): SimulatedProber {
  const { servers, settings, timeline, config, onBreach } = options;
  const running = new Map<string, number>();
  const count = (id: string, more: number) => {
    const next = (running.get(id) ?? 0) + more;
    if (next === 0) running.delete(id);
    else running.set(id, next);
  };
  return {
    running,
    probe: ({ id }: BackendSettings) =>
      new Observable<ProbeResult>((subscriber) => {
        const server = servers.of(id);
        if (!config().backends.some((backend) => backend.id === id))
          onBreach(`${id} is probed and not in the config`);
        if (server === undefined) throw new RangeError(`there is no backend ${id} in this world`);
        const result = probe(server, settings);
        count(id, 1);
        const plan = timeline.after(result.latencyMs, () => {
          subscriber.next(result);
          subscriber.complete();
        });
        return () => {
          plan.cancel();
          count(id, -1);
        };
      }),
  };
}

function probe(server: Server, { probeTimeoutMs }: WorldSettings): ProbeResult {
  const latencyMs = between(server.draw, 1, Math.min(20, probeTimeoutMs));
  const timeout: ProbeResult = { ok: false, reason: 'timeout', latencyMs: probeTimeoutMs };
  switch (server.fault) {
    case 'crash':
      return { ok: false, reason: 'refused', latencyMs: 1 };
    case 'hang':
    case 'hangProbe':
    case 'slowConnect':
      return timeout;
    case 'flap':
      return server.flaps.pop() === false
        ? { ok: false, reason: 'status 503', latencyMs }
        : { ok: true, status: 200, latencyMs };
    default:
      return { ok: true, status: 200, latencyMs };
  }
}
