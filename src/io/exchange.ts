/**
 * One request on its way: from the client's end, by the core's leave, to the backend's end and back. It moves
 * the bytes; where they go is decided by the core, which hears of their beginning and end only.
 */
import type { Readable } from 'node:stream';
import type { ClientCut } from '../actors/events.ts';
import type { Exchange, Upstream, UpstreamRequest } from '../streams/ports.ts';
import type { Arrival } from '../streams/requests.ts';
import { type AttemptOptions, conclude, createAttempt, type Progress } from './attempt.ts';
import type { Body } from './body.ts';
import type { DownstreamEvents } from './downstream.ts';
import { errorBody, errorForRejection, type GatewayError } from './errors.ts';
import { requestHeaders } from './headers.ts';

export type ExchangeOptions = Omit<AttemptOptions, 'isReplayable'> & {
  readonly upstream: Upstream;
  readonly probeIntervalMs: () => number;
};

export type RunningExchange = DownstreamEvents & {
  /** The body has come, or enough of it: hands the request to the core. */
  begin(body: Body): void;
  /** Answers with an error of the gateway's own and gives up whatever is under way. */
  refuse(error: GatewayError): void;
};

/** A longer path is cut in the log: it is there to tell requests apart. */
const MAX_RECORDED_PATH = 256;

export function createExchange(options: ExchangeOptions): RunningExchange {
  const { desk, upstream, downstream } = options;
  const progress: Progress = { request: 0, done: false, answering: false, flow: undefined, held: undefined };
  let upload: Readable | undefined;
  /** What has been read ahead of a body that no backend gets any more is let go. */
  const dropUpload = () => upload?.destroy();
  return {
    begin(body) {
      if (progress.done) return;
      if (body.kind === 'stream') upload = body.stream;
      const outgoing = outgoingOf(options, body);
      const attempts = { ...options, isReplayable: body.kind !== 'stream' };
      const exchange: Exchange = {
        granted(grant) {
          progress.request = grant.request;
          upstream.send(grant.socket, outgoing, createAttempt(attempts, progress, grant));
        },
        passed(lease) {
          if (progress.held?.lease !== lease) return;
          progress.held.pass();
          progress.held = undefined;
        },
        discarded(lease) {
          if (progress.held?.lease !== lease) return;
          progress.held.discard();
          progress.held = undefined;
        },
        rejected(rejection) {
          if (progress.done) return;
          progress.request = rejection.request;
          conclude(progress, desk);
          dropUpload();
          answer(options, errorForRejection(rejection, options.probeIntervalMs()));
        },
      };
      progress.request = desk.receive(arrivalOf(options, body), exchange);
    },
    refuse(error) {
      if (progress.done) return;
      progress.done = true;
      desk.aborted(progress.request, cutFor(error));
      dropUpload();
      // A backend may answer before it has all of the body; then the status line is gone already.
      if (progress.answering) downstream.cut();
      else answer(options, error);
    },
    drained() {
      progress.flow?.resume();
    },
    gone(because) {
      if (progress.done) return;
      progress.done = true;
      desk.aborted(progress.request, because);
      dropUpload();
    },
  };
}

/** What an error about a request that is under way is on record as. */
function cutFor({ code }: GatewayError): ClientCut {
  if (code === 'body_timeout') return 'bodyTimeout';
  return code === 'body_too_large' ? 'bodyTooLarge' : 'badRequest';
}

/** Answers in the gateway's own name. */
function answer({ downstream, requestId }: ExchangeOptions, error: GatewayError): void {
  const headers = ['X-Request-ID', requestId];
  if (error.retryAfterS !== undefined) headers.push('Retry-After', String(error.retryAfterS));
  if (error.closes === true) headers.push('Connection', 'close');
  downstream.answer(error.status, headers, errorBody(error));
}

/** The request as a backend gets it; made once, and sent again as it is in a further attempt. */
function outgoingOf({ downstream, requestId }: ExchangeOptions, body: Body): UpstreamRequest {
  const { method, target, headers, remoteAddress, protocol, upgrade } = downstream;
  return {
    method,
    target,
    headers: requestHeaders(headers, { remoteAddress, protocol, requestId }),
    body: body.kind === 'none' ? null : body.kind === 'whole' ? body.bytes : body.stream,
    upgrade: upgrade?.protocol,
  };
}

/** What the core and the log learn of the request. */
function arrivalOf({ downstream, requestId }: ExchangeOptions, body: Body): Arrival {
  return {
    requestId,
    method: downstream.method,
    path: pathOf(downstream.target),
    bodyBytes: body.kind === 'whole' ? body.bytes.length : body.kind === 'none' ? 0 : -1,
    replayable: body.kind !== 'stream',
  };
}

/** The path of a target without its query, which may hold keys and so is not recorded. */
function pathOf(target: string): string {
  const query = target.indexOf('?');
  return target.slice(0, Math.min(query === -1 ? target.length : query, MAX_RECORDED_PATH));
}
