/** One run of a scenario, watched by the audit after every step and recorded as lines of an event log. */
import type { Entry } from '../src/actors/events.ts';
import { createAudit } from '../src/actors/invariants.ts';
import { courseOf } from './course.ts';
import type { Scenario } from './scenario.ts';
import { BEGINNING, createWorld, type World } from './world.ts';

export type Run = {
  readonly scenario: Scenario;
  /** What is wrong, if anything is: the first thing found. */
  readonly breach: string | undefined;
  readonly facts: number;
  /** How much time has passed in it. */
  readonly simulatedMs: number;
  readonly lines: readonly Entry[];
};

export function runScenario(scenario: Scenario): Run {
  const audit = createAudit({ thoroughEvery: 16 });
  const lines: Entry[] = [];
  const world = createWorld(scenario, (entry: Entry, { balancer }) => {
    lines.push(entry);
    return audit.check(balancer.core, entry.fact, entry.decisions)[0];
  });
  for (const _ of courseOf(world)) if (world.state.breach !== undefined) break;
  return runOf(world, lines);
}

function runOf({ scenario, state, timeline }: World, lines: readonly Entry[]): Run {
  const { breach, facts } = state;
  return { scenario, breach, facts, simulatedMs: timeline.now() - BEGINNING, lines };
}
