/** The keys that say what becomes of requests and backends when something fails. */
import { count, GIB, MIB, timerMs } from './ranges.ts';
import type { Tree } from './tree.ts';

export type FailureConfig = {
  retry: { attempts: number; bufferBytes: number; on: 'emptyResponse'[] };
  outlier: {
    consecutiveFailures: number;
    baseEjectionMs: number;
    maxEjectionMs: number;
    maxEjectedShare: number;
  };
};

export const failureKeys: Tree<FailureConfig> = {
  retry: {
    attempts: { ...count(0, 10), default: 2, doc: 'Further attempts a request may have after its first.' },
    bufferBytes: {
      ...count(0, GIB),
      default: MIB,
      doc: 'Bytes of a request body kept for a retry; a longer body is not retried once sent.',
    },
    on: {
      format: 'choices',
      choices: ['emptyResponse'],
      default: ['emptyResponse'],
      doc: 'What is retried beyond failures that are always safe to retry.',
    },
  },
  outlier: {
    consecutiveFailures: {
      ...count(0, 1_000_000),
      default: 5,
      doc: 'Requests failed in a row, by 5xx or without an answer, that eject a backend; 0 ejects none.',
    },
    baseEjectionMs: {
      ...timerMs,
      default: 30_000,
      doc: 'How long a backend is ejected, times how often it has been of late.',
    },
    maxEjectionMs: { ...timerMs, default: 300_000, doc: 'Longest time for which a backend is ejected.' },
    maxEjectedShare: {
      format: 'decimal',
      min: 0,
      max: 1,
      default: 0.5,
      doc: 'Share of the backends that may be ejected at once, rounded down; never the last healthy one.',
    },
  },
};
