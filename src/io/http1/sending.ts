/** One request on a connection: it is written, its answer is read and timed, and the backend is held back if need be. */
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { UpstreamFailure } from '../../actors/events.ts';
import type { Flow, RawHeaders, UpstreamReceiver, UpstreamRequest } from '../../streams/ports.ts';
import { classifyFailure } from '../failures.ts';
import { sendableReason } from '../reason.ts';
import type { ResponseClock, ResponseTimeouts, TimedRequest } from '../response-clock.ts';
import { type AnswerHead, keepAliveTimeoutMs, keepsConnection } from './answer-head.ts';
import { type AnswerListener, AnswerReader } from './answer-reader.ts';
import { BadAnswer } from './bad-answer.ts';
import { isSentInChunks, requestHeadOf } from './request-head.ts';
import { startUpload, type Upload } from './upload.ts';

/** What requests on one connection share. */
export type Line = {
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

/** Up to this size a body is copied behind its head: two pieces cost more. */
const MOST_COPIED = 8 * 1024;

/** A class, since there is one for each request: its methods are not made anew each time. */
export class Sending implements AnswerListener, TimedRequest, Flow {
  readonly headersTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Whether anything may have been written. */
  isWritten = false;
  private readonly line: Line;
  private readonly receiver: UpstreamReceiver;
  private readonly reader: AnswerReader;
  /** Until it is written; its body may be long, and the answer takes longer yet. */
  private request: UpstreamRequest | undefined;
  private upload: Upload | undefined = undefined;
  private head: AnswerHead | undefined = undefined;
  private isPaused = false;
  private isOver = false;

  constructor(line: Line, request: UpstreamRequest, receiver: UpstreamReceiver, timeouts: ResponseTimeouts) {
    const { method, upgrade } = request;
    this.line = line;
    this.request = request;
    this.receiver = receiver;
    this.headersTimeoutMs = timeouts.headersTimeoutMs;
    this.idleTimeoutMs = timeouts.idleTimeoutMs;
    this.reader = new AnswerReader({ isHead: method === 'HEAD', mayUpgrade: upgrade !== undefined }, this);
  }

  /** Writes the request, or as much of it as there is. */
  write(): void {
    const { request, line } = this;
    // Of a socket that has closed by now, the request hears when that is told; it can be sent again, since nothing was written.
    if (request === undefined || this.isOver || line.tcp.destroyed) return;
    this.request = undefined;
    this.isWritten = true;
    line.clock.sent(this);
    const head = requestHeadOf(request, line.host);
    const { body } = request;
    if (body instanceof Readable) {
      line.tcp.write(head, 'latin1');
      this.upload = startUpload(line.tcp, body, isSentInChunks(request), this.progressed);
    } else {
      writeWhole(line.tcp, head, body, this.progressed);
    }
  }

  /** Bytes have come. */
  read(piece: Buffer): void {
    try {
      this.reader.read(piece);
    } catch (error) {
      // Whatever else it may be, no other request is to suffer from it.
      this.fail(error instanceof BadAnswer ? 'badResponse' : 'other');
    }
  }

  /** The backend has closed its side. @returns whether the answer is whole thereby */
  ended(): boolean {
    return this.reader.close();
  }

  /** No answer comes any more, or no more of it. */
  fail(reason: UpstreamFailure): void {
    if (!this.conclude()) return;
    // Half a head is not "nothing yet": a second backend must not be asked after a first response byte.
    const isHalfHead =
      this.reader.hasBegun && this.head === undefined && (reason === 'closed' || reason === 'reset');
    this.line.giveUp();
    this.receiver.failed(isHalfHead ? 'badResponse' : reason, this.isWritten);
  }

  interim({ status, headers }: AnswerHead): void {
    this.line.clock.progressed();
    this.receiver.informed(status, headers);
  }

  switched({ headers }: AnswerHead, rest: Buffer): void {
    if (!this.conclude()) return;
    this.line.handOver(rest);
    this.receiver.switched(headers, this.line.tcp);
  }

  started(head: AnswerHead): void {
    this.head = head;
    this.line.clock.begun();
    this.receiver.started(head.status, sendableReason(head.reason), head.headers, this);
  }

  data(content: Buffer): void {
    this.line.clock.progressed();
    this.receiver.data(content);
  }

  end(trailers: RawHeaders, isSurplus: boolean): void {
    const { head, line, upload } = this;
    const isSent = line.tcp.writableLength === 0 && (upload === undefined || upload.isDone);
    if (head === undefined || !this.conclude()) return;
    const isKept = !isSurplus && isSent && keepsConnection(head, this.reader.to.isHead);
    const mayCarryOn = isKept && line.release(keepAliveTimeoutMs(head));
    if (!mayCarryOn) line.giveUp();
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
    this.line.clock.paused(this);
    this.line.tcp.pause();
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.line.clock.resumed(this);
    this.line.tcp.resume();
  }

  private readonly progressed = (): void => {
    if (!this.isOver) this.line.clock.progressed();
  };

  /** @returns false if it was over before */
  private conclude(): boolean {
    if (this.isOver) return false;
    this.resume();
    this.isOver = true;
    this.line.clock.stop(this);
    this.upload?.stop();
    return true;
  }
}

function writeWhole(tcp: Socket, head: string, body: Uint8Array | null, progressed: () => void): void {
  if (body === null) {
    tcp.write(head, 'latin1');
  } else if (body.byteLength <= MOST_COPIED) {
    tcp.write(head + Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1'), 'latin1');
  } else {
    tcp.cork();
    tcp.write(head, 'latin1');
    tcp.write(body, progressed);
    tcp.uncork();
  }
}
