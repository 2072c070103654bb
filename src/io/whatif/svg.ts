/** Small pieces of HTML and SVG: text made safe, and the axes that all plots share. */
import { timeOfDay } from './words.ts';

export const WIDTH = 960;
/** Room for names on the left. */
export const LEFT = 130;
/** Half of the last time of day stands beyond the end. */
export const RIGHT = 36;

export function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}

export type Span = { readonly from: number; readonly to: number };

/** @returns the horizontal place of a moment */
export function xOf(at: number, { from, to }: Span): number {
  const share = to > from ? (at - from) / (to - from) : 0;
  return round(LEFT + Math.min(1, Math.max(0, share)) * (WIDTH - LEFT - RIGHT));
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

const STEPS_S = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400,
];
const MOST_TICKS = 9;

/** Lines and times of day under a plot, at round moments. */
export function timeAxis(span: Span, top: number, bottom: number): string {
  const lengthS = (span.to - span.from) / 1000;
  const stepMs = 1000 * (STEPS_S.find((step) => lengthS / step <= MOST_TICKS) ?? lengthS / MOST_TICKS);
  const parts: string[] = [];
  for (let at = Math.ceil(span.from / stepMs) * stepMs; at <= span.to; at += stepMs) {
    const x = xOf(at, span);
    parts.push(
      `<line class="grid" x1="${x}" x2="${x}" y1="${top}" y2="${bottom}"/>`,
      `<text class="tick" x="${x}" y="${bottom + 16}" text-anchor="middle">${timeOfDay(at)}</text>`,
    );
  }
  return parts.join('');
}

/** @param label what the picture shows, for those who do not see it */
export function picture(height: number, label: string, content: string): string {
  return (
    `<div class="plot"><svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeText(label)}">` +
    `${content}</svg></div>`
  );
}

/** A number not less than the greatest value that an axis may well end with. */
export function niceCeiling(value: number): number {
  if (value <= 5) return Math.max(1, Math.ceil(value));
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 1.5, 2, 3, 4, 5, 8, 10].find((candidate) => candidate * power >= value) ?? 10;
  return factor * power;
}
