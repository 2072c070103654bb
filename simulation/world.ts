/** A whole simulated world, put together from a scenario: time, backends, sockets, clients, operators, and the gateway. */
import { Subject } from 'rxjs';
import { type Balancer, createBalancer } from '../src/actors/balancer.ts';
import type { Entry, Fact } from '../src/actors/events.ts';
import { takeSnapshot } from '../src/actors/snapshot.ts';
import type { ReloadTrigger } from '../src/streams/config.ts';
import { createRequestDesk } from '../src/streams/requests.ts';
import { SimulatedDisk } from './disk.ts';
import { between, chance, drawFor } from './draw.ts';
import { connectGateway, type SimulatedGateway } from './gateway.ts';
import { createOperators, type Operators } from './operators.ts';
import { createProber, type SimulatedProber } from './prober.ts';
import { Recorder } from './recorder.ts';
import { drawSettings, type Scenario, type WorldSettings } from './scenario.ts';
import { createServers, type Servers } from './servers.ts';
import { SimulatedSockets } from './sockets.ts';
import { Timeline } from './timeline.ts';
import { Traffic } from './traffic.ts';

/** When every simulated world begins, in milliseconds since the epoch; any time would do. */
export const BEGINNING = 1_800_000_000_000;

type State = {
  /** Facts so far. */
  facts: number;
  /** What was found wrong first. */
  breach: string | undefined;
  /** Picks for requests that came, by backend, and how often requests were sent again. */
  readonly picks: Map<string, number>;
  retries: number;
  /** Whether timers fire on time. */
  isCalm: boolean;
};

type Record = { readonly disk: SimulatedDisk; readonly recorder: Recorder };

export type World = {
  readonly state: State;
  readonly scenario: Scenario;
  readonly settings: WorldSettings;
  readonly timeline: Timeline;
  readonly balancer: Balancer;
  readonly servers: Servers;
  readonly sockets: SimulatedSockets;
  readonly prober: SimulatedProber;
  readonly traffic: Traffic;
  readonly operators: Operators;
  readonly gateway: SimulatedGateway;
  readonly control$: Subject<Fact>;
  /** Where the disk fails: what is recorded on it. */
  readonly record: Record | undefined;
};

/** @param onEntry sees each entry before anything is done about it. @returns what is wrong, if anything is */
export function createWorld(
  scenario: Scenario,
  onEntry: (entry: Entry, world: World) => string | undefined,
): World {
  const state: State = { facts: 0, breach: undefined, picks: new Map(), retries: 0, isCalm: false };
  const settings = drawSettings(scenario);
  const balancer = createBalancer();
  const { core } = balancer;
  const timerDraw = drawFor(scenario.seed, 'timers');
  const timeline = new Timeline(BEGINNING, () => (state.isCalm ? 0 : lateness(timerDraw, settings.latestMs)));
  const sockets = new SimulatedSockets({ serverOf: (id) => servers.of(id), settings, timeline });
  const servers = createServers({
    scenario,
    settings,
    timeline,
    onCrash: (server) => sockets.loseAll(server),
    thresholds: () => core.config.health,
  });
  const desk = createRequestDesk();
  const control$ = new Subject<Fact>();
  const reloads$ = new Subject<ReloadTrigger>();
  const onBreach = (breach: string) => {
    state.breach ??= breach;
  };
  const config = () => core.config;
  const operators = createOperators({ scenario, settings, timeline, control$, reloads$, config, onBreach });
  const retryOn = () => core.config.retry.on;
  const poolSize = () => core.config.pool.size;
  const surroundings = { desk, sockets, settings, timeline, retryOn, onBreach };
  const stormDraw = drawFor(scenario.seed, 'bursts');
  const onBurst = (lastsMs: number) => {
    if (chance(stormDraw, 0.6)) timeline.after(Math.round(stormDraw() * lastsMs), servers.storm);
    if (chance(stormDraw, 0.3)) timeline.after(Math.round(stormDraw() * lastsMs), operators.act);
  };
  const traffic = new Traffic({ ...surroundings, scenario, servers, poolSize, onBurst });
  const prober = createProber({ servers, settings, timeline, config, onBreach });
  const gateway = connectGateway({
    ...{ balancer, timeline, settings, desk, sockets, prober, control$, reloads$ },
    load: operators.load,
    random: drawFor(scenario.seed, 'jitter'),
    onEntry(entry) {
      state.facts += 1;
      // As in the daemon: before anything is done about it.
      record?.recorder.append(entry);
      if (state.isCalm) notePicks(state, entry);
      state.breach ??= onEntry(entry, world);
    },
    onTunnelsDue: (backend) => traffic.endTunnels(backend),
    onError: (error) => onBreach(`an error was thrown: ${error instanceof Error ? error.stack : error}`),
  });
  const record = scenario.faults.includes('disk') ? createRecord(scenario, timeline, balancer) : undefined;
  const world: World = {
    record,
    state,
    ...{
      scenario,
      settings,
      timeline,
      balancer,
      servers,
      sockets,
      prober,
      traffic,
      operators,
      gateway,
      control$,
    },
  };
  return world;
}

/** Most timers are on time, or up to a millisecond early. */
function lateness(draw: () => number, latestMs: number): number {
  if (latestMs === 0 || chance(draw, 0.7)) return between(draw, -1, 1);
  return between(draw, 0, latestMs);
}

function notePicks(state: State, { fact, decisions }: Entry): void {
  for (const decision of decisions) {
    if (decision.type === 'request.retried') state.retries += 1;
    if (decision.type === 'backend.selected' && fact.type === 'request.received')
      state.picks.set(decision.backend, (state.picks.get(decision.backend) ?? 0) + 1);
  }
}

function createRecord({ seed }: Scenario, timeline: Timeline, { core }: Balancer): Record {
  const draw = drawFor(seed, 'disk');
  const disk = new SimulatedDisk(draw);
  // A log that cannot be opened at the start is no reason not to serve.
  if (chance(draw, 0.2)) disk.beginTrouble();
  return { disk, recorder: new Recorder({ disk, draw, timeline, snapshot: () => takeSnapshot(core) }) };
}
