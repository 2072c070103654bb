/**
 * The life of one backend, as data: periods between changes of its state, each with what happened in it. What `explain
 * --backend` prints and its `--json` has; times are in milliseconds since the epoch.
 */
import type { BackendSettings, BackendStatus, EvictionReason } from '../events.ts';
import type { Instant } from './history.ts';
import type { Stretch } from './playback.ts';

/** Probes in a row with the same result. */
export type ProbeRun = {
  readonly ok: boolean;
  count: number;
  readonly from: number;
  until: number;
  /** Why they failed, or with which status they succeeded, and how often each. */
  readonly reasons: Record<string, number>;
  slowestMs: number;
};

export type BackendNote = Instant &
  (
    | { readonly type: 'operator'; readonly action: 'drained' | 'restored' }
    | {
        readonly type: 'reload';
        /** What about it changed, in words, such as `weight 5 → 1`. */
        readonly changes: readonly string[];
      }
  );

export type BackendPeriod = {
  readonly state: BackendStatus;
  /** Null for the first one that the stretch of the log knows. */
  readonly from: BackendStatus | null;
  readonly reason: string;
  readonly seq: number;
  readonly at: number;
  /** Null for a period that was not over where the stretch ends. */
  until: number | null;
  /** The last moment that the log tells of it. */
  lastAt: number;
  readonly probes: {
    succeeded: number;
    failed: number;
    /** The last ones; `earlierRuns` counts those before them. */
    readonly runs: ProbeRun[];
    earlierRuns: number;
  };
  /** By what became of the lease. */
  readonly leases: {
    granted: number;
    ended: number;
    failed: number;
    aborted: number;
    discarded: number;
    unopened: number;
    /** The most at one time. */
    peak: number;
  };
  /**
   * Failures of requests and of connecting, by reason, such as `status 500`; `stale-socket` is a kept socket that was
   * closed already.
   */
  readonly failures: Record<string, number>;
  readonly sockets: {
    opened: number;
    reused: number;
    /** Closed from the other end. */
    closedByBackend: number;
    readonly evicted: Partial<Record<EvictionReason, number>>;
  };
  readonly notes: BackendNote[];
};

export type BackendStretch = {
  readonly stretch: Stretch;
  /** As configured at the end of the stretch. */
  readonly settings: BackendSettings | null;
  readonly periods: readonly BackendPeriod[];
};
