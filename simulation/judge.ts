/** The judgement on one scenario: it is run, its record is played again and compared, and it is run a second time. */
import { createHash } from 'node:crypto';
import type { Entry } from '../src/actors/events.ts';
import { createReplay } from '../src/actors/replay.ts';
import { type Run, runScenario } from './run.ts';
import type { Scenario } from './scenario.ts';

export type Verdict = Run & {
  /** CPU time of the first run alone. */
  readonly cpuMs: number;
};

/** @param thoroughEvery as for {@link runScenario} */
export function judge(scenario: Scenario, thoroughEvery?: number): Verdict {
  const before = process.cpuUsage();
  const run = runScenario(scenario, thoroughEvery);
  const { user, system } = process.cpuUsage(before);
  const cpuMs = (user + system) / 1000;
  if (run.breach !== undefined) return { ...run, cpuMs };
  const breach = differenceOnReplay(run) ?? differenceBetween(run, runScenario(scenario, thoroughEvery));
  return { ...run, breach, cpuMs };
}

/** Plays the record to a fresh core. @returns what came out differently, if anything did */
function differenceOnReplay({ entries, state }: Run): string | undefined {
  const replay = createReplay((text) => createHash('sha256').update(text).digest('hex'));
  for (const entry of entries) {
    const divergence = replay.take(entry);
    if (divergence !== undefined) return `replay diverges: ${divergence.kind} at entry ${entry.seq}`;
  }
  const hash = createHash('sha256').update(state).digest('hex');
  return replay.stateHash() === hash ? undefined : 'replay ends in another state';
}

/** Compares two runs from the same seed. @returns what is different, if anything is */
function differenceBetween(one: Run, other: Run): string | undefined {
  const differs = (entry: Entry, index: number) =>
    JSON.stringify(entry) !== JSON.stringify(other.entries[index]);
  const first = one.entries.findIndex(differs);
  if (first !== -1) return `a second run is another from entry ${first + 1} on`;
  return one.entries.length === other.entries.length && one.state === other.state
    ? undefined
    : 'a second run ends otherwise';
}
