/**
 * Every fact that can reach the core and every decision the core can take, declared once. The event log,
 * the actors, the inspector and replay all use these types, so a new kind of event starts here.
 *
 * Facts are in the past tense and come from outside; decisions are what the core wants done about them.
 * Both are plain JSON: ids, sizes, times and status codes, never a body, a header or a credential.
 */

import type { CoreConfig } from './settings.ts';

export type { BackendSettings, CoreConfig, OutlierSettings, RetryCondition } from './settings.ts';

/** Why an exchange with a backend failed; stable words, since operators search logs for them. */
export type UpstreamFailure =
  | 'refused'
  | 'reset'
  | 'closed'
  | 'connectTimeout'
  | 'headersTimeout'
  | 'idleTimeout'
  | 'badResponse'
  | 'tls'
  | 'certExpired'
  | 'certWrongName'
  | 'certUntrusted'
  | 'unresolved'
  /** The gateway itself had no file descriptor or memory left for a connection; it says nothing of the backend. */
  | 'exhausted'
  | 'other';

/**
 * What was wrong with an answer that failed as `badResponse`, as far as that is known. A word, since what the backend sent in
 * its place is not for the log.
 */
export type AnswerFault =
  /** It does not begin with a status line of HTTP/1.x. */
  | 'statusLine'
  /** A line among its headers or trailers is no header. */
  | 'headerLine'
  | 'headTooLong'
  /** The connection was lost before its head was whole. */
  | 'headCut'
  /** It has several lengths, or one that is no number, or too great a one. */
  | 'length'
  | 'lengthAndCoding'
  /** It is in a transfer coding that clients would not understand. */
  | 'coding'
  /** It switches to a protocol that nobody asked for. */
  | 'protocol'
  /** The line before a chunk has no size, or too long a one, or what is behind that is no extension. */
  | 'chunkSize'
  /** Behind a chunk stands something else than its end. */
  | 'chunkEnd'
  | 'trailersTooLong';

/** Why a request was given up whose client had not left by itself. */
export type ClientCut = 'idleReader' | 'bodyTimeout' | 'bodyTooLarge' | 'badRequest';

/** Why a probe failed. A status outside 2xx reads `status 503`. */
export type ProbeFailure = UpstreamFailure | 'timeout' | `status ${number}`;

export type Fact =
  | { readonly type: 'gateway.started'; readonly version: string; readonly config: CoreConfig }
  | { readonly type: 'gateway.stopping' }
  /** The last connection of a client has gone after `gateway.stopping`; nothing more can come in. */
  | { readonly type: 'listener.closed' }
  | { readonly type: 'config.reloaded'; readonly config: CoreConfig }
  | { readonly type: 'config.rejected'; readonly problems: number }
  | {
      readonly type: 'probe.succeeded';
      readonly backend: string;
      readonly status: number;
      readonly latencyMs: number;
    }
  | {
      readonly type: 'probe.failed';
      readonly backend: string;
      readonly reason: ProbeFailure;
      readonly latencyMs: number;
    }
  | {
      readonly type: 'request.received';
      /** Number of the request, unique within one run of the gateway. */
      readonly request: number;
      /** The `X-Request-ID`, which the client may have chosen; not necessarily unique. */
      readonly requestId: string;
      readonly method: string;
      /** Path without the query, which may hold keys. */
      readonly path: string;
      /** Bytes of the body as far as it is known when the request is handed over; -1 while it still streams. */
      readonly bodyBytes: number;
      /** Whether the body can be sent a second time, which a retry needs. */
      readonly replayable: boolean;
    }
  | { readonly type: 'socket.opened'; readonly backend: string; readonly socket: number }
  | {
      readonly type: 'socket.failed';
      readonly backend: string;
      readonly socket: number;
      readonly reason: UpstreamFailure;
    }
  | { readonly type: 'socket.closed'; readonly backend: string; readonly socket: number }
  /** The head of an answer that does not end in the same turn; one that does has no such fact, only its end. */
  | {
      readonly type: 'response.started';
      readonly request: number;
      readonly lease: number;
      readonly status: number;
      /** Set where nothing has gone to the client yet: it waits for `response.passed` or `response.discarded`. */
      readonly held?: true;
      /** How long the backend asks to be left alone, by `Retry-After` of a 429 or 503. */
      readonly retryAfterMs?: number;
    }
  | {
      readonly type: 'response.ended';
      readonly request: number;
      readonly lease: number;
      readonly status: number;
      readonly bytes: number;
      readonly chunks: number;
      /** Whether the socket is still open and may serve another request. */
      readonly reusable: boolean;
      /** As in `response.started`, where there was none. */
      readonly retryAfterMs?: number;
    }
  | {
      readonly type: 'response.failed';
      readonly request: number;
      readonly lease: number;
      readonly reason: UpstreamFailure;
      readonly fault?: AnswerFault;
      /** Whether any byte of the request may have been written to the socket. */
      readonly written: boolean;
      readonly bytes: number;
      readonly chunks: number;
    }
  | {
      readonly type: 'client.aborted';
      readonly request: number;
      /** Set where the client did not leave, but was cut off by the gateway. */
      readonly because?: ClientCut;
    }
  | { readonly type: 'timer.fired'; readonly timer: 'sweep' }
  | { readonly type: 'timer.fired'; readonly timer: 'queue'; readonly request: number }
  | { readonly type: 'timer.fired'; readonly timer: 'ejection'; readonly backend: string }
  | { readonly type: 'operator.drained'; readonly backend: string }
  | { readonly type: 'operator.restored'; readonly backend: string };

export type BackendStatus = 'healthy' | 'unhealthy' | 'ejected' | 'draining' | 'drained' | 'removed';

/** Why the gateway itself answers a request; the error `code` that the client reads. */
export type RejectionCode =
  | 'no_backend_configured'
  | 'no_healthy_backend'
  | 'queue_full'
  | 'queue_timeout'
  | 'backend_unreachable'
  | 'backend_failed'
  | 'backend_timeout'
  | 'gateway_stopping';

/** Why an answer of a status in `retry.on` is not thrown away and the request sent again. */
export type RetryRefusal =
  | 'notConfigured'
  | 'notReplayable'
  | 'attemptsUsedUp'
  | 'noOtherBackend'
  | 'budgetExhausted';

export type EvictionReason =
  | 'idle'
  | 'expired'
  | 'draining'
  | 'unhealthy'
  | 'ejected'
  | 'unusable'
  | 'aborted'
  | 'moved'
  | 'resized'
  | 'replaced';

export type Decision =
  | {
      readonly type: 'backend.changed';
      readonly backend: string;
      readonly from: BackendStatus;
      readonly to: BackendStatus;
      readonly reason: string;
      /** When an ejection ends, in milliseconds since the epoch; only where `to` is `ejected`. */
      readonly deadline?: number;
    }
  | { readonly type: 'backend.selected'; readonly request: number; readonly backend: string }
  | {
      readonly type: 'socket.requested';
      readonly request: number;
      readonly lease: number;
      readonly backend: string;
      readonly socket: number;
    }
  | {
      readonly type: 'lease.granted';
      readonly request: number;
      readonly lease: number;
      readonly backend: string;
      readonly socket: number;
      readonly reused: boolean;
    }
  | {
      readonly type: 'lease.released';
      readonly request: number;
      readonly lease: number;
      readonly backend: string;
      readonly outcome: LeaseOutcome;
    }
  | {
      readonly type: 'socket.evicted';
      readonly backend: string;
      readonly socket: number;
      readonly reason: EvictionReason;
    }
  | {
      readonly type: 'request.queued';
      readonly request: number;
      /** Requests waiting, this one included. */
      readonly length: number;
      /** When the wait ends in a rejection, in milliseconds since the epoch. */
      readonly deadline: number;
    }
  | {
      readonly type: 'request.rejected';
      readonly request: number;
      readonly code: RejectionCode;
      readonly backend?: string;
      readonly reason?: UpstreamFailure;
      /** Set where it would have been sent again, had the retry budget not been used up. */
      readonly withheld?: 'retryBudget';
    }
  /** A held answer goes to the client as it is. */
  | {
      readonly type: 'response.passed';
      readonly request: number;
      readonly lease: number;
      /** Why the request is not sent to another backend. */
      readonly because: RetryRefusal;
    }
  /** A held answer is thrown away, and the request sent again. */
  | {
      readonly type: 'response.discarded';
      readonly request: number;
      readonly lease: number;
      readonly backend: string;
      readonly status: number;
    }
  /** A backend is passed over while there are others, since it asked for that. */
  | { readonly type: 'backend.paused'; readonly backend: string; readonly until: number }
  | {
      readonly type: 'request.retried';
      readonly request: number;
      readonly from: string;
      readonly reason: UpstreamFailure | `status ${number}`;
      /** How many of `retry.attempts` are used up; a stale socket uses up none. */
      readonly attempt: number;
    }
  | {
      readonly type: 'config.applied';
      readonly added: readonly string[];
      readonly removed: readonly string[];
      readonly changed: readonly string[];
    }
  | { readonly type: 'gateway.stopped' };

/**
 * `discarded`: what came back was thrown away; `unopened`: the connection failed or was given up before the lease could
 * be granted.
 */
export type LeaseOutcome = 'ended' | 'failed' | 'aborted' | 'discarded' | 'unopened';

/** One line of the event log: a fact, when it was taken in, and the decisions it led to. */
export type Entry = {
  readonly v: 1;
  /** Counts up by one for each fact. */
  readonly seq: number;
  /** Milliseconds since the epoch; never less than in the entry before. */
  readonly at: number;
  readonly fact: Fact;
  readonly decisions: readonly Decision[];
};
