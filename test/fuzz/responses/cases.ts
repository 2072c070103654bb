/** Cases in which it is the backend that misbehaves, towards one request that is in order. */
import type { Prepared } from '../backend.ts';
import { type Case, cut, type Making } from '../case.ts';
import { readResponse } from '../http/responses.ts';
import type { Draw } from '../random.ts';
import { mutate } from '../requests/mutations.ts';
import { brokenAnswer } from './broken.ts';
import { SHAPES, validAnswer } from './valid.ts';

/** So small that what is behind an answer is read together with its end. */
const SMALL = 8_000;
const ENDINGS: readonly Prepared['ending'][] = ['stay', 'stay', 'FIN', 'RST'];

/** Every offset of every shape, with either ending. */
const OFFSETS = SHAPES.flatMap((shape) =>
  Array.from({ length: shape('mk0000000000z').length }, (_, offset) => ({ shape, offset })),
);

/** @param number tells at which offset the answer ends, so that enough cases in a row try each */
export function earlyClose(making: Making, number: number): Case {
  const place = OFFSETS[Math.floor(number / 2) % OFFSETS.length];
  if (place === undefined) throw new RangeError('there is no such offset');
  const bytes = place.shape(making.marker).slice(0, place.offset);
  const ending = number % 2 === 0 ? 'FIN' : 'RST';
  return answered(making, `early ${ending} at ${place.offset}`, {
    pieces: [bytes],
    ending,
    times: making.draw.pick([1, 9]),
  });
}

export function badAnswer(making: Making): Case {
  const { draw, marker } = making;
  const { what, bytes } = draft(making);
  return answered(making, `answer with ${what}`, {
    pieces: cutBeforeEnd(draw, bytes === '' ? marker : bytes),
    ending: draw.pick(ENDINGS),
    times: draw.pick([1, 9]),
  });
}

/**
 * Cuts an answer so that what stands behind it comes with its end. What comes later may meet the next request on that
 * connection, and then no gateway can tell it from that one's answer.
 */
function cutBeforeEnd(draw: Draw, bytes: string): string[] {
  const answer = readResponse(bytes, 0, { bodiless: true, isClosed: false });
  const end = 'fault' in answer ? 1 : answer.end - 1;
  return [...cut(draw, bytes.slice(0, end)), bytes.slice(end)];
}

function draft({ draw, marker }: Making): { what: string; bytes: string } {
  if (draw.chance(0.15)) return { what: 'nothing wrong', bytes: validAnswer(draw, marker, 100_000) };
  if (draw.chance(0.4)) return { what: 'a mutation', bytes: mutate(draw, validAnswer(draw, marker, SMALL)) };
  return brokenAnswer(draw, marker);
}

function answered({ draw, marker }: Making, what: string, prepared: Prepared): Case {
  const method = draw.pick(['GET', 'GET', 'POST', 'HEAD']);
  const head = `${method} /v1/${marker}/asked HTTP/1.1\r\nHost: gateway.test\r\n`;
  const pieces = [method === 'POST' ? `${head}Content-Length: 2\r\n\r\n{}` : `${head}\r\n`];
  return { what, pieces, prepared };
}
