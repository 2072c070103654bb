/** Marks of the timeline, one for those that would lie upon one another. */
import type { Mark, MarkKind } from '../../api.ts';
import { type TimeWindow, xOf } from './time-window.ts';
import { clock, counted } from './words.ts';

export type MarkGroup = {
  readonly x: number;
  /** The one that tells most; its shape is drawn. */
  readonly mark: Mark;
  readonly count: number;
  readonly title: string;
};

/** What is drawn where several share a place: what an operator looks for first. */
const WEIGHT: Readonly<Record<MarkKind, number>> = {
  fell: 8,
  gap: 7,
  reloadRefused: 6,
  stopped: 5,
  started: 4,
  reloaded: 3,
  drained: 2,
  restored: 1,
  rose: 0,
};

export const MARK_NAMES: Readonly<Record<MarkKind, string>> = {
  started: 'started',
  stopped: 'stopped',
  reloaded: 'config reloaded',
  reloadRefused: 'config refused',
  drained: 'drained',
  restored: 'restored',
  fell: 'became unhealthy',
  rose: 'became healthy',
  gap: 'gap in the log',
};

const MOST_IN_TITLE = 8;

/** @param apart pixels between two marks that can be told apart */
export function groupMarks(
  marks: readonly Mark[],
  shown: TimeWindow,
  width: number,
  apart: number,
): MarkGroup[] {
  const groups: Mark[][] = [];
  let start = Number.NEGATIVE_INFINITY;
  for (const mark of marks.toSorted((one, other) => one.at - other.at)) {
    if (mark.at < shown.from || mark.at > shown.until) continue;
    const x = xOf(mark.at, shown, width);
    if (x - start >= apart) {
      groups.push([]);
      start = x;
    }
    groups.at(-1)?.push(mark);
  }
  return groups.flatMap((group) => {
    const [mark] = group.toSorted((one, other) => WEIGHT[other.kind] - WEIGHT[one.kind]);
    if (mark === undefined) return [];
    return [{ x: xOf(mark.at, shown, width), mark, count: group.length, title: titleOf(group) }];
  });
}

function titleOf(group: readonly Mark[]): string {
  const lines = group.slice(0, MOST_IN_TITLE).map((mark) => `${clock(mark.at)}  ${mark.text}`);
  const more = group.length - MOST_IN_TITLE;
  return [...lines, ...(more > 0 ? [`and ${counted(more, 'more', 'more')}`] : [])].join('\n');
}
