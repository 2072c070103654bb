/**
 * What the streams need of the outside world, as interfaces that `io` implements. Either end of the data path
 * (`Downstream`, `Upstream`) can be replaced here without touching the core or the streams.
 */
import type { Duplex, Readable } from 'node:stream';
import type { ObservableInput } from 'rxjs';
import type {
  AnswerFault,
  BackendSettings,
  CoreConfig,
  ProbeFailure,
  RejectionCode,
  UpstreamFailure,
} from '../actors/events.ts';

export type Clock = {
  /** Milliseconds since the epoch, whole, never less than before. */
  now(): number;
};

/** Permission to send one request over one socket. */
export type Grant = {
  readonly request: number;
  readonly lease: number;
  readonly backend: string;
  readonly socket: number;
  readonly reused: boolean;
};

export type Rejection = {
  readonly request: number;
  readonly code: RejectionCode;
  /** The backend that failed last, and how, if one was asked. */
  readonly backend?: string;
  readonly reason?: UpstreamFailure;
};

/** One request on its way, as the streams see it: it is told where it may go, or that it may not. */
export type Exchange = {
  granted(grant: Grant): void;
  rejected(rejection: Rejection): void;
  /** The answer that is held back over this lease goes to the client. */
  passed(lease: number): void;
  /** The answer that is held back over this lease is thrown away; a further grant follows. */
  discarded(lease: number): void;
};

/** Opens and closes sockets to backends under the numbers the core gave them; reports back in facts. */
export type SocketPort = {
  open(socket: number, backend: BackendSettings): void;
  /** Closes a socket, whatever it is doing; one that is gone already is no error. */
  evict(socket: number): void;
};

export type ProbeResult =
  | { readonly ok: true; readonly status: number; readonly latencyMs: number }
  | { readonly ok: false; readonly reason: ProbeFailure; readonly latencyMs: number };

export type ProbePort = {
  /**
   * Asks a backend for its health once, over its own connection, until `signal` says stop; never fails.
   *
   * @returns one result, as a promise or a stream
   */
  probe(backend: BackendSettings, signal: AbortSignal): ObservableInput<ProbeResult>;
};

/** Settings of the streams themselves, read anew at each tick so that a reload counts at once. */
export type StreamSettings = {
  readonly probeIntervalMs: number;
  readonly sweepIntervalMs: number;
};

export type ReloadOutcome =
  | {
      readonly ok: true;
      readonly config: CoreConfig;
      /** Keys whose value differs from before. */
      readonly changed: readonly string[];
      /** Keys that differ from what they were at the start and count only after a restart. */
      readonly needRestart: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** One thing that is wrong with a config, as an operator reads it. */
export type ConfigProblem = {
  readonly key: string;
  readonly value: string;
  readonly origin: string;
  readonly expected: string;
};

/** A flat list of header names and values in turn: order, case and repeats as they came. */
export type RawHeaders = readonly string[];

/** The end towards the client: one request that came in, and the way to answer it. */
export type Downstream = {
  readonly method: string;
  /** Path and query in origin form. */
  readonly target: string;
  readonly headers: RawHeaders;
  readonly remoteAddress: string;
  readonly protocol: 'http' | 'https';
  /** Passes on an answer before the final one (1xx); only before `start`. */
  inform(status: number, headers: RawHeaders): void;
  start(status: number, reason: string, headers: RawHeaders): void;
  /**
   * @param chunk borrowed: it may be overwritten once this has returned
   * @returns false when the client is slow: pause the backend's answer until the client can take more
   */
  write(chunk: Uint8Array): boolean;
  /** Ends the answer as complete. */
  end(trailers: RawHeaders): void;
  /** Ends the answer so that the client sees it is not complete. */
  cut(): void;
  /** Answers in the gateway's own name, with JSON unless the headers say what else; only before `start`. */
  answer(status: number, headers: RawHeaders, body: string): void;
  /** Set where the client asks for another protocol that may be passed on. */
  readonly upgrade:
    | {
        readonly protocol: string;
        /** Answers 101, and hands over the connection. */
        accept(headers: RawHeaders): Duplex;
      }
    | undefined;
};

/** What is sent to a backend. A `Uint8Array` can be sent again; a stream cannot. */
export type UpstreamRequest = {
  readonly method: string;
  readonly target: string;
  readonly headers: string[];
  readonly body: Uint8Array | Readable | null;
  /** The other protocol that is asked for. */
  readonly upgrade: string | undefined;
};

/**
 * What comes back from a backend: `started` once, `data` for each piece, then `ended` or `failed` once; or `switched`
 * alone, where another protocol was asked for.
 */
export type UpstreamReceiver = {
  /** The backend agrees to the other protocol; the connection is the receiver's from here on. */
  switched(headers: RawHeaders, connection: Duplex): void;
  /** An answer before the final one (1xx, neither 100 nor 101); may come several times before `started`. */
  informed(status: number, headers: RawHeaders): void;
  started(status: number, reason: string, headers: RawHeaders, flow: Flow): void;
  /** @param chunk borrowed: it may be overwritten once this has returned */
  data(chunk: Uint8Array): void;
  /** @param reusable whether the socket is still open and may serve another request */
  ended(trailers: RawHeaders, reusable: boolean): void;
  /**
   * @param written whether any byte of the request may have reached the backend
   * @param fault what was wrong with the answer, where that is known
   */
  failed(reason: UpstreamFailure, written: boolean, fault?: AnswerFault): void;
};

/** Back-pressure on the answer of a backend. */
export type Flow = { pause(): void; resume(): void };

export type Upstream = {
  send(socket: number, request: UpstreamRequest, receiver: UpstreamReceiver): void;
};
