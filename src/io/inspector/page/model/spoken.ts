/** What a screen reader is told when the picture changes: states of backends, and nothing that changes all the time. */
import type { Moment } from '../../api.ts';
import { counted, preciseClock } from './words.ts';

/** More are told as a number. */
const MOST_NAMED = 3;

/** @returns a sentence, or nothing where no state differs */
export function changesBetween(before: Moment | null, after: Moment): string {
  if (before === null) return '';
  const states = new Map(before.backends.map(({ id, state }) => [id, state]));
  const changed = after.backends.filter(({ id, state }) => states.get(id) !== state);
  if (changed.length === 0) return '';
  if (changed.length > MOST_NAMED) {
    return `${preciseClock(after.at)}: ${counted(changed.length, 'backend')} changed state`;
  }
  return changed
    .map(({ id, state, reason }) => `${id} is ${state}${reason === '' ? '' : `: ${reason}`}`)
    .join('. ');
}
