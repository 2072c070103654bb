/** The keys that say what becomes of requests and backends when something fails. */
import type { RetryCondition } from '../../actors/events.ts';
import { count, GIB, intervalMs, MIB, timerMs } from './ranges.ts';
import type { Tree } from './tree.ts';

export type FailureConfig = {
  retry: {
    attempts: number;
    bufferBytes: number;
    on: RetryCondition[];
    budgetShare: number;
    budgetWindowMs: number;
  };
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
      choices: ['emptyResponse', '429', '502', '503'],
      default: ['emptyResponse'],
      doc: 'What is retried beyond what is always safe: no answer at all, or one of such a status.',
    },
    budgetShare: {
      format: 'decimal',
      min: 0,
      max: 10,
      default: 0.2,
      doc: 'Share of requests in a window that may be sent twice; pool.size of them always may.',
    },
    budgetWindowMs: { ...intervalMs, default: 10_000, doc: 'Length of the window of retry.budgetShare.' },
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
      doc: 'How long a first ejection lasts; the n-th in a short time lasts n times as long.',
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
