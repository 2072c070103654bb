/** One run of a scenario, watched by the audit after every step and recorded as lines of an event log. */
import type { Entry } from '../src/actors/events.ts';
import { createAudit } from '../src/actors/invariants.ts';
import { encodeLine } from '../src/io/event-log/lines.ts';
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
  readonly lines: readonly string[];
};

export function runScenario(scenario: Scenario): Run {
  const audit = createAudit();
  const lines: string[] = [];
  const world = createWorld(scenario, (entry: Entry, { balancer }) => {
    lines.push(encodeLine(entry, lines.length + LINES_BEFORE));
    return audit.check(balancer.core, entry.fact, entry.decisions)[0];
  });
  for (const _ of courseOf(world)) if (world.state.breach !== undefined) break;
  return runOf(world, lines);
}

/** The first line of a segment is its header, the second a snapshot. */
const LINES_BEFORE = 3;

function runOf({ scenario, state, timeline }: World, lines: readonly string[]): Run {
  const { breach, facts } = state;
  return { scenario, breach, facts, simulatedMs: timeline.now() - BEGINNING, lines };
}
