/** The clients of a simulated world: they come in bursts, with hours between them in which hardly anything happens. */
import { between, chance, drawFor, oneOf, spread, waitFor } from './draw.ts';
import { type Client, createClient, type Surroundings } from './exchange.ts';
import type { Scenario } from './scenario.ts';
import type { Servers } from './servers.ts';

export type Traffic = {
  begin(): void;
  /** Nobody comes any more. */
  calm(): void;
  /** One request by a patient client, as long as nothing else is under way. */
  sendOne(): Client;
  endTunnels(backend: string): void;
  /** Clients whose requests are under way. */
  readonly open: ReadonlySet<Client>;
};

export type TrafficOptions = Surroundings & {
  readonly scenario: Scenario;
  readonly servers: Servers;
  readonly poolSize: () => number;
};

/** The share of a run's steps that one quiet stretch, and one burst, takes at most. */
const MOST_OF_RUN = 8;
/** However strong the backends are; more at a time would be no other world. */
const MOST_PER_MS = 2;

export function createTraffic(options: TrafficOptions): Traffic {
  const { scenario, servers, settings, timeline, poolSize } = options;
  const { seed, faults, steps } = scenario;
  const draw = drawFor(seed, 'traffic');
  const open = new Set<Client>();
  let isCalm = false;
  let count = 0;

  const start = (traits: Parameters<typeof createClient>[1]): Client => {
    const client = createClient(options, traits, () => open.delete(client));
    open.add(client);
    client.arrive();
    return client;
  };

  const arrive = () => {
    count += 1;
    const of = drawFor(seed, 'client', count);
    const client = start({
      draw: of,
      replayable: !(faults.includes('uploads') && chance(of, 0.3)),
      isTunnel: faults.includes('tunnels') && chance(of, 0.1),
      slowness: faults.includes('slowReaders') && chance(of, 0.2) ? between(of, 2, 30) : 1,
    });
    if (faults.includes('abort') && chance(of, 0.3))
      timeline.after(spread(of, 1, 10_000), () => client.leave());
    // Nobody waits for ever, for an answer that has been read so far, too.
    else timeline.after(PATIENCE_MS, () => client.leave());
  };

  /** The time between two requests that comes to the load wanted. */
  const gapMs = () => {
    const perMs = servers.all.reduce((sum, { typicalMs }) => sum + poolSize() / typicalMs, 0);
    return 1 / Math.min(MOST_PER_MS, perMs * settings.load);
  };

  const burst = (left: number, gap: number) => {
    if (isCalm) return;
    if (left === 0) {
      rest();
      return;
    }
    arrive();
    timeline.after(chance(draw, 0.3) ? 0 : Math.round(2 * gap * draw()), () => burst(left - 1, gap));
  };

  const beginBurst = () => {
    if (isCalm) return;
    const length = spread(draw, 3, Math.max(4, steps / MOST_OF_RUN / 2));
    const gap = gapMs();
    if (chance(draw, 0.6)) timeline.after(Math.round(draw() * gap * length), servers.storm);
    burst(length, gap);
  };

  const rest = () => {
    const factsPerMs = scenario.backends / settings.probeIntervalMs + 1 / settings.sweepIntervalMs;
    const longestMs = Math.max(100, steps / MOST_OF_RUN / factsPerMs);
    timeline.after(oneOf(draw, [waitFor(draw, 500), spread(draw, 50, longestMs)]), beginBurst);
  };

  return {
    open,
    begin: beginBurst,
    calm() {
      isCalm = true;
    },
    sendOne: () => start({ draw, replayable: true, isTunnel: false, slowness: 1 }),
    endTunnels(backend) {
      for (const client of [...open]) client.endTunnel(backend);
    },
  };
}

/** A client that has not got its answer by then leaves. */
export const PATIENCE_MS = 7_200_000;
