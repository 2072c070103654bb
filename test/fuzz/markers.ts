/**
 * Who a byte belongs to. Each case has a marker, which stands in all that its client sends and its backend answers, and
 * an address of its own in 127.0.0.0/8, which the gateway tells the backend and no client can alter.
 */
import { seedFrom } from '../../src/simulation/random.ts';

/** Of 13 characters. */
const MARKER = /mk[0-9a-f]{10}z/g;

/** What no client may ever be given: it stands behind the end of an answer. */
export const POISON = 'poisoned-well';

export function markerOf(seed: number, name: number | string): string {
  return `mk${seedFrom(seed, 'marker', name).toString(16).padStart(10, '0')}z`;
}

/** The markers in a text. */
export function markersIn(text: string): string[] {
  return text.match(MARKER) ?? [];
}

/** @param number from 0; each number up to 12 million has its own address */
export function addressOf(number: number): string {
  const low = number % 250;
  const middle = Math.floor(number / 250) % 250;
  const high = Math.floor(number / 62_500) % 200;
  return `127.${high + 10}.${middle + 1}.${low + 1}`;
}
