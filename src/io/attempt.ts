/**
 * One attempt of a request at one backend: what comes back over the leased socket goes on to the client, and its
 * beginning and end are told to the core. After a failed attempt there may be another, as long as nothing has gone
 * out to the client.
 */
import type { Duplex } from 'node:stream';
import type { UpstreamFailure } from '../actors/events.ts';
import type { Downstream, Flow, Grant, RawHeaders, UpstreamReceiver } from '../streams/ports.ts';
import type { AnswerHead, RequestDesk } from '../streams/requests.ts';
import { brokenOff, errorBody } from './errors.ts';
import { interimHeaders, responseHeaders, responseTrailers, valuesOf } from './headers.ts';
import { type HeldAnswer, holdingBack } from './held-answer.ts';
import { retryAfterMs } from './retry-after.ts';
import type { Tunnels } from './tunnel.ts';
import { hasWebSocket } from './upgrade.ts';

/** How far a request has come; its attempts and its exchange share it. */
export type Progress = {
  /** The number the core knows it by; 0 before the core does. */
  request: number;
  /** Whether all has been said to the client, or nothing more can be. */
  done: boolean;
  /** Whether the head of an answer has gone out. */
  answering: boolean;
  /** Holds the backend back while the client is slow. */
  flow: Flow | undefined;
  /** An answer of which the client gets nothing before the core has said so. */
  held: HeldAnswer | undefined;
};

export type AttemptOptions = {
  readonly desk: RequestDesk;
  readonly downstream: Downstream;
  readonly requestId: string;
  /** Whether the request can be sent a second time. */
  readonly isReplayable: boolean;
  readonly retryOn: () => readonly string[];
  readonly tunnels: Tunnels;
};

export function conclude(progress: Progress, desk: RequestDesk): void {
  progress.done = true;
  desk.close(progress.request);
}

/** What receives the answer of the backend that this grant is for. */
export function createAttempt(options: AttemptOptions, progress: Progress, grant: Grant): UpstreamReceiver {
  const { desk, isReplayable, retryOn } = options;
  const forwarder = createForwarder(options, progress, grant);
  if (!isReplayable) return forwarder;
  return holdingBack(forwarder, {
    lease: grant.lease,
    isHeld: (status) => !progress.done && retryOn().includes(String(status)),
    hold(held, status, _reason, headers) {
      progress.held = held;
      desk.started(grant.request, grant.lease, { ...headOf(status, headers), held: true });
    },
  });
}

function createForwarder(options: AttemptOptions, progress: Progress, grant: Grant): UpstreamReceiver {
  const { desk, downstream, requestId } = options;
  const { request, lease, backend } = grant;
  let isEventStream = false;
  let head: AnswerHead = { status: 0 };
  let isTold = false;
  let bytes = 0;
  let chunks = 0;
  const tellStart = () => {
    if (isTold || progress.done) return;
    isTold = true;
    desk.started(request, lease, head);
  };
  return {
    switched(headers, connection) {
      if (progress.done) return;
      progress.answering = true;
      joinTunnel(options, progress, grant, headers, connection);
    },
    informed(code, headers) {
      if (!progress.done) downstream.inform(code, interimHeaders(headers));
    },
    started(code, reason, headers, flow) {
      if (progress.done) return;
      downstream.start(code, reason, responseHeaders(headers, requestId, backend));
      head = headOf(code, headers);
      progress.flow = flow;
      progress.answering = true;
      isEventStream = canTakeErrorEvent(headers);
      isTold = progress.held?.lease === lease;
      // An answer that is all there already is told by its end alone, which comes one microtask from here.
      if (!isTold) queueMicrotask(() => queueMicrotask(tellStart));
    },
    data(chunk) {
      if (progress.done) return;
      bytes += chunk.byteLength;
      chunks += 1;
      if (!downstream.write(chunk)) progress.flow?.pause();
    },
    ended(trailers, reusable) {
      if (progress.done) return;
      downstream.end(responseTrailers(trailers));
      conclude(progress, desk);
      const { status } = head;
      desk.ended(request, lease, { ...(isTold ? { status } : head), bytes, chunks, reusable });
    },
    failed(reason, written) {
      if (progress.done) return;
      if (progress.answering) {
        // Before the failure, since nothing is sent again once an answer has begun.
        tellStart();
        conclude(progress, desk);
        breakOff(downstream, backend, reason, isEventStream);
      }
      desk.failed(request, lease, { reason, written, bytes, chunks });
    },
  };
}

/** What the core learns of the head of an answer. */
function headOf(status: number, headers: RawHeaders): AnswerHead {
  const asked = retryAfterMs(status, headers, Date.now);
  return asked === undefined ? { status } : { status, retryAfterMs: asked };
}

const SWITCHED = 101;

/** Makes one connection of the client's and the backend's. */
function joinTunnel(
  { desk, downstream, requestId, tunnels }: AttemptOptions,
  progress: Progress,
  { request, lease, backend }: Grant,
  headers: RawHeaders,
  upstream: Duplex,
): void {
  const { upgrade } = downstream;
  if (upgrade === undefined || !hasWebSocket(headers)) {
    desk.failed(request, lease, { reason: 'badResponse', written: true, bytes: 0, chunks: 0 });
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
        conclude(progress, desk);
        desk.ended(request, lease, { status: SWITCHED, ...totals, reusable: false });
      },
      broken(reason, totals) {
        if (progress.done) return;
        conclude(progress, desk);
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
  const type = valuesOf(headers, 'content-type')[0] ?? '';
  return (
    /^text\/event-stream\b/i.test(type) &&
    valuesOf(headers, 'content-encoding').length === 0 &&
    valuesOf(headers, 'content-length').length === 0
  );
}
