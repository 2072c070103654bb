/**
 * The life of one request, as data: what `explain` prints, and word for word what its `--json` has. Times are in
 * milliseconds since the epoch, durations in milliseconds, and null stands for what the log does not tell.
 */
import type {
  AnswerFault,
  BackendStatus,
  ClientCut,
  Decision,
  Fact,
  RejectionCode,
  RetryRefusal,
  UpstreamFailure,
} from '../events.ts';
import type { Candidate } from './candidates.ts';
import type { Change, Instant } from './history.ts';
import type { Stretch } from './playback.ts';
import type { RetryReason } from './retry.ts';

/** Where a request is. `sent` is from the lease to the first byte of the answer. */
export type LifePhase = 'new' | 'waiting' | 'connecting' | 'sent' | 'answering';

export type Failure = {
  readonly backend: string;
  readonly socket: number;
  readonly reason: UpstreamFailure;
  /** What was wrong with the answer, where that is on record. */
  readonly fault?: AnswerFault;
  readonly phase: LifePhase;
  readonly reused: boolean;
  readonly written: boolean;
  readonly bytes: number;
  readonly chunks: number;
};

/** What a waiting request sees of the line. */
export type LineChange = {
  /**
   * One ahead of it got its turn (`served`), its client left, or it was rejected; one that came later went to a backend
   * that this request may not use, since it failed it (`overtook`); one that came earlier lost its backend and took its
   * old place (`returned`).
   */
  readonly what: 'served' | 'left' | 'rejected' | 'overtook' | 'returned';
  readonly request: number;
  readonly backend: string | null;
};

export type LifeEvent = Instant &
  (
    | {
        readonly type: 'arrived';
        readonly method: string;
        readonly path: string;
        /** -1 while the body still streams. */
        readonly bodyBytes: number;
        readonly replayable: boolean;
        /** Other requests that had a lease, and that waited. */
        readonly inFlight: number;
        readonly waiting: number;
      }
    | {
        readonly type: 'picked';
        /** Null where no backend could take it. */
        readonly backend: string | null;
        /** `room`: it waited, and the fact made room for it. */
        readonly cause: 'arrival' | 'retry' | 'room';
        readonly fact: Fact;
        readonly waitedMs: number | null;
        readonly candidates: readonly Candidate[];
      }
    | {
        readonly type: 'connecting';
        readonly backend: string;
        readonly lease: number;
        readonly socket: number;
        /** Whether there was an idle socket that it did not take. */
        readonly avoidsIdle: boolean;
      }
    | {
        readonly type: 'leased';
        readonly backend: string;
        readonly lease: number;
        readonly socket: number;
        readonly reused: boolean;
        /** Of a new socket: how long connecting took. */
        readonly connectMs: number | null;
        /** Of a reused one: its age, how long it was idle, and the requests it served before. */
        readonly socketAgeMs: number | null;
        readonly idleMs: number | null;
        readonly servedBefore: number | null;
      }
    | {
        readonly type: 'queued';
        /** 1 is next. */
        readonly place: number;
        readonly length: number;
        readonly deadline: number;
        /** The first few of those ahead of it. */
        readonly ahead: readonly number[];
      }
    | ({ readonly type: 'line'; readonly place: number } & LineChange)
    | { readonly type: 'socket-closed'; readonly backend: string; readonly socket: number }
    | {
        readonly type: 'first-byte';
        readonly backend: string;
        readonly status: number;
        /** Since the request was handed to the socket. */
        readonly afterMs: number | null;
      }
    /** An answer of a status in `retry.on` is thrown away, or goes to the client all the same. */
    | { readonly type: 'discarded'; readonly backend: string; readonly status: number }
    | { readonly type: 'passed-on'; readonly because: RetryRefusal }
    | ({ readonly type: 'failed'; readonly why: RetryReason } & Failure)
    | {
        readonly type: 'retried';
        readonly from: string;
        readonly reason: Extract<Decision, { type: 'request.retried' }>['reason'];
        readonly why: RetryReason;
        /** Attempts used of those allowed; a stale socket does not use one up. */
        readonly attempt: number;
        readonly attempts: number;
      }
    | {
        readonly type: 'ended';
        readonly backend: string;
        readonly status: number | null;
        readonly bytes: number;
        readonly chunks: number;
        /** Since the first byte. */
        readonly answeringMs: number | null;
        readonly socketKept: boolean;
      }
    | {
        readonly type: 'rejected';
        readonly code: RejectionCode;
        readonly backend: string | null;
        readonly reason: UpstreamFailure | null;
        readonly waitedMs: number | null;
        readonly queue: { readonly length: number; readonly max: number };
        /** What stood against each backend, where no pick just before tells it. */
        readonly candidates: readonly Candidate[] | null;
      }
    | {
        readonly type: 'aborted';
        readonly phase: LifePhase;
        readonly backend: string | null;
        /** Set where the client did not leave, but was cut off. */
        readonly because?: ClientCut;
      }
    | ({ readonly type: 'backend-changed' } & Omit<Change, 'seq' | 'at'>)
    | { readonly type: 'config-reloaded' }
    | { readonly type: 'gateway-stopping' }
    /** The log is interrupted while the request is under way. */
    | {
        readonly type: 'interrupted';
        readonly by: Stretch['began'];
        readonly missing: number;
        readonly reason: string | null;
        /** Whether the request was still under way behind it. */
        readonly goesOn: boolean;
      }
  );

export type Outcome =
  | 'ended'
  | 'failed'
  | 'rejected'
  | 'aborted'
  /** Under way where the log, or what can be read of it, ends. */
  | 'open'
  /** Ended where the log is interrupted, or cut off by the end of the gateway's run. */
  | 'unknown';

export type LifeSummary = {
  readonly request: number;
  readonly requestId: string;
  /** Of the log's runs of the gateway, counted from 1. */
  readonly run: number;
  /** Of the entry in which it arrived. */
  readonly seq: number;
  readonly method: string;
  readonly path: string;
  readonly arrivedAt: number;
  readonly endedAt: number | null;
  readonly outcome: Outcome;
  /** HTTP status of the backend's answer; null if none came. */
  readonly status: number | null;
  readonly code: RejectionCode | null;
  readonly phase: LifePhase;
  /** Backends it was given to, in order; one may stand there twice. */
  readonly backends: readonly string[];
  readonly retries: number;
};

export type Life = LifeSummary & {
  readonly timeline: readonly LifeEvent[];
  /** Events beyond the limit of what is kept. */
  readonly omitted: number;
  /** The last changes of each backend before it arrived, with how each stood then. */
  readonly before: readonly (Change & { readonly stands: BackendStatus })[];
};
