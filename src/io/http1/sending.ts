/** One request on a connection: it is written, its answer is read and timed, and the backend is held back if need be. */
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { AnswerFault, UpstreamFailure } from '../../actors/events.ts';
import type { Flow, RawHeaders, UpstreamReceiver, UpstreamRequest } from '../../streams/ports.ts';
import { classifyFailure, isLoss } from '../failures.ts';
import { MAX_COPIED_BYTES, textOf } from '../latin1.ts';
import type { ResponseClock, ResponseTimeouts, TimedRequest } from '../response-clock.ts';
import { keepAliveTimeoutMs, keepsConnection, type ReceivedHead } from './answer-head.ts';
import { type AnswerListener, AnswerReader } from './answer-reader.ts';
import { BadAnswer } from './bad-answer.ts';
import { isSentInChunks, requestHeadOf } from './request-head.ts';
import { startUpload, type Upload } from './upload.ts';

/** What requests on one connection share. */
export type Carrier = {
  readonly tcp: Socket;
  readonly clock: ResponseClock;
  /** `host:port`, as a `Host` has it. */
  readonly host: string;
  /** The request is over, and the connection idles. @returns whether it may, so that it can carry another request */
  release(keepAliveTimeoutMs: number | undefined): boolean;
  /** The connection is for another protocol now: `rest` is of that, and what follows is read from the socket. */
  handOver(rest: Buffer): void;
  /** The request is over, and the connection with it. */
  giveUp(): void;
};

/** A class, since there is one for each request: its methods are not made anew each time. */
export class Sending implements AnswerListener, TimedRequest, Flow {
  readonly headersTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Whether anything may have been written. */
  isWritten = false;
  private readonly carrier: Carrier;
  private readonly isHead: boolean;
  private readonly receiver: UpstreamReceiver;
  private readonly reader: AnswerReader;
  /** Dropped once written: its body may be long, and the answer may take minutes. */
  private request: UpstreamRequest | undefined;
  private upload: Upload | undefined = undefined;
  private head: ReceivedHead | undefined = undefined;
  private isPaused = false;
  private isOver = false;

  constructor(
    carrier: Carrier,
    request: UpstreamRequest,
    receiver: UpstreamReceiver,
    timeouts: ResponseTimeouts,
  ) {
    const { method, upgrade } = request;
    this.carrier = carrier;
    this.isHead = method === 'HEAD';
    this.request = request;
    this.receiver = receiver;
    this.headersTimeoutMs = timeouts.headersTimeoutMs;
    this.idleTimeoutMs = timeouts.idleTimeoutMs;
    this.reader = new AnswerReader({ isHead: this.isHead, mayUpgrade: upgrade !== undefined }, this);
  }

  /** Writes the request, or as much of it as there is. */
  write(): void {
    const { request, carrier } = this;
    // A socket that has closed by now reports it through `closed`; the request can be sent again, since nothing was written.
    if (request === undefined || this.isOver || carrier.tcp.destroyed) return;
    this.request = undefined;
    this.isWritten = true;
    carrier.clock.sent(this);
    const head = requestHeadOf(request, carrier.host);
    const { body } = request;
    if (body instanceof Readable) {
      carrier.tcp.write(head, 'latin1');
      this.upload = startUpload(carrier.tcp, body, isSentInChunks(request), () => this.progressed());
    } else {
      writeWhole(carrier.tcp, head, body, () => this.progressed());
    }
  }

  /** Bytes have come. */
  read(piece: Buffer): void {
    try {
      this.reader.read(piece);
    } catch (error) {
      // After the end there is nobody left to tell.
      if (this.isOver) throw error;
      // A head that the client's end cannot pass on, though it is valid, costs this request and no other.
      if (error instanceof BadAnswer) this.fail('badResponse', error.fault);
      else this.fail('other');
    }
  }

  /** The backend has closed its side. @returns whether the answer is whole thereby */
  ended(): boolean {
    return this.reader.close();
  }

  /** No answer comes any more, or no more of it. */
  fail(reason: UpstreamFailure, fault?: AnswerFault): void {
    if (!this.conclude()) return;
    const isHalfHead = this.reader.hasBegun && this.head === undefined;
    this.carrier.giveUp();
    if (isHalfHead && isLoss(reason)) {
      this.receiver.failed('badResponse', this.isWritten, this.reader.faultOfHalfHead());
    } else this.receiver.failed(reason, this.isWritten, fault);
  }

  interim({ status, headers }: ReceivedHead): void {
    this.carrier.clock.progressed();
    this.receiver.informed(status, headers);
  }

  switched({ headers }: ReceivedHead, rest: Buffer): void {
    if (!this.conclude()) return;
    this.carrier.handOver(rest);
    this.receiver.switched(headers, this.carrier.tcp);
  }

  started(head: ReceivedHead): void {
    this.head = head;
    this.carrier.clock.begun();
    this.receiver.started(head.status, head.reason, head.headers, this);
  }

  data(content: Buffer): void {
    this.carrier.clock.progressed();
    this.receiver.data(content);
  }

  end(trailers: RawHeaders, isSurplus: boolean): void {
    const { head, carrier, upload } = this;
    const isSent = carrier.tcp.writableLength === 0 && (upload === undefined || upload.isDone);
    if (head === undefined || !this.conclude()) return;
    const isKept = !isSurplus && isSent && keepsConnection(head, this.isHead);
    const mayCarryOn = isKept && carrier.release(keepAliveTimeoutMs(head));
    if (!mayCarryOn) carrier.giveUp();
    this.receiver.ended(trailers, mayCarryOn);
  }

  isClientsTurn(): boolean {
    return this.upload?.isClientsTurn() === true;
  }

  onTimeout(error: Error): void {
    this.fail(classifyFailure(error));
  }

  /** A backend that is held back is not timed. */
  pause(): void {
    if (this.isOver || this.isPaused) return;
    this.isPaused = true;
    this.carrier.clock.paused(this);
    this.carrier.tcp.pause();
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.carrier.clock.resumed(this);
    this.carrier.tcp.resume();
  }

  private progressed(): void {
    if (!this.isOver) this.carrier.clock.progressed();
  }

  /** @returns false if it was over before */
  private conclude(): boolean {
    if (this.isOver) return false;
    this.resume();
    this.isOver = true;
    this.carrier.clock.stop(this);
    this.upload?.stop();
    return true;
  }
}

function writeWhole(tcp: Socket, head: string, body: Uint8Array | null, progressed: () => void): void {
  if (body === null) {
    tcp.write(head, 'latin1');
  } else if (body.byteLength <= MAX_COPIED_BYTES) {
    tcp.write(head + textOf(body), 'latin1');
  } else {
    tcp.cork();
    tcp.write(head, 'latin1');
    tcp.write(body, progressed);
    tcp.uncork();
  }
}
