/**
 * One request on its way: from the client's end, by the core's leave, to the backend's end and back. It moves
 * the bytes; where they go is decided by the core, which hears of their beginning and end only.
 */

import type { UpstreamFailure } from '../actors/events.ts';
import type {
  Downstream,
  Exchange,
  Flow,
  Grant,
  RawHeaders,
  Rejection,
  Upstream,
  UpstreamReceiver,
  UpstreamRequest,
} from '../streams/ports.ts';
import type { RequestDesk } from '../streams/requests.ts';
import type { Body } from './body.ts';
import type { DownstreamEvents } from './downstream.ts';
import { brokenOff, errorBody, errorForRejection, type GatewayError } from './errors.ts';
import { requestHeaders, responseHeaders, responseTrailers, valuesOf } from './headers.ts';

export type ExchangeOptions = {
  readonly desk: RequestDesk;
  readonly upstream: Upstream;
  readonly downstream: Downstream;
  readonly requestId: string;
  readonly probeIntervalMs: () => number;
};

export type RunningExchange = DownstreamEvents & {
  /** The body has come, or enough of it: hands the request to the core. */
  begin(body: Body): void;
  /** Answers with an error of the gateway's own and gives up whatever is under way. */
  refuse(error: GatewayError): void;
};

export function createExchange(options: ExchangeOptions): RunningExchange {
  const { desk, upstream, downstream, requestId } = options;
  let request = 0;
  let done = false;
  let answering = false;
  let outgoing: UpstreamRequest | undefined;
  let flow: Flow | undefined;

  const answerWith = (error: GatewayError) => {
    const headers = ['X-Request-ID', requestId];
    if (error.retryAfterS !== undefined) headers.push('Retry-After', String(error.retryAfterS));
    if (error.closes === true) headers.push('Connection', 'close');
    downstream.answer(error.status, headers, errorBody(error));
  };

  const conclude = () => {
    done = true;
    desk.close(request);
  };

  const receiverFor = ({ lease, backend }: Grant): UpstreamReceiver => {
    let isEventStream = false;
    let bytes = 0;
    let chunks = 0;
    return {
      started(status, reason, headers, control) {
        if (done) return;
        downstream.start(status, reason, responseHeaders(headers, requestId, backend));
        flow = control;
        answering = true;
        isEventStream = canTakeErrorEvent(headers);
        desk.started(request, lease, status);
      },
      data(chunk) {
        if (done) return;
        bytes += chunk.byteLength;
        chunks += 1;
        if (!downstream.write(chunk)) flow?.pause();
      },
      ended(trailers, reusable) {
        if (done) return;
        downstream.end(responseTrailers(trailers));
        conclude();
        desk.ended(request, lease, { bytes, chunks, reusable });
      },
      failed(reason, written) {
        if (done) return;
        if (answering) {
          conclude();
          breakOff(backend, reason, isEventStream);
        }
        desk.failed(request, lease, { reason, written, bytes, chunks });
      },
    };
  };

  const breakOff = (backend: string, reason: UpstreamFailure, isEventStream: boolean) => {
    if (!isEventStream) {
      downstream.cut();
      return;
    }
    // The blank line ends whatever event was under way, so that this one stands alone.
    downstream.write(Buffer.from(`\n\ndata: ${errorBody(brokenOff(backend, reason))}\n\n`));
    downstream.end([]);
  };

  const exchange: Exchange = {
    granted(grant) {
      request = grant.request;
      if (outgoing !== undefined) upstream.send(grant.socket, outgoing, receiverFor(grant));
    },
    rejected(rejection: Rejection) {
      if (done) return;
      request = rejection.request;
      conclude();
      answerWith(errorForRejection(rejection, options.probeIntervalMs()));
    },
  };

  return {
    begin(body) {
      if (done) return;
      const { remoteAddress, protocol } = downstream;
      outgoing = {
        method: downstream.method,
        target: downstream.target,
        headers: requestHeaders(downstream.headers, { remoteAddress, protocol, requestId }),
        body: body.kind === 'none' ? null : body.kind === 'whole' ? body.bytes : body.stream,
      };
      request = desk.receive(
        {
          requestId,
          method: downstream.method,
          path: pathOf(downstream.target),
          bodyBytes: body.kind === 'whole' ? body.bytes.length : body.kind === 'none' ? 0 : -1,
          replayable: body.kind !== 'stream',
        },
        exchange,
      );
    },
    refuse(error) {
      if (done) return;
      done = true;
      desk.aborted(request);
      // A backend may answer before it has all of the body; then the status line is gone already.
      if (answering) downstream.cut();
      else answerWith(error);
    },
    drained() {
      flow?.resume();
    },
    gone() {
      if (done) return;
      done = true;
      desk.aborted(request);
    },
  };
}

/** The path of a target without its query, which may hold keys and so is not recorded. */
function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
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
