/** How far the answer can be trusted, in sentences. */
import type { Report } from './report.ts';
import { count, grouped, timeOfDay } from './words.ts';

export function exactnessInWords({ exactness, seed, record }: Report): string[] {
  const { exactUntil, answers, reproduction } = exactness;
  const total = answers.recorded + answers.moved + answers.drawn + answers.borrowed;
  return [
    exactUntil === null
      ? `Exact: nothing had to be assumed; all ${grouped(record.entries)} entries lead to certain decisions.`
      : `Exact up to entry ${exactUntil.seq} (${timeOfDay(exactUntil.at)}), an estimate after it: from there on ` +
        'something comes at a time that is not in the record, and later decisions depend on it.',
    `${count(total, 'answer')} of backends: ${grouped(answers.recorded)} as recorded; ${grouped(answers.moved)} with the ` +
      `recorded times of that request at another moment; ${grouped(answers.drawn)} drawn from what the backend did ` +
      `for others near that time; ${grouped(answers.borrowed)} drawn from other backends (seed ${seed}).`,
    reproduction.faithful
      ? 'Checked: under the recorded config the simulated world leads to the recorded decisions, letter for letter.'
      : `Beware: under the recorded config the simulated world misses ${count(reproduction.missed, 'recorded entry', 'recorded entries')}` +
        `${reproduction.firstMissed === null ? '' : `, the first ${reproduction.firstMissed}`}; what differs by less than that says nothing.`,
  ];
}
