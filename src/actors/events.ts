/**
 * Every fact that can reach the core and every decision the core can take, declared once. The event log,
 * the actors, the inspector and replay all use these types, so a new kind of event starts here.
 *
 * Facts are in the past tense and come from outside; decisions are what the core wants done about them.
 * Both are plain JSON: ids, sizes, times and status codes, never a body, a header or a credential.
 */

/** A backend as the core needs to know it. `id` is unique within a config. */
export type BackendSettings = {
  readonly id: string;
  readonly protocol: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** A whole number, 1 to 1000. */
  readonly weight: number;
};

/** What a request that lost its backend before the first response byte may additionally be retried for. */
export type RetryCondition = 'emptyResponse';

/** The part of the configuration that decisions depend on; it travels in facts so that replay has it. */
export type CoreConfig = {
  readonly backends: readonly BackendSettings[];
  readonly health: {
    readonly fall: number;
    readonly rise: number;
    readonly initial: 'healthy' | 'unhealthy';
  };
  readonly pool: {
    /** Sockets a backend may have, idle and leased together. */
    readonly size: number;
    readonly idleTimeoutMs: number;
    readonly queue: { readonly max: number; readonly timeoutMs: number };
  };
  readonly retry: {
    /** How many further attempts a request may have after its first. */
    readonly attempts: number;
    readonly on: readonly RetryCondition[];
  };
};

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
  | 'other';

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
    }
  | {
      readonly type: 'response.failed';
      readonly request: number;
      readonly lease: number;
      readonly reason: UpstreamFailure;
      /** Whether any byte of the request may have been written to the socket. */
      readonly written: boolean;
      readonly bytes: number;
      readonly chunks: number;
    }
  | { readonly type: 'client.aborted'; readonly request: number }
  | { readonly type: 'timer.fired'; readonly timer: 'sweep' }
  | { readonly type: 'timer.fired'; readonly timer: 'queue'; readonly request: number }
  | { readonly type: 'operator.drained'; readonly backend: string }
  | { readonly type: 'operator.restored'; readonly backend: string };

export type BackendStatus = 'healthy' | 'unhealthy' | 'draining' | 'drained' | 'removed';

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

export type EvictionReason =
  | 'idle'
  | 'draining'
  | 'unhealthy'
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
    }
  | {
      readonly type: 'request.retried';
      readonly request: number;
      readonly from: string;
      readonly reason: UpstreamFailure;
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

/** `unopened`: the connection failed or was given up before the lease could be granted. */
export type LeaseOutcome = 'ended' | 'failed' | 'aborted' | 'unopened';

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
