/**
 * One attempt of a request at one backend: what comes back over the leased socket goes on to the client, and its
 * beginning and end are told to the core. After a failed attempt there may be another, as long as nothing has gone
 * out to the client.
 */
import type { Duplex } from 'node:stream';
import type { AnswerFault, UpstreamFailure } from '../actors/events.ts';
import type { Downstream, Flow, Grant, RawHeaders, UpstreamReceiver } from '../streams/ports.ts';
import type { AnswerHead, RequestDesk } from '../streams/requests.ts';
import { brokenOff, errorBody } from './errors.ts';
import { firstValueOf, interimHeaders, responseHeaders, responseTrailers } from './headers.ts';
import { type HeldAnswer, holdAnswer } from './held-answer.ts';
import { retryAfterMs } from './retry-after.ts';
import type { Tunnels } from './tunnel.ts';
import { hasWebSocket } from './upgrade.ts';

/** What all requests share. */
export type Surroundings = {
  readonly desk: RequestDesk;
  /** Statuses, among other words, of answers that the core may have thrown away. */
  readonly retryOn: () => readonly string[];
  readonly tunnels: Tunnels;
};

/** A request and how far it has come; its attempts and its exchange share it. */
export type Progress = {
  readonly surroundings: Surroundings;
  readonly downstream: Downstream;
  readonly requestId: string;
  /** Whether the request can be sent a second time. */
  readonly isReplayable: boolean;
  /** The number the core knows it by; 0 before the core does. */
  readonly request: number;
  /** Whether all has been said to the client, or nothing more can be. */
  done: boolean;
  /** Whether the head of an answer has gone out. */
  answering: boolean;
  /** Holds the backend back while the client is slow. */
  flow: Flow | undefined;
  /** An answer of which the client gets nothing before the core has said so. */
  held: HeldAnswer | undefined;
  /** The request will not be sent again: frees the body that was kept for it. */
  forget(): void;
};

/** Nothing more is to be said to the client, and what it does is no news any more. */
export function conclude(progress: Progress): void {
  progress.done = true;
  progress.surroundings.desk.close(progress.request);
}

/**
 * Receives the answer of the backend that a grant is for. A class, since there is one for each request: its methods are
 * not made anew each time.
 */
export class Attempt implements UpstreamReceiver {
  private readonly progress: Progress;
  private readonly grant: Grant;
  private isEventStream = false;
  private status = 0;
  private retryAfterMs: number | undefined = undefined;
  /** Whether the core knows that the answer has begun. */
  private isTold = false;
  private bytes = 0;
  private chunks = 0;
  private held: HeldAnswer | undefined = undefined;

  constructor(progress: Progress, grant: Grant) {
    this.progress = progress;
    this.grant = grant;
  }

  switched(headers: RawHeaders, connection: Duplex): void {
    if (this.progress.done) return;
    this.progress.answering = true;
    joinTunnel(this.progress, this.grant, headers, connection);
  }

  informed(code: number, headers: RawHeaders): void {
    if (!this.progress.done) this.progress.downstream.inform(code, interimHeaders(headers));
  }

  started(status: number, reason: string, headers: RawHeaders, flow: Flow): void {
    const { progress } = this;
    if (progress.done) return;
    this.status = status;
    this.retryAfterMs = retryAfterMs(status, headers, Date.now);
    const { isReplayable, surroundings } = progress;
    // Most answers are successes, and those are never held.
    if (status >= LEAST_HELD && isReplayable && surroundings.retryOn().includes(String(status))) {
      this.hold(() => this.begin(reason, headers, flow));
      return;
    }
    this.begin(reason, headers, flow);
    // An answer that is all there already is told by its end alone, which comes within this turn; with undici, one microtask from here.
    queueMicrotask(() => queueMicrotask(() => this.tellStart()));
  }

  data(chunk: Uint8Array): void {
    if (this.held !== undefined) {
      const kept = Buffer.from(chunk);
      this.held.keep(() => this.data(kept));
      return;
    }
    const { progress } = this;
    if (progress.done) return;
    this.bytes += chunk.byteLength;
    this.chunks += 1;
    if (!progress.downstream.write(chunk)) progress.flow?.pause();
  }

  ended(trailers: RawHeaders, reusable: boolean): void {
    if (this.held !== undefined) {
      this.held.keep(() => this.ended(trailers, reusable));
      return;
    }
    const { progress, status, bytes, chunks } = this;
    if (progress.done) return;
    progress.downstream.end(responseTrailers(trailers));
    conclude(progress);
    const retryAfterMs = this.isTold ? undefined : this.retryAfterMs;
    const { request, lease } = this.grant;
    progress.surroundings.desk.ended(request, lease, { status, bytes, chunks, reusable, retryAfterMs });
  }

  failed(reason: UpstreamFailure, written: boolean, fault?: AnswerFault): void {
    if (this.held !== undefined) {
      this.held.keep(() => this.failed(reason, written, fault));
      return;
    }
    const { progress, bytes, chunks } = this;
    if (progress.done) return;
    const { request, lease, backend } = this.grant;
    if (progress.answering) {
      // Before the failure, since nothing is sent again once an answer has begun.
      this.tellStart();
      conclude(progress);
      breakOff(progress.downstream, backend, reason, this.isEventStream);
    }
    progress.surroundings.desk.failed(request, lease, { reason, fault, written, bytes, chunks });
  }

  /** Keeps the answer back until the core has decided about it. */
  private hold(begin: () => void): void {
    const { request, lease } = this.grant;
    this.held = holdAnswer(lease, () => {
      this.held = undefined;
      begin();
    });
    this.progress.held = this.held;
    this.isTold = true;
    this.progress.surroundings.desk.started(request, lease, { ...this.head(), held: true });
  }

  private begin(reason: string, headers: RawHeaders, flow: Flow): void {
    const { progress, status } = this;
    if (progress.done) return;
    const { downstream, requestId } = progress;
    downstream.start(status, reason, responseHeaders(headers, requestId, this.grant.backend));
    progress.flow = flow;
    progress.answering = true;
    progress.forget();
    this.isEventStream = canTakeErrorEvent(headers);
  }

  private tellStart(): void {
    if (this.isTold || this.progress.done) return;
    this.isTold = true;
    const { request, lease } = this.grant;
    this.progress.surroundings.desk.started(request, lease, this.head());
  }

  /** What the core learns of the head of the answer. */
  private head(): AnswerHead {
    const { status, retryAfterMs } = this;
    return retryAfterMs === undefined ? { status } : { status, retryAfterMs };
  }
}

/** The first status that stands for a failure. */
const LEAST_HELD = 400;

const SWITCHED = 101;

/** Makes one connection of the client's and the backend's. */
function joinTunnel(
  progress: Progress,
  { request, lease, backend }: Grant,
  headers: RawHeaders,
  upstream: Duplex,
): void {
  const { downstream, requestId, surroundings } = progress;
  const { desk, tunnels } = surroundings;
  const { upgrade } = downstream;
  if (upgrade === undefined || !hasWebSocket(headers)) {
    const failure = { reason: 'badResponse', fault: 'protocol', written: true } as const;
    desk.failed(request, lease, { ...failure, bytes: 0, chunks: 0 });
    return;
  }
  desk.started(request, lease, { status: SWITCHED });
  const client = upgrade.accept([
    ...responseHeaders(headers, requestId, backend),
    ...['Connection', 'Upgrade', 'Upgrade', upgrade.protocol],
  ]);
  tunnels.join(
    { backend, client, upstream },
    {
      ended(totals) {
        if (progress.done) return;
        conclude(progress);
        desk.ended(request, lease, { status: SWITCHED, ...totals, reusable: false });
      },
      broken(reason, totals) {
        if (progress.done) return;
        conclude(progress);
        desk.failed(request, lease, { reason, written: true, ...totals });
      },
    },
  );
}

/** Ends an answer that its backend broke off, so that the client cannot take it for complete. */
function breakOff(
  downstream: Downstream,
  backend: string,
  reason: UpstreamFailure,
  isEventStream: boolean,
): void {
  if (!isEventStream) {
    downstream.cut();
    return;
  }
  // The blank line ends whatever event was under way, so that this one stands alone.
  downstream.write(Buffer.from(`\n\ndata: ${errorBody(brokenOff(backend, reason))}\n\n`));
  downstream.end([]);
}

/** Whether an error event may be appended: an event stream, not compressed, not of a fixed length. */
function canTakeErrorEvent(headers: RawHeaders): boolean {
  return (
    firstValueOf(headers, 'content-length') === undefined &&
    firstValueOf(headers, 'content-encoding') === undefined &&
    /^text\/event-stream\b/i.test(firstValueOf(headers, 'content-type') ?? '')
  );
}
