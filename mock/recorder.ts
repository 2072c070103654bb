/**
 * What a mock saw: the last requests, bounded, and counters; with ways to await the next event, so that no test
 * needs to sleep.
 */
import type { IncomingMessage } from 'node:http';

/** How a request ended: answered in full, left by the peer, or broken by the mock itself. */
export type Outcome = 'completed' | 'aborted' | 'broken';

export type RecordedRequest = {
  /** 1 for the first request, health and control calls not counted. */
  readonly number: number;
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  /** Wall clock at which the headers had arrived, Unix milliseconds. */
  readonly at: number;
  /** Whether the socket had carried a request before. */
  readonly onReusedSocket: boolean;
  /** Whether headers and body have arrived. */
  readonly received: boolean;
  readonly bodyBytes: number;
  /** The first `keepBodyBytes` of the body. */
  readonly body: Buffer;
  readonly bodyText: string;
  readonly outcome: Outcome | null;
};

export type Counters = {
  readonly total: number;
  readonly inFlight: number;
  readonly completed: number;
  readonly aborted: number;
  readonly broken: number;
  /** Calls of `GET /health`; they are in no other counter. */
  readonly probes: number;
};

export type RecorderOptions = { readonly keepRequests: number; readonly keepBodyBytes: number };

export type Recorder = {
  readonly requests: readonly RecordedRequest[];
  readonly counters: Counters;
  begin(request: IncomingMessage, onReusedSocket: boolean): RecordedRequest;
  bodyArrived(record: RecordedRequest, body: Buffer, bodyBytes: number): void;
  ended(record: RecordedRequest, outcome: Outcome): void;
  probed(): void;
  /** Tells those who wait that something else has changed (a socket opened or closed). */
  changed(): void;
  /** Resolves when `condition` holds; rejects after `timeoutMs`, naming `what` was awaited and what had happened. */
  until(condition: () => boolean, timeoutMs?: number, what?: string): Promise<void>;
  /** The record with this number, when it is still kept. */
  find(number: number): RecordedRequest | undefined;
};

const WAIT_TIMEOUT_MS = 5000;
const EMPTY = Buffer.alloc(0);

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export function createRecorder(options: RecorderOptions): Recorder {
  const requests: Writable<RecordedRequest>[] = [];
  const counters: Writable<Counters> = {
    total: 0,
    inFlight: 0,
    completed: 0,
    aborted: 0,
    broken: 0,
    probes: 0,
  };
  const waiters = new Set<() => void>();

  function changed(): void {
    for (const check of waiters) check();
  }

  return {
    requests,
    counters,
    changed,
    begin(request, onReusedSocket) {
      counters.total++;
      counters.inFlight++;
      const record = openRecord(counters.total, request, onReusedSocket);
      requests.push(record);
      if (requests.length > options.keepRequests) requests.shift();
      changed();
      return record;
    },
    bodyArrived(record: Writable<RecordedRequest>, body, bodyBytes) {
      record.bodyBytes = bodyBytes;
      // A copy, since a subarray would keep the whole body alive.
      record.body =
        body.length > options.keepBodyBytes ? Buffer.from(body.subarray(0, options.keepBodyBytes)) : body;
      record.received = true;
      changed();
    },
    ended(record: Writable<RecordedRequest>, outcome) {
      if (record.outcome !== null) return;
      record.outcome = outcome;
      counters.inFlight--;
      counters[outcome]++;
      changed();
    },
    probed() {
      counters.probes++;
      changed();
    },
    until: (condition, timeoutMs = WAIT_TIMEOUT_MS, what = String(condition)) => {
      const explain = () => `waited ${timeoutMs} ms in vain for ${what}; so far ${JSON.stringify(counters)}`;
      return untilTrue(waiters, condition, timeoutMs, explain);
    },
    // Numbers rise by one, so the place follows from the first kept.
    find: (number) => requests[number - (requests[0]?.number ?? 0)],
  };
}

function openRecord(
  number: number,
  request: IncomingMessage,
  onReusedSocket: boolean,
): Writable<RecordedRequest> {
  return {
    number,
    method: request.method ?? '',
    url: request.url ?? '',
    rawHeaders: request.rawHeaders,
    at: Date.now(),
    onReusedSocket,
    received: false,
    bodyBytes: 0,
    body: EMPTY,
    get bodyText() {
      return this.body.toString('utf8');
    },
    outcome: null,
  };
}

function untilTrue(
  waiters: Set<() => void>,
  condition: () => boolean,
  timeoutMs: number,
  explain: () => string,
): Promise<void> {
  if (condition()) return Promise.resolve();
  return new Promise((resolve, reject) => {
    // Made here, so that the stack names the test that waited.
    const late = new Error();
    const timer = setTimeout(() => {
      waiters.delete(check);
      late.message = explain();
      reject(late);
    }, timeoutMs);
    function check(): void {
      if (!condition()) return;
      waiters.delete(check);
      clearTimeout(timer);
      resolve();
    }
    waiters.add(check);
  });
}
