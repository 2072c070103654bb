/** One run of a scenario, judged by the audit after every step, with every entry kept. */
import type { Entry } from '../src/actors/events.ts';
import { createAudit } from '../src/actors/invariants.ts';
import { takeSnapshot } from '../src/actors/snapshot.ts';
import { courseOf } from './course.ts';
import { drawSettings, type Scenario } from './scenario.ts';
import { BEGINNING, createWorld } from './world.ts';

export type Run = {
  readonly scenario: Scenario;
  /** What is wrong, if anything is: the first thing found. */
  readonly breach: string | undefined;
  /** How much time has passed in it. */
  readonly simulatedMs: number;
  readonly entries: readonly Entry[];
  /** The state of the core at the end, as JSON. */
  readonly state: string;
};

/** Timers of the streams are rounded up to whole milliseconds, and drawn to be late by up to one. */
const ROUNDING_MS = 2;
/** Looking at each single request, lease and socket takes longer than all else. */
const THOROUGH_EVERY = 16;

/** @param thoroughEvery after how many steps each single request, lease and socket is looked at */
export function runScenario(scenario: Scenario, thoroughEvery = THOROUGH_EVERY): Run {
  const latestTimerMs = drawSettings(scenario).latestMs + ROUNDING_MS;
  const audit = createAudit({ thoroughEvery, latestTimerMs });
  const entries: Entry[] = [];
  const world = createWorld(scenario, (entry, { balancer }) => {
    entries.push(entry);
    return audit.check(balancer.core, entry.fact, entry.decisions)[0];
  });
  for (const _ of courseOf(world)) if (world.state.breach !== undefined) break;
  const { state, timeline, balancer } = world;
  return {
    scenario,
    breach: state.breach,
    simulatedMs: timeline.now() - BEGINNING,
    entries,
    state: JSON.stringify(takeSnapshot(balancer.core)),
  };
}
