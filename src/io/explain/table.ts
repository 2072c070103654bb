/** Small tables: columns as wide as they need to be, the last one wrapped into what is left of the line. */
import { type Paint, type Style, WIDTH, wrap } from './format.ts';

export type Column = { readonly title: string; readonly align?: 'left' | 'right' };

export type Row = {
  /** In the margin, such as an arrow. */
  readonly mark?: string;
  readonly style?: Style | undefined;
  readonly cells: readonly string[];
};

const MARGIN = 4;
const BETWEEN = 2;
/** Where less is left than this for the last column, it goes below. */
const LEAST_LAST_WIDTH = 30;

/** @returns the lines of the table, its titles first; rows keep their order */
export function formatTable(columns: readonly Column[], rows: readonly Row[], paint: Paint): string[] {
  const last = columns.length - 1;
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...rows.map(({ cells }) => cells[index]?.length ?? 0)),
  );
  const leading = widths.slice(0, last).reduce((sum, width) => sum + width + BETWEEN, MARGIN);
  const lastFits = leading + (widths[last] ?? 0) <= WIDTH;
  const isBelow = !lastFits && WIDTH - leading < LEAST_LAST_WIDTH;
  const indent = isBelow ? MARGIN + BETWEEN : leading;

  const format = ({ mark = '', cells }: Row): string[] => {
    const head = cells
      .slice(0, last)
      .map((cell, index) => pad(cell, widths[index] ?? 0, columns[index]?.align))
      .join(' '.repeat(BETWEEN));
    const [first = '', ...others] = wrap(cells[last] ?? '', WIDTH - indent);
    const start = `${mark.padStart(MARGIN - 1).padEnd(MARGIN)}${head}`;
    const rest = (isBelow ? [first, ...others] : others).map((line) => `${' '.repeat(indent)}${line}`);
    return [isBelow ? start : `${start}${' '.repeat(BETWEEN)}${first}`, ...rest].map((line) =>
      line.trimEnd(),
    );
  };

  const titles = columns.map(({ title }, index) => (isBelow && index === last ? '' : title));
  return [
    ...format({ cells: titles }).map((line) => paint('dim', line)),
    ...rows.flatMap((row) =>
      format(row).map((line) => (row.style === undefined ? line : paint(row.style, line))),
    ),
  ].filter((line) => line !== '');
}

function pad(text: string, width: number, align: Column['align'] = 'left'): string {
  return align === 'right' ? text.padStart(width) : text.padEnd(width);
}
