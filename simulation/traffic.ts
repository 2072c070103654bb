/** The clients of a simulated world: they come in bursts, with hours between them in which hardly anything happens. */

import { Client, type ClientTraits, type Surroundings } from './client.ts';
import { between, chance, type Draw, drawFor, oneOf, spread, waitFor } from './draw.ts';
import type { Fault } from './faults.ts';
import type { Scenario } from './scenario.ts';
import type { Servers } from './servers.ts';

type TrafficOptions = Surroundings & {
  readonly scenario: Scenario;
  readonly servers: Servers;
  readonly poolSize: () => number;
  /** Told of a burst and about how long it lasts, so that faults can begin within it. */
  readonly onBurst: (lastsMs: number) => void;
};

/** The share of a run's steps that one burst, and one quiet stretch, takes at most. */
const LONGEST_BURST = 1 / 8;
const LONGEST_REST = 1 / 12;
/** Facts of one request, about. */
const FACTS_PER_REQUEST = 2.5;
/** A limit for worlds with many fast backends: more requests at a time would only take longer to simulate. */
const MOST_PER_MS = 2;
/** A client whose answer has not ended after this time leaves. */
export const PATIENCE_MS = 7_200_000;

export class Traffic {
  /** Clients whose requests are under way, in the order in which they came. */
  readonly open = new Set<Client>();
  readonly #options: TrafficOptions;
  readonly #draw: Draw;
  readonly #has: (fault: Fault) => boolean;
  #isCalm = false;
  #isPatienceWatched = false;

  constructor(options: TrafficOptions) {
    const { seed, faults } = options.scenario;
    this.#options = options;
    this.#draw = drawFor(seed, 'traffic');
    const had = new Set(faults);
    this.#has = (fault) => had.has(fault);
  }

  begin(): void {
    if (this.#isCalm) return;
    const { scenario, onBurst } = this.#options;
    const most = Math.max(4, (scenario.steps * LONGEST_BURST) / FACTS_PER_REQUEST);
    const length = spread(this.#draw, 3, most);
    const gap = this.#gapMs();
    onBurst(gap * length);
    this.#burst(length, gap);
  }

  /** Nobody comes any more. */
  calm(): void {
    this.#isCalm = true;
  }

  /** One request by a patient client, as long as nothing else is under way. */
  sendOne(): Client {
    return this.#start({ draw: this.#draw, replayable: true, isTunnel: false, slowness: 1 });
  }

  endTunnels(backend: string): void {
    for (const client of [...this.open]) client.endTunnel(backend);
  }

  #start(traits: ClientTraits): Client {
    const client = new Client(this.#options, traits, this.#forget);
    this.open.add(client);
    client.arrive();
    return client;
  }

  readonly #forget = (client: Client) => {
    this.open.delete(client);
  };

  #arrive(): void {
    const draw = this.#draw;
    const client = this.#start({
      draw,
      replayable: !(this.#has('uploads') && chance(draw, 0.3)),
      isTunnel: this.#has('tunnels') && chance(draw, 0.1),
      slowness: this.#has('slowReaders') && chance(draw, 0.2) ? between(draw, 2, 30) : 1,
    });
    if (this.#has('abort') && chance(draw, 0.3) && !client.hasEnded)
      this.#options.timeline.after(spread(draw, 1, 10_000), () => client.leave());
    this.#watchPatience();
  }

  /** One timer for all clients, due when the patience of the one that came first ends. */
  #watchPatience(): void {
    if (this.#isPatienceWatched) return;
    const { timeline } = this.#options;
    for (const first of this.open) {
      this.#isPatienceWatched = true;
      timeline.after(first.arrivedAt + PATIENCE_MS - timeline.now(), () => {
        this.#isPatienceWatched = false;
        for (const client of [...this.open]) {
          if (client.arrivedAt + PATIENCE_MS > timeline.now()) break;
          client.leave();
        }
        this.#watchPatience();
      });
      return;
    }
  }

  /** The mean time between two requests at the load of this world. */
  #gapMs(): number {
    const { servers, settings, poolSize } = this.#options;
    const perMs = servers.all.reduce((sum, { typicalMs }) => sum + poolSize() / typicalMs, 0);
    return 1 / Math.min(MOST_PER_MS, perMs * settings.load);
  }

  #burst(left: number, gap: number): void {
    if (this.#isCalm) return;
    if (left === 0) {
      this.#rest();
      return;
    }
    this.#arrive();
    const afterMs = chance(this.#draw, 0.3) ? 0 : Math.round(2 * gap * this.#draw());
    this.#options.timeline.after(afterMs, () => this.#burst(left - 1, gap));
  }

  #rest(): void {
    const { scenario, settings, timeline } = this.#options;
    const longestMs = Math.max(100, (scenario.steps * LONGEST_REST) / settings.quietFactsPerMs);
    const draw = this.#draw;
    const restMs = oneOf(draw, [
      waitFor(draw, 500),
      spread(draw, 50, longestMs),
      Math.round(longestMs * draw()),
    ]);
    timeline.after(restMs, () => this.begin());
  }
}
