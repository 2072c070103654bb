/** A progress bar for long work on files, on a terminal only. */

/** Work that is done before anybody has read the bar needs none. */
const WORTH_SHOWING_BYTES = 32 * 1024 * 1024;
const REFRESH_MS = 100;
const BAR_WIDTH = 40;
const CLEAR_LINE = '\r\x1b[2K';

export type Progress = {
  show(bytesDone: number, bytesTotal: number): void;
  /** Takes the bar away, so that output may follow. */
  clear(): void;
};

export function createProgress(what: string, stream: NodeJS.WriteStream): Progress {
  let shownAt = Number.NEGATIVE_INFINITY;
  let isShown = false;
  const startedAt = performance.now();
  return {
    show(bytesDone, bytesTotal) {
      if (!stream.isTTY || bytesTotal < WORTH_SHOWING_BYTES) return;
      const now = performance.now();
      if (now - shownAt < REFRESH_MS) return;
      shownAt = now;
      isShown = true;
      const share = Math.min(1, bytesDone / bytesTotal);
      const bar = '#'.repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH, '.');
      const leftS = share === 0 ? 0 : ((now - startedAt) / 1000 / share) * (1 - share);
      const percent = String(Math.floor(share * 100)).padStart(3);
      stream.write(`${CLEAR_LINE}${what} [${bar}] ${percent} %  ${Math.ceil(leftS)} s left`);
    },
    clear() {
      if (isShown) stream.write(CLEAR_LINE);
      isShown = false;
    },
  };
}
