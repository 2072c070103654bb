/** The states of a backend over time as boxes to draw: no more than there are pixels, and nothing bad lost among them. */
import type { Band, Span } from '../../api.ts';
import { type TimeWindow, xOf } from './time-window.ts';

export type BandBox = { readonly x: number; readonly width: number; readonly span: Span };

/** Of spans that share a pixel, the one with the greatest of these is shown. */
const SEVERITY: Readonly<Record<Span['state'], number>> = {
  healthy: 0,
  removed: 1,
  unknown: 2,
  drained: 3,
  draining: 4,
  ejected: 5,
  unhealthy: 6,
};

/** So much of a bad state is seen, however short it was. */
const MIN_WIDTH = 2;

/** @returns boxes from left to right, in pixels; each is at least two wide, so a short outage may cover its neighbours */
export function boxesOf({ spans }: Band, shown: TimeWindow, width: number): BandBox[] {
  const boxes: BandBox[] = [];
  for (const span of spans) {
    if (span.until < shown.from || span.from > shown.until) continue;
    const x = Math.max(0, xOf(span.from, shown, width));
    const right = Math.max(x, Math.min(width, xOf(span.until, shown, width)));
    const box = { x, width: Math.max(MIN_WIDTH, right - x), span };
    const last = boxes.at(-1);
    const isCrowded = last !== undefined && box.x < last.x + MIN_WIDTH && right - x < MIN_WIDTH;
    if (!isCrowded) boxes.push(box);
    else if (SEVERITY[span.state] > SEVERITY[last.span.state])
      boxes[boxes.length - 1] = { ...box, x: last.x };
  }
  return boxes;
}

/** The span in which a time falls. */
export function spanAt({ spans }: Band, at: number): Span | undefined {
  return spans.find(({ from, until }) => at >= from && at < until);
}
