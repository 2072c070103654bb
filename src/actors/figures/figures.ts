/**
 * The figures that the entries of one run add up to: plain counters and histograms, by backend where that makes sense.
 * Every label they will carry is a backend or one of a fixed list of words, so their number is bounded: a backend that is
 * removed takes its figures along, and nothing a client may choose is among them.
 */
import type { BackendStatus, EvictionReason, Fact, RejectionCode, UpstreamFailure } from '../events.ts';
import { createHistogram, type Histogram } from './histogram.ts';

/** How a request ended: with an answer of this class of status, by its client's leaving, or broken off by its backend. */
export type Outcome = '1xx' | '2xx' | '3xx' | '4xx' | '5xx' | 'other' | 'aborted' | 'broken';

/** `stale`: a kept socket that its backend had closed already, which says nothing against the backend. */
export type FailureReason = UpstreamFailure | 'stale' | 'status';

/** Where a request is: in line, opening its socket, sent with no byte come back yet, or being answered. */
export type FlightPhase = 'waiting' | 'connecting' | 'sent' | 'answering';

type Counts<Key extends string> = Record<Key, number>;

export type BackendFigures = {
  /** Requests that ended here. */
  readonly outcomes: Counts<Outcome>;
  /** From the arrival to the end, of requests that were answered whole. */
  readonly duration: Histogram;
  /** From the arrival to the head of the answer; waiting and earlier attempts included. */
  readonly firstByte: Histogram;
  /** From the sending to this backend to the head of its answer. */
  readonly ownFirstByte: Histogram;
  /** Mean time between two pieces, one observation for each answer. */
  readonly chunkInterval: Histogram;
  bytes: number;
  chunks: number;
  /** Times it was picked, retries included. */
  picks: number;
  readonly failures: Counts<FailureReason>;
  readonly evictions: Counts<EvictionReason>;
  /** By the state that was reached. */
  readonly changes: Counts<BackendStatus>;
  probesSucceeded: number;
  probesFailed: number;
  readonly probe: Histogram;
};

/** A request under way. Times are in milliseconds since the epoch, -1 where they are not known. */
export type Flight = {
  phase: FlightPhase;
  /** Where it was sent last; undefined before that, and when the backend is not known. */
  backend: BackendFigures | undefined;
  /** Its lease; 0 before the first. */
  lease: number;
  readonly receivedAt: number;
  queuedAt: number;
  sentAt: number;
  /** When the head of the answer came. */
  answeredAt: number;
  /** Whether it was sent over a kept socket. */
  reused: boolean;
};

export type Figures = {
  /** Of the gateway that made the entries; undefined where its start is not among them. */
  version: string | undefined;
  startedAt: number | undefined;
  readonly facts: Counts<Fact['type']>;
  readonly backends: Map<string, BackendFigures>;
  /** Requests that ended without a backend: rejected, or given up while they waited. */
  readonly outcomes: Counts<Outcome>;
  readonly rejections: Counts<RejectionCode>;
  /** By why the backend before had failed. */
  readonly retries: Counts<FailureReason>;
  /** Times that a request would have been tried again, had the retry budget not been used up. */
  withheldRetries: number;
  /** Clients that left, by where their requests were. */
  readonly aborts: Counts<FlightPhase>;
  /** Each stay in the line, however it ended. */
  readonly queueWait: Histogram;
  queueMax: number;
  reloadsApplied: number;
  reloadsRefused: number;
  isLastReloadRefused: boolean;
  readonly flights: Map<number, Flight>;
};

const OUTCOMES = { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0, other: 0, aborted: 0, broken: 0 };

const FAILURES: Counts<FailureReason> = {
  refused: 0,
  reset: 0,
  closed: 0,
  connectTimeout: 0,
  headersTimeout: 0,
  idleTimeout: 0,
  badResponse: 0,
  tls: 0,
  certExpired: 0,
  certWrongName: 0,
  certUntrusted: 0,
  unresolved: 0,
  exhausted: 0,
  other: 0,
  stale: 0,
  status: 0,
};

const EVICTIONS: Counts<EvictionReason> = {
  idle: 0,
  expired: 0,
  draining: 0,
  unhealthy: 0,
  ejected: 0,
  unusable: 0,
  aborted: 0,
  moved: 0,
  resized: 0,
  replaced: 0,
};

const STATES: Counts<BackendStatus> = {
  healthy: 0,
  unhealthy: 0,
  ejected: 0,
  draining: 0,
  drained: 0,
  removed: 0,
};

const REJECTIONS: Counts<RejectionCode> = {
  no_backend_configured: 0,
  no_healthy_backend: 0,
  queue_full: 0,
  queue_timeout: 0,
  backend_unreachable: 0,
  backend_failed: 0,
  backend_timeout: 0,
  gateway_stopping: 0,
};

const FACTS: Counts<Fact['type']> = {
  'gateway.started': 0,
  'gateway.stopping': 0,
  'listener.closed': 0,
  'config.reloaded': 0,
  'config.rejected': 0,
  'probe.succeeded': 0,
  'probe.failed': 0,
  'request.received': 0,
  'socket.opened': 0,
  'socket.failed': 0,
  'socket.closed': 0,
  'response.started': 0,
  'response.ended': 0,
  'response.failed': 0,
  'client.aborted': 0,
  'timer.fired': 0,
  'operator.drained': 0,
  'operator.restored': 0,
};

/** An answer takes from milliseconds (a list of models) to minutes (a long generation). */
const DURATION_MS = [10, 25, 50, 100, 250, 500, 1e3, 2.5e3, 5e3, 10e3, 30e3, 60e3, 120e3, 300e3, 600e3];
const FIRST_BYTE_MS = [5, 10, 25, 50, 100, 250, 500, 1e3, 2.5e3, 5e3, 10e3, 30e3, 60e3, 120e3];
/** About one to a thousand tokens a second. */
const CHUNK_INTERVAL_MS = [1, 2, 5, 10, 15, 20, 30, 40, 50, 75, 100, 200, 500, 1e3, 5e3];
const PROBE_MS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1e3, 2.5e3, 5e3];
const WAIT_MS = [1, 5, 10, 25, 50, 100, 250, 500, 1e3, 2.5e3, 5e3, 10e3, 30e3, 60e3];

export function createFigures(): Figures {
  return {
    version: undefined,
    startedAt: undefined,
    facts: { ...FACTS },
    backends: new Map(),
    outcomes: { ...OUTCOMES },
    rejections: { ...REJECTIONS },
    retries: { ...FAILURES },
    withheldRetries: 0,
    aborts: { waiting: 0, connecting: 0, sent: 0, answering: 0 },
    queueWait: createHistogram(WAIT_MS),
    queueMax: 0,
    reloadsApplied: 0,
    reloadsRefused: 0,
    isLastReloadRefused: false,
    flights: new Map(),
  };
}

export function createBackendFigures(): BackendFigures {
  return {
    outcomes: { ...OUTCOMES },
    duration: createHistogram(DURATION_MS),
    firstByte: createHistogram(FIRST_BYTE_MS),
    ownFirstByte: createHistogram(FIRST_BYTE_MS),
    chunkInterval: createHistogram(CHUNK_INTERVAL_MS),
    bytes: 0,
    chunks: 0,
    picks: 0,
    failures: { ...FAILURES },
    evictions: { ...EVICTIONS },
    changes: { ...STATES },
    probesSucceeded: 0,
    probesFailed: 0,
    probe: createHistogram(PROBE_MS),
  };
}

export function createFlight(receivedAt: number): Flight {
  return {
    phase: 'waiting',
    backend: undefined,
    lease: 0,
    receivedAt,
    queuedAt: -1,
    sentAt: -1,
    answeredAt: -1,
    reused: false,
  };
}
