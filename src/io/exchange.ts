/**
 * One request on its way: from the client's end, by the core's leave, to the backend's end and back. It moves
 * the bytes; where they go is decided by the core, which hears of their beginning and end only.
 */
import type { Readable } from 'node:stream';
import type { ClientCut } from '../actors/events.ts';
import type {
  Downstream,
  Exchange,
  Flow,
  Grant,
  Rejection,
  Upstream,
  UpstreamRequest,
} from '../streams/ports.ts';
import type { Arrival } from '../streams/requests.ts';
import { Attempt, conclude, type Progress, type Surroundings } from './attempt.ts';
import type { Body, BodyReceiver } from './body.ts';
import type { DownstreamEvents } from './downstream.ts';
import { bodyTimeout, bodyTooLarge, errorBody, errorForRejection, type GatewayError } from './errors.ts';
import { requestHeaders } from './headers.ts';
import type { HeldAnswer } from './held-answer.ts';
import { pathOf } from './router.ts';

/** What all exchanges share. */
export type ExchangeSurroundings = Surroundings & {
  readonly upstream: Upstream;
  readonly probeIntervalMs: () => number;
};

/** A longer path is cut in the log: it is there to tell requests apart. */
const MAX_RECORDED_PATH = 256;

/** A class, since there is one for each request: its methods are not made anew each time. */
export class ProxiedExchange implements Exchange, Progress, BodyReceiver, DownstreamEvents {
  request = 0;
  done = false;
  answering = false;
  flow: Flow | undefined = undefined;
  held: HeldAnswer | undefined = undefined;
  isReplayable = true;
  readonly surroundings: ExchangeSurroundings;
  readonly downstream: Downstream;
  readonly requestId: string;
  private outgoing: UpstreamRequest | undefined = undefined;
  private upload: Readable | undefined = undefined;

  constructor(surroundings: ExchangeSurroundings, downstream: Downstream, requestId: string) {
    this.surroundings = surroundings;
    this.downstream = downstream;
    this.requestId = requestId;
  }

  /** The body has come, or enough of it: hands the request to the core. */
  ready(body: Body): void {
    if (this.done) return;
    const { surroundings, downstream, requestId } = this;
    if (body.kind === 'stream') this.upload = body.stream;
    this.isReplayable = body.kind !== 'stream';
    this.outgoing = outgoingOf(downstream, requestId, body);
    this.request = surroundings.desk.receive(arrivalOf(downstream, requestId, body), this);
  }

  tooLarge(maxBodyBytes: number): void {
    this.refuse(bodyTooLarge(maxBodyBytes));
  }

  stoodStill(): void {
    this.refuse(bodyTimeout());
  }

  granted(grant: Grant): void {
    if (this.outgoing === undefined) return;
    this.request = grant.request;
    this.surroundings.upstream.send(grant.socket, this.outgoing, new Attempt(this, grant));
  }

  passed(lease: number): void {
    const { held } = this;
    if (held?.lease !== lease) return;
    this.held = undefined;
    held.pass();
  }

  discarded(lease: number): void {
    const { held } = this;
    if (held?.lease !== lease) return;
    this.held = undefined;
    held.discard();
  }

  rejected(rejection: Rejection): void {
    if (this.done) return;
    this.request = rejection.request;
    conclude(this);
    this.dropUpload();
    this.answer(errorForRejection(rejection, this.surroundings.probeIntervalMs()));
  }

  /** Answers with an error of the gateway's own and gives up whatever is under way. */
  refuse(error: GatewayError): void {
    if (this.done) return;
    this.giveUp(cutFor(error));
    // A backend may answer before it has all of the body; then the status line is gone already.
    if (this.answering) this.downstream.cut();
    else this.answer(error);
  }

  forget(): void {
    this.outgoing = undefined;
  }

  drained(): void {
    this.flow?.resume();
  }

  gone(because?: ClientCut): void {
    if (!this.done) this.giveUp(because);
  }

  private giveUp(because: ClientCut | undefined): void {
    this.done = true;
    this.surroundings.desk.aborted(this.request, because);
    this.dropUpload();
  }

  /** What has been read ahead of a body that no backend gets any more is let go. */
  private dropUpload(): void {
    this.upload?.destroy();
  }

  /** Answers in the gateway's own name. */
  private answer(error: GatewayError): void {
    const headers = ['X-Request-ID', this.requestId];
    if (error.retryAfterS !== undefined) headers.push('Retry-After', String(error.retryAfterS));
    if (error.closes === true) headers.push('Connection', 'close');
    this.downstream.answer(error.status, headers, errorBody(error));
  }
}

/** What an error about a request that is under way is on record as. */
function cutFor({ code }: GatewayError): ClientCut {
  if (code === 'body_timeout') return 'bodyTimeout';
  return code === 'body_too_large' ? 'bodyTooLarge' : 'badRequest';
}

/** The request as a backend gets it; made once, and sent again as it is in a further attempt. */
function outgoingOf(downstream: Downstream, requestId: string, body: Body): UpstreamRequest {
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
function arrivalOf({ method, target }: Downstream, requestId: string, body: Body): Arrival {
  return {
    requestId,
    method,
    // Without the query, which may hold keys.
    path: pathOf(target).slice(0, MAX_RECORDED_PATH),
    bodyBytes: body.kind === 'whole' ? body.bytes.length : body.kind === 'none' ? 0 : -1,
    replayable: body.kind !== 'stream',
  };
}
