/** Draws one case by its number. */
import { type Case, cut, type Making } from './case.ts';
import { markerOf } from './markers.ts';
import { drawFor } from './random.ts';
import { absurd } from './requests/absurd.ts';
import { mutate } from './requests/mutations.ts';
import { smuggling } from './requests/smuggling.ts';
import { oldRequest, validPipeline, validRequest } from './requests/valid.ts';
import { badAnswer, earlyClose } from './responses/cases.ts';

/** Cases of one world; the world of a case is told by its number alone. */
export const WORLD_CASES = 500;

/** Whether backends misbehave in that world, so that requests may be sent to them a second time. */
function isOfAnswers(world: number): boolean {
  return world % 2 === 1;
}

/** @returns the same case whenever seed and number are the same */
export function makeCase(seed: number, number: number): Case & { readonly marker: string } {
  const marker = markerOf(seed, number);
  const making: Making = { draw: drawFor(seed, 'case', number), marker };
  return { marker, ...draft(making, number) };
}

function draft(making: Making, number: number): Case {
  const { draw } = making;
  if (isOfAnswers(Math.floor(number / WORLD_CASES))) {
    return number % 2 === 0 ? earlyClose(making, earlyNumber(number)) : badAnswer(making);
  }
  const kind = draw.int(1, 100);
  if (kind > 96) return forAdmin(making);
  if (kind === 1) return { what: 'valid, old', pieces: cut(draw, oldRequest(making)), isValid: true };
  if (kind <= 10) return { what: 'valid', pieces: cut(draw, validPipeline(making)), isValid: true };
  if (kind <= 35) {
    const bytes = mutate(draw, validPipeline(making));
    return { what: 'mutation', pieces: cut(draw, bytes) };
  }
  const { what, bytes } = kind <= 80 ? smuggling(making) : absurd(making);
  // Slower than they are read, and faster than any timeout.
  const pauseMs = draw.chance(0.05) ? draw.int(1, 8) : 0;
  const before = draw.chance(0.2) ? validRequest(making, 'before') : '';
  const behind = draw.chance(0.2) ? validRequest(making, 'behind') : '';
  return { what, pieces: cut(draw, before + bytes + behind), pauseMs };
}

/** What only reads, damaged, and what is for a gateway. */
function forAdmin(making: Making): Case {
  const { draw, marker } = making;
  const target = draw.pick(['/backends', '/stats', '/metrics', '/inspector', '/inspector/ws', `/${marker}`]);
  const bytes = draw.chance(0.5)
    ? mutate(draw, `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)
    : draw.pick([smuggling, absurd])(making).bytes;
  return { what: 'to the admin listener', pieces: cut(draw, bytes), isForAdmin: true };
}

/** The early closes of all worlds, in order: half the cases of every second world. */
function earlyNumber(number: number): number {
  return (Math.floor(number / (2 * WORLD_CASES)) * WORLD_CASES + (number % WORLD_CASES)) / 2;
}
