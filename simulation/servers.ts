/** The backends of a simulated world, apart from what the gateway knows of them: how fast they are, and which fault they have now. */
import { between, chance, type Draw, drawFor, oneOf, spread, waitFor } from './draw.ts';
import { BACKEND_FAULTS, type BackendFault, type Fault } from './faults.ts';
import { backendId, type Scenario, type WorldSettings } from './scenario.ts';
import type { Timeline } from './timeline.ts';

export type Server = {
  readonly id: string;
  readonly draw: Draw;
  /** How long it usually takes until it answers. */
  readonly typicalMs: number;
  /** After how long it closes an idle socket. */
  readonly idleCloseMs: number;
  fault: BackendFault | undefined;
  /** Probe results to come while it flaps. */
  flaps: boolean[];
  /** Counts its faults, so that the end of an earlier one, planned long before, does not end a later one. */
  episode: number;
};

export type Servers = {
  readonly all: readonly Server[];
  of(backend: string): Server | undefined;
  /** From now on faults come at random. */
  begin(): void;
  /** One fault begins at a share of the backends at once, or at one of them. */
  storm(): void;
  /** Ends all faults; no more begin. */
  calm(): void;
};

export type ServersOptions = {
  readonly scenario: Scenario;
  readonly settings: WorldSettings;
  readonly timeline: Timeline;
  /** Told when a backend dies: what was open to it is gone. */
  readonly onCrash: (server: Server) => void;
  /** Of the config in force, for backends that flap around them. */
  readonly thresholds: () => { readonly fall: number; readonly rise: number };
};

const isOfBackend = (fault: Fault): fault is BackendFault => BACKEND_FAULTS.some((other) => other === fault);

export function createServers({
  scenario,
  settings,
  timeline,
  onCrash,
  thresholds,
}: ServersOptions): Servers {
  const { seed, backends } = scenario;
  const faults = scenario.faults.filter(isOfBackend);
  const [first, ...others] = faults;
  const all = Array.from({ length: backends }, (_, index) => createServer(seed, index));
  const byId = new Map(all.map((server) => [server.id, server]));
  const stormDraw = drawFor(seed, 'storms');
  let isCalm = false;

  const beginFault = (server: Server, fault: BackendFault, lastsMs: number) => {
    if (isCalm) return;
    server.fault = fault;
    server.episode += 1;
    const { episode } = server;
    server.flaps = fault === 'flap' ? drawFlaps(server.draw, thresholds()) : [];
    if (fault === 'crash') onCrash(server);
    timeline.after(lastsMs, () => {
      if (server.episode === episode) server.fault = undefined;
    });
  };

  const planNextFault = (server: Server) => {
    timeline.after(waitFor(server.draw, settings.faultEveryMs), () => {
      if (isCalm || first === undefined) return;
      beginFault(server, oneOf(server.draw, [first, ...others]), drawDuration(server.draw, settings));
      planNextFault(server);
    });
  };

  return {
    all,
    of: (backend) => byId.get(backend),
    begin() {
      if (first === undefined) return;
      for (const server of all) planNextFault(server);
    },
    storm() {
      if (first === undefined) return;
      const fault = oneOf(stormDraw, [first, ...others]);
      const share = oneOf(stormDraw, [0, 0.3, 1]);
      const lastsMs = drawDuration(stormDraw, settings);
      const hit =
        share === 0
          ? [all[between(stormDraw, 0, all.length - 1)]]
          : all.filter(() => chance(stormDraw, share));
      for (const server of hit) if (server !== undefined) beginFault(server, fault, lastsMs);
    },
    calm() {
      isCalm = true;
      for (const server of all) server.fault = undefined;
    },
  };
}

function createServer(seed: number, index: number): Server {
  const draw = drawFor(seed, 'server', index);
  return {
    id: backendId(index),
    draw,
    typicalMs: spread(draw, 3, 3_000),
    idleCloseMs: chance(draw, 0.5) ? 5_000 : spread(draw, 200, 300_000),
    fault: undefined,
    flaps: [],
    episode: 0,
  };
}

/** Some are over before a probe sees them, some last for several. */
function drawDuration(draw: Draw, { probeIntervalMs }: WorldSettings): number {
  return chance(draw, 0.5) ? spread(draw, 10, 10_000) : spread(draw, 100, probeIntervalMs * 8);
}

/** Runs of failures and successes that end just before, at, or behind the threshold. */
function drawFlaps(draw: Draw, { fall, rise }: { fall: number; rise: number }): boolean[] {
  const flaps: boolean[] = [];
  for (let round = 0; round < 8; round += 1) {
    for (let left = Math.max(1, fall + between(draw, -1, 1)); left > 0; left -= 1) flaps.push(false);
    for (let left = Math.max(1, rise + between(draw, -1, 1)); left > 0; left -= 1) flaps.push(true);
  }
  return flaps.reverse();
}
