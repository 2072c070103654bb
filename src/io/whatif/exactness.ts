/** What the answer says and how far it can be trusted, in sentences that the text and the page share. */
import type { AnswerCounts } from '../../simulation/evidence.ts';
import type { Report } from './report.ts';
import { count, grouped, listed, timeOfDay } from './words.ts';

/** What is not in the answer, for the top of it. */
export function exceptionsInWords({ exactness }: Report): string[] {
  return exactness.exceptions.map(({ key, why }) => `${key} ${why}.`);
}

/** For an answer without any difference. */
export function noDifference({ exactness }: Report): string {
  const butFor = exactness.exceptions.length === 0 ? '' : ', but for what is not in this answer (see Beware)';
  return `No difference: every decision is as recorded${butFor}.`;
}

/** Above the first decisions that differ, of which there may be none though requests fare otherwise. */
export function differencesInWords({ differences: { total } }: Report): string {
  return total === 0
    ? 'No recorded entry leads to another decision: all that differs comes at times that are not in the record.'
    : `First decisions that differ, of ${count(total, 'recorded entry', 'recorded entries')} with another decision`;
}

export function exactnessInWords({ exactness, seed, record }: Report): string[] {
  const { exactUntil, exceptions, answers, reproduction } = exactness;
  const butFor = exceptions.length === 0 ? '' : ` but for ${listed(exceptions.map(({ key }) => key))}`;
  return [
    exactUntil === null
      ? `Exact${butFor}: nothing ${butFor === '' ? '' : 'else '}had to be assumed; all ${grouped(record.entries)} entries lead to certain decisions.`
      : `Exact${butFor} up to entry ${exactUntil.seq} (${timeOfDay(exactUntil.at)}), an estimate after it: from there on ` +
        'something (an answer, a probe, a timeout) comes at a time that is not in the record, and later decisions ' +
        'depend on it.',
    answersInWords(answers, seed),
    reproduction.faithful
      ? 'Checked: under the recorded config the simulated world leads to the recorded decisions, letter for letter.'
      : `Beware: under the recorded config the simulated world misses ${count(reproduction.missed, 'recorded entry', 'recorded entries')}` +
        `${reproduction.firstMissed === null ? '' : `, the first ${reproduction.firstMissed}`}; what differs by less than that says nothing.`,
  ];
}

/** Where the answers of the backends come from, as far as there are any of the kind. */
function answersInWords({ recorded, moved, drawn, borrowed }: AnswerCounts, seed: number): string {
  const total = recorded + moved + drawn + borrowed;
  if (total === 0) return 'No backend was asked anything.';
  const sources: [number, string][] = [
    [recorded, 'as recorded'],
    [moved, 'with the recorded times of that request at another moment'],
    [drawn, 'drawn from what the backend did for others near that time'],
    [borrowed, 'drawn from other backends'],
  ];
  const told = sources.filter(([number]) => number > 0).map(([number, what]) => `${grouped(number)} ${what}`);
  const drawnBy = drawn + borrowed > 0 ? ` (seed ${seed})` : '';
  return `${count(total, 'answer')} of backends: ${told.join('; ')}${drawnBy}.`;
}
