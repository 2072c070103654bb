/** Makes a scenario that fails smaller, as long as it fails in the same way: fewer steps, faults and backends. */
import type { Verdict } from './judge.ts';
import type { Scenario } from './scenario.ts';

/** Each try is a run or two; more than this would not make it much smaller. */
const MOST_TRIES = 150;

/** What is wrong, without the numbers of requests, sockets and backends. */
export function kindOf(breach: string): string {
  return breach
    .split('\n', 1)
    .join()
    .replace(/\bb\d+\b/g, 'B')
    .replace(/\b\d+(?:\.\d+)?\b/g, 'N')
    .replace(/\bN(?:,-?N)+/g, 'N');
}

/**
 * @param judgeOne judges a scenario
 * @returns the smallest that was found to fail in the same way, judged; the one given, if there is none
 */
export function shrink(failed: Verdict, judgeOne: (scenario: Scenario) => Verdict): Verdict {
  const kind = kindOf(failed.breach ?? '');
  let best = failed;
  let left = MOST_TRIES;
  const keepIfItFailsAlike = (scenario: Scenario): boolean => {
    if (left === 0) return false;
    left -= 1;
    const verdict = judgeOne(scenario);
    if (verdict.breach === undefined || kindOf(verdict.breach) !== kind) return false;
    best = verdict;
    return true;
  };
  for (let round = best; left > 0; round = best) {
    candidates(best.scenario, best.entries.length).some(keepIfItFailsAlike);
    if (round === best) break;
  }
  return best;
}

/** The boldest first. @param length of the run, as entries, beyond which steps make no difference */
function candidates(scenario: Scenario, length: number): Scenario[] {
  const { steps, backends, faults } = scenario;
  const end = Math.min(steps, length);
  const half = Math.ceil(faults.length / 2);
  const smaller: Scenario[] = [
    { ...scenario, faults: faults.slice(0, half) },
    { ...scenario, faults: faults.slice(half) },
    { ...scenario, backends: Math.ceil(backends / 2) },
    { ...scenario, backends: backends - 1 },
    ...faults.map((fault) => ({ ...scenario, faults: faults.filter((other) => other !== fault) })),
    ...[end / 10, end / 2, (end * 3) / 4, end - 1].map((few) => ({ ...scenario, steps: Math.floor(few) })),
  ];
  return smaller.filter(
    (other) =>
      other.backends >= 1 &&
      other.steps >= 1 &&
      (other.backends < backends || other.steps < steps || other.faults.length < faults.length),
  );
}
