/** Adds up what was simulated, and says it in a line. */
import type { Verdict } from './judge.ts';

export type Tally = {
  add(verdict: Verdict): void;
  text(): string;
};

const MS_PER_DAY = 86_400_000;

export function createTally(): Tally {
  let seeds = 0;
  let events = 0;
  let simulatedMs = 0;
  let cpuMs = 0;
  return {
    add(verdict) {
      seeds += 1;
      events += verdict.entries.length;
      simulatedMs += verdict.simulatedMs;
      cpuMs += verdict.cpuMs;
    },
    text() {
      const perSecond = Math.round((1000 * events) / Math.max(1, cpuMs));
      const days = (simulatedMs / MS_PER_DAY).toFixed(1);
      return `${seeds} seeds, ${events} events, ${days} simulated days, ${perSecond} events a CPU second in the first run`;
    },
  };
}
