/** What an operator reads about the event log: the beginning and the end of each trouble, and nothing per entry. */
import type { Logger } from '../log.ts';

export type Reports = {
  opened(seq: number): void;
  slowToOpen(ms: number): void;
  /** What had to be done about the end of the log, if anything had. */
  mended(end: { readonly cutBytes: number; readonly damaged: readonly string[] }): void;
  failed(error: unknown): void;
  /** @param dropped entries that are missing, since the start */
  recovered(dropped: number): void;
  tooSlow(bufferBytes: number): void;
  /** @param dropped entries that this gap left out */
  caughtUp(dropped: number): void;
  notClosed(ms: number): void;
  closed(dropped: number): void;
};

export function createReports(log: Logger, dir: string): Reports {
  return {
    opened(seq) {
      log.info({ dir, seq }, `recording events into ${dir}`);
    },
    slowToOpen(ms) {
      log.error({ dir }, `the event log in ${dir} did not open within ${ms} ms; serving without it for now`);
    },
    mended({ cutBytes: bytes, damaged }) {
      if (damaged.length > 0) {
        log.error(
          { dir, damaged },
          `the end of the event log in ${dir} is damaged; ${damaged.join(', ')} is kept as it is, and recording goes on behind what can be read`,
        );
      }
      if (bytes === 0) return;
      log.warn(
        { dir, bytes },
        `${bytes} bytes behind the last whole line of the event log were cut off; whoever wrote them was stopped in the middle`,
      );
    },
    failed(error) {
      log.error(
        error,
        `the event log in ${dir} cannot be written: ${messageOf(error)}. Requests are served, their events are dropped until it can`,
      );
    },
    recovered(dropped) {
      log.warn(
        { dir, dropped },
        `the event log is written again; ${dropped} events are missing since the start`,
      );
    },
    tooSlow(bufferBytes) {
      log.error(
        { dir, bufferBytes },
        'the disk of the event log is too slow: eventLog.bufferBytes are waiting. Requests are served, their events are dropped until it has caught up',
      );
    },
    caughtUp(dropped) {
      log.warn({ dir, dropped }, `the disk of the event log has caught up; ${dropped} events are missing`);
    },
    notClosed(ms) {
      log.error({ dir }, `the event log did not close within ${ms} ms; its last events may be missing`);
    },
    closed(dropped) {
      if (dropped > 0)
        log.warn({ dir, dropped }, `${dropped} events of this run are missing in the event log`);
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
