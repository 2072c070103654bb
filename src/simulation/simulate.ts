/** Lets one recorded run happen again in a simulated world under another config. */
import { createBalancer } from '../actors/balancer.ts';
import type { CoreConfig } from '../actors/events.ts';
import { createEvidence, type Evidence } from './evidence.ts';
import type { Library } from './library.ts';
import { outsideFacts, type Timings } from './outside.ts';
import { createRecordedBackends } from './recorded-backends.ts';
import type { RecordedRun } from './recording.ts';
import { createWorld, type Step } from './world.ts';

/** Another config for one run. */
export type RunPlan = {
  /** The config in the place of a recorded one. */
  readonly core: (recorded: CoreConfig) => CoreConfig;
  /** Whether one config holds from the start to the end, so that recorded reloads are left out. */
  readonly isFixed: boolean;
  readonly before: Timings;
  readonly after: Timings;
};

export type SimulateOptions = {
  readonly run: RecordedRun;
  readonly plan: RunPlan;
  readonly library: Library;
  readonly seed: number;
  readonly onStep: (step: Step) => void;
};

/** @returns what the course rests on */
export function simulateRun({ run, plan, library, seed, onStep }: SimulateOptions): Evidence {
  const { core, isFixed, before, after } = plan;
  const evidence = createEvidence(run.start.seq);
  const start = { at: run.start.at, rank: run.start.seq };
  const world = createWorld({
    balancer: createBalancer(run.snapshot),
    surroundings: createRecordedBackends({ run, library, evidence, before, after, seed }),
    start,
    onStep(step) {
      evidence.enter(step);
      onStep(step);
    },
  });
  const { config, backends } = run.snapshot;
  const begun = core(configAtStart(run));
  // A run that begins with a start of the gateway brings its config along, any other goes on with one.
  if (backends.length > 0 && JSON.stringify(begun) !== JSON.stringify(config)) {
    world.take({ type: 'config.reloaded', config: begun }, start);
  }
  const facts = outsideFacts({
    ...{ run, library, before, after, seed },
    backends: begun.backends.map(({ id }) => id),
    reconfigure: (recorded, isReload) => (isReload && isFixed ? undefined : core(recorded)),
  });
  for (const outside of facts) {
    world.advance(outside);
    const { fact } = outside;
    // Who had left already, or got an answer sooner, does not leave again.
    if (fact.type === 'client.aborted' && !world.balancer.core.requests.has(fact.request)) continue;
    world.take(fact, outside);
  }
  world.advance({ at: run.end.at, rank: undefined });
  // What the change has delayed may end later than the record, if by its end nothing else was under way.
  if (run.endedIdle && world.balancer.core.requests.size > 0)
    world.advance({ at: Number.POSITIVE_INFINITY, rank: undefined });
  return evidence;
}

/** The config that a recorded run begins with. */
export function configAtStart({ snapshot, outside }: RecordedRun): CoreConfig {
  const [first] = outside;
  return first?.fact.type === 'gateway.started' ? first.fact.config : snapshot.config;
}
