/**
 * Shows something anew each second. On a terminal each frame is written over the one before, so that what scrolled by
 * earlier stays; anywhere else the frames follow one another.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';

export type Output = {
  readonly isTTY?: boolean;
  /** Of the terminal; 0 where it does not say. */
  readonly rows?: number;
  readonly columns?: number;
  write(text: string): unknown;
};

const INTERVAL_MS = 1_000;
const DEFAULT_ROWS = 24;
const DEFAULT_COLUMNS = 80;
const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const ERASE_REST_OF_LINE = '\x1b[K';
const ERASE_BELOW = '\x1b[J';

/**
 * @param show gives the lines to be shown; when it fails, the message is, and it is asked again
 * @param form `lines`: for machines, whole lines one after the other, on a terminal too
 * @param stop ends it; the cursor is shown again then
 */
export async function watch(
  show: (signal: AbortSignal) => Promise<readonly string[]>,
  output: Output,
  form: 'frames' | 'lines',
  stop: AbortSignal,
): Promise<void> {
  const isDrawn = form === 'frames' && output.isTTY === true;
  let height = 0;
  let isFirst = true;
  if (isDrawn) output.write(HIDE_CURSOR);
  while (!stop.aborted) {
    const lines = await show(stop).catch((error: unknown) => [messageOf(error)]);
    // What was asked for when the end came has failed for that.
    if (stop.aborted) break;
    if (isDrawn) {
      const columns = output.columns || DEFAULT_COLUMNS;
      const shown = fitting(lines, output.rows || DEFAULT_ROWS, columns);
      output.write(frame(shown, height));
      height = heightOf(shown, columns);
    } else {
      const gap = form === 'frames' && !isFirst ? '\n' : '';
      output.write(`${gap}${lines.join('\n')}\n`);
    }
    isFirst = false;
    await sleep(INTERVAL_MS, undefined, { signal: stop }).catch(() => undefined);
  }
  if (isDrawn) output.write(SHOW_CURSOR);
}

/** @param height lines of the frame before, over which this one is written */
function frame(lines: readonly string[], height: number): string {
  const home = height === 0 ? '' : `\x1b[${height}A`;
  return `${home}\r${lines.map((line) => `${line}${ERASE_REST_OF_LINE}\n`).join('')}${ERASE_BELOW}`;
}

/** What does not fit would scroll, and could not be written over. */
function fitting(lines: readonly string[], rows: number, columns: number): readonly string[] {
  const most = Math.max(1, rows - 1);
  if (heightOf(lines, columns) <= most) return lines;
  const shown: string[] = [];
  for (const line of lines) {
    if (heightOf([...shown, line], columns) >= most) break;
    shown.push(line);
  }
  return [...shown, `... ${lines.length - shown.length} more lines`];
}

/** Rows that the lines take on a terminal, which breaks long ones. */
function heightOf(lines: readonly string[], columns: number): number {
  return lines.reduce(
    (rows, line) => rows + Math.max(1, Math.ceil(stripVTControlCharacters(line).length / columns)),
    0,
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
