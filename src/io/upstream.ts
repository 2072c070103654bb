/**
 * Sends requests to backends over leased sockets, by undici's dispatch interface: bytes go from socket to
 * handler as they come, and headers stay the raw list they were.
 */
import { type Duplex, Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Flow, RawHeaders, Upstream, UpstreamReceiver, UpstreamRequest } from '../streams/ports.ts';
import { classifyLoss } from './failures.ts';
import { firstValueOf, isChunkedOnly, responseTrailers, valuesOf } from './headers.ts';
import { lettingGo } from './letting-go.ts';
import type { ResponseTimeouts, TimedRequest } from './response-clock.ts';
import type { Connection, SocketRegistry } from './sockets.ts';

export function createUpstream(
  sockets: Pick<SocketRegistry, 'connectionOf'>,
  timeouts: () => ResponseTimeouts,
): Upstream {
  return {
    send(socket, request, receiver) {
      const connection = sockets.connectionOf(socket);
      if (connection === undefined) {
        receiver.failed('closed', false);
        return;
      }
      const { client } = connection;
      client.dispatch(
        {
          path: request.target,
          // The type lists the registered methods, but any token is sent as it is (RFC 9110 §9.1).
          method: request.method as Dispatcher.HttpMethod,
          headers: request.headers,
          body: lettingGo(request.body),
          upgrade: request.upgrade ?? null,
          // Timed by a clock of our own.
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        new Sending(connection, request, receiver, timeouts()),
      );
    },
  };
}

/**
 * One request that is sent: hears of its fate from undici, is timed by the clock of its socket, and holds the backend
 * back. A class, since there is one for each request: its methods are not made anew each time.
 */
class Sending implements Dispatcher.DispatchHandler, TimedRequest, Flow {
  readonly headersTimeoutMs: number;
  readonly idleTimeoutMs: number;
  private readonly connection: Connection;
  private readonly isHead: boolean;
  /** Not the whole request: its body may be long, and the answer longer yet. */
  private readonly upload: Readable | undefined;
  private readonly receiver: UpstreamReceiver;
  private controller: Dispatcher.DispatchController | undefined = undefined;
  private hasAnswerBegun = false;
  private isHeadWhole = false;

  constructor(
    connection: Connection,
    { method, body }: UpstreamRequest,
    receiver: UpstreamReceiver,
    { headersTimeoutMs, idleTimeoutMs }: ResponseTimeouts,
  ) {
    this.connection = connection;
    this.isHead = method === 'HEAD';
    this.upload = body instanceof Readable ? body : undefined;
    this.receiver = receiver;
    this.headersTimeoutMs = headersTimeoutMs;
    this.idleTimeoutMs = idleTimeoutMs;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    this.connection.clock.sent(this);
    this.connection.sieve.expect(this);
  }

  onBodySent(): void {
    this.connection.clock.progressed();
  }

  onRequestSent(): void {
    this.connection.clock.progressed();
  }

  onResponseStarted(): void {
    this.hasAnswerBegun = true;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    reason?: string,
  ): void {
    const { clock } = this.connection;
    const list = rawList(controller.rawHeaders);
    const fault = faultOfHead(status, list);
    if (fault !== undefined) {
      controller.abort(fault);
    } else if (status < 200) {
      clock.progressed();
      this.receiver.informed(status, list);
    } else {
      this.isHeadWhole = true;
      clock.begun();
      this.receiver.started(status, asSent(reason ?? ''), list, this);
    }
  }

  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    _status: number,
    _headers: unknown,
    connection: Duplex,
  ): void {
    this.connection.clock.stop(this);
    this.receiver.switched(rawList(controller.rawHeaders), connection);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.connection.clock.progressed();
    this.receiver.data(chunk);
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    const { clock, tcp } = this.connection;
    clock.stop(this);
    // Where closing tells the end, undici takes a reset for it as well; but then the rest may be missing.
    const error = tcp.errored;
    if (error && endsByClosing(rawList(controller.rawHeaders))) {
      this.receiver.failed(classifyLoss(error), true);
      return;
    }
    const trailers = rawList(controller.rawTrailers);
    // undici decides on the fate of the socket just after it has told of the end; in a microtask it is known.
    queueMicrotask(() => this.receiver.ended(trailers, !tcp.destroyed && this.mayCarryOn(trailers)));
  }

  /** The parser heeds also in trailers what concerns the connection, and would take the next answer for garbage. */
  private mayCarryOn(trailers: RawHeaders): boolean {
    return !this.isHead && responseTrailers(trailers).length === trailers.length;
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.connection.clock.stop(this);
    const reason = classifyLoss(error);
    // Half a head is not "nothing yet": a second backend must not be asked after a first response byte.
    const isHalfHead =
      this.hasAnswerBegun && !this.isHeadWhole && (reason === 'closed' || reason === 'reset');
    this.receiver.failed(isHalfHead ? 'badResponse' : reason, this.controller !== undefined);
  }

  /** Whether a body is still to come, and the backend would take more of it than there is. */
  isClientsTurn(): boolean {
    const { upload } = this;
    return upload !== undefined && !upload.readableEnded && upload.readableFlowing === true;
  }

  onTimeout(error: Error): void {
    this.controller?.abort(error);
  }

  /** A backend that is held back is not timed. */
  pause(): void {
    this.connection.clock.paused(this);
    this.controller?.pause();
  }

  resume(): void {
    this.connection.clock.resumed(this);
    this.controller?.resume();
  }
}

/** What the parser lets through and a client must not get. */
function faultOfHead(status: number, headers: RawHeaders): Error | undefined {
  // Of three digits, but of no class there is (RFC 9110 §15); and a 101 without its Upgrade is no way to anywhere.
  if (status < 100 || status === 101)
    return badHeadError('HPE_INVALID_STATUS', `the status ${status} means nothing`);
  const codings = valuesOf(headers, 'transfer-encoding');
  if (codings.length === 0 || isChunkedOnly(codings)) return undefined;
  // The client would get the coded bytes for plain ones (RFC 9112 §6.1).
  return badHeadError('HPE_INVALID_TRANSFER_ENCODING', `the answer is in the transfer coding ${codings}`);
}

function badHeadError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

/** Whether only the end of the connection tells where the answer ends (RFC 9112 §6.3). */
function endsByClosing(headers: RawHeaders): boolean {
  return (
    firstValueOf(headers, 'content-length') === undefined &&
    firstValueOf(headers, 'transfer-encoding') === undefined
  );
}

const PLAIN_REASON = /^[\x20-\x7e]*$/;
/** What node refuses to send in a reason phrase. */
const UNSENDABLE = /[^\t\x20-\x7e\x80-\xff]/g;

/** undici reads the reason phrase as UTF-8, and here the bytes are wanted, one to a character. */
function asSent(reason: string): string {
  if (PLAIN_REASON.test(reason)) return reason;
  const bytes = Buffer.byteLength(reason) === reason.length ? reason : Buffer.from(reason).toString('latin1');
  return bytes.replace(UNSENDABLE, ' ');
}

const NO_HEADERS: RawHeaders = [];

function rawList(raw: Dispatcher.DispatchController['rawHeaders']): RawHeaders {
  if (!Array.isArray(raw) || raw.length === 0) return NO_HEADERS;
  const list: string[] = [];
  for (const item of raw) list.push(typeof item === 'string' ? item : item.toString('latin1'));
  return list;
}
