/** Where things stand in the picture of the timeline, in pixels. */

export type TimelineLayout = {
  /** Width of the names on the left; they are letters only where there is little room. */
  readonly gutter: number;
  readonly plotWidth: number;
  readonly marks: Strip;
  readonly bands: Strip;
  readonly rowHeight: number;
  readonly rates: Strip;
  readonly failures: Strip;
  readonly waiting: Strip;
  readonly axis: Strip;
  readonly height: number;
};

export type Strip = { readonly top: number; readonly height: number };

const NARROW = 640;
const RIGHT = 14;
const GAP = 6;

export function layoutOf(width: number, backends: number): TimelineLayout {
  const gutter = width < NARROW ? 34 : 150;
  const rowHeight = backends <= 6 ? 22 : backends <= 12 ? 16 : backends <= 24 ? 10 : 6;
  let top = 0;
  const strip = (height: number, gap = GAP): Strip => {
    const place = { top, height };
    top += height + gap;
    return place;
  };
  const marks = strip(18, 4);
  const bands = strip(Math.max(1, backends) * rowHeight, 10);
  const rates = strip(58);
  const failures = strip(16);
  const waiting = strip(16, 2);
  const axis = strip(18, 0);
  return {
    gutter,
    plotWidth: Math.max(50, width - gutter - RIGHT),
    ...{ marks, bands, rowHeight, rates, failures, waiting, axis },
    height: top,
  };
}

const LABEL_HEIGHT = 13;

/**
 * Which rows get their name where there is not room for all: first those that have something to tell, then every fifth.
 *
 * @returns the places of the rows in the list
 */
export function labelledRows(rows: readonly { readonly matters: boolean }[], rowHeight: number): Set<number> {
  const apart = Math.ceil(LABEL_HEIGHT / rowHeight);
  if (apart <= 1) return new Set(rows.keys());
  const taken = new Set<number>();
  const isFree = (row: number) => ![...taken].some((other) => Math.abs(other - row) < apart);
  for (const [row, { matters }] of rows.entries()) if (matters && isFree(row)) taken.add(row);
  for (let row = 0; row < rows.length; row += 5) if (isFree(row)) taken.add(row);
  return taken;
}
