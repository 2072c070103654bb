/** A gateway before two backends, with bystanders, that cases are run against; and what must hold when they are over. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createAudit } from '../../src/actors/invariants.ts';
import { startTestGateway, type TestConfig } from '../support/gateway.ts';
import { type Backend, type Records, startBackend } from './backend.ts';
import { type Bystander, startBystander } from './bystander.ts';
import { type Draw, drawFor } from './random.ts';

export type World = {
  readonly port: number;
  readonly adminPort: number;
  readonly records: Records;
  /** How many requests of bystanders have been answered. */
  answered(): number;
  /** Lets all come to rest, looks for what was left behind, and ends everything. */
  end(): Promise<void>;
};

const BYSTANDERS = 3;
/** How long it may take until nothing is under way any more, once nobody asks. */
const REST_WITHIN_MS = 10_000;

/** @param complain told whatever is wrong, whenever that is seen */
export async function startWorld(
  seed: number,
  number: number,
  complain: (what: string) => void,
): Promise<World> {
  const records: Records = { seen: new Map(), prepared: new Map(), given: new Map(), complain };
  const backends = await Promise.all(['a', 'b'].map((name) => startBackend(name, records)));
  const gateway = await startTestGateway(configFor(drawFor(seed, 'world', number), backends));
  const audit = createAudit();
  gateway.gateway.entries$.subscribe(({ seq, fact, decisions }) => {
    const breaches = audit.check(gateway.gateway.balancer.core, fact, decisions);
    for (const breach of breaches) complain(`after entry ${seq} (${fact.type}): ${breach}`);
  });
  const bystanders = Array.from({ length: BYSTANDERS }, (_, index) =>
    startBystander({ port: gateway.port, number: index, seed, complain }),
  );
  return {
    port: gateway.port,
    adminPort: gateway.gateway.adminPort,
    records,
    answered: () => bystanders.reduce((sum, { answered }) => sum + answered, 0),
    async end() {
      await Promise.all(bystanders.map((bystander: Bystander) => bystander.leave()));
      await settle(() => leftovers(gateway, backends), complain);
      for (const lease of audit.openLeases.keys()) complain(`lease ${lease} is not released at rest`);
      for (const request of audit.openRequests) complain(`request ${request} has no end at rest`);
      const cut = await gateway.gateway.stop();
      if (cut > 0) complain(`${cut} requests were cut off at the end`);
      await settle(
        () =>
          backends.flatMap(({ name, connections }) =>
            connections() === 0 ? [] : [`${connections()} connections to ${name} are open after the end`],
          ),
        complain,
      );
      await Promise.all(backends.map((backend) => backend.close()));
    },
  };
}

/** Small limits and large ones, so that bodies stream or are held, and pools are short or not. */
function configFor(draw: Draw, backends: readonly Backend[]): TestConfig {
  return {
    backends,
    server: {
      maxBodyBytes: 200_000,
      headersTimeoutMs: draw.pick([5_000, 60_000]),
      bodyIdleTimeoutMs: draw.pick([5_000, 60_000]),
    },
    pool: { size: draw.pick([2, 8, 64]) },
    queue: { max: 10_000 },
    retry: { bufferBytes: draw.pick([100, 1000, 1_000_000]), budgetShare: 10 },
    outlier: { consecutiveFailures: 0 },
  };
}

/** What is still under way or open that should not be. */
function leftovers(
  { gateway }: Awaited<ReturnType<typeof startTestGateway>>,
  backends: readonly Backend[],
): string[] {
  return gateway.balancer.backends().flatMap(({ id, pool, requests }) => {
    const open = backends.find(({ name }) => name === id)?.connections() ?? 0;
    return [
      ...(requests.inFlight > 0 ? [`${id} has ${requests.inFlight} requests in flight at rest`] : []),
      ...(pool.queued > 0 ? [`${pool.queued} requests are in line at rest`] : []),
      ...(pool.leased > 0 ? [`${id} has ${pool.leased} leased sockets at rest`] : []),
      ...(pool.idle !== open ? [`${id} has ${pool.idle} idle sockets and ${open} connections at rest`] : []),
      ...(pool.total > pool.size ? [`${id} has ${pool.total} sockets in a pool of ${pool.size}`] : []),
    ];
  });
}

async function settle(look: () => string[], complain: (what: string) => void): Promise<void> {
  const until = performance.now() + REST_WITHIN_MS;
  while (look().length > 0 && performance.now() < until) await sleep(5);
  for (const what of look()) complain(what);
}
