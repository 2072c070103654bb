/**
 * HTTP/1.1 on a connection to a backend by undici's `Client`, with its dispatch interface: bytes go from socket to handler as
 * they come, and headers stay the raw list they were.
 */
import type { Socket } from 'node:net';
import { type Duplex, Readable } from 'node:stream';
import { Client, type Dispatcher } from 'undici';
import type { AnswerFault, UpstreamFailure } from '../../actors/events.ts';
import type { Flow, RawHeaders, UpstreamReceiver, UpstreamRequest } from '../../streams/ports.ts';
import { type Connection, KEEP_ALIVE_MARGIN_MS } from '../connection.ts';
import { classifyLoss, isLoss } from '../failures.ts';
import { firstValueOf, isChunkedOnly, responseTrailers, valuesOf } from '../headers.ts';
import type { Incoming } from '../incoming.ts';
import {
  createResponseClock,
  type ResponseClock,
  type ResponseTimeouts,
  type TimedRequest,
} from '../response-clock.ts';
import { lettingGo } from './letting-go.ts';
import { offerReads } from './offered-reads.ts';
import { type Sieve, siftContinues } from './unasked-continue.ts';

/** The pool decides how long a socket may idle; undici's own limit only has to be longer than any of ours. */
const UNDICI_IDLE_LIMIT_MS = 2 ** 31 - 1;

/** What requests on one connection share. */
type Carrier = { readonly tcp: Socket; readonly clock: ResponseClock; readonly sieve: Sieve };

/**
 * Speaks by undici.
 *
 * @param tcp an open connection
 * @param incoming what comes over it; undefined if undici is to read it as a stream
 * @param origin such as `http://127.0.0.1:8001`
 */
export function createUndiciConnection(
  tcp: Socket,
  incoming: Incoming | undefined,
  origin: string,
): Connection {
  if (incoming !== undefined) offerReads(tcp, incoming);
  const carrier: Carrier = { tcp, clock: createResponseClock(), sieve: siftContinues(tcp) };
  const client = clientOver(tcp, origin);
  return {
    send(request, receiver, timeouts) {
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
        new Sending(carrier, request, receiver, timeouts),
      );
    },
    closed: () => carrier.clock.closed(),
  };
}

/** A client that has this one connection, and gets an error in place of any other: it would reconnect silently. */
function clientOver(tcp: Socket, origin: string): Client {
  let given = false;
  return new Client(origin, {
    pipelining: 1,
    keepAliveTimeout: UNDICI_IDLE_LIMIT_MS,
    keepAliveMaxTimeout: UNDICI_IDLE_LIMIT_MS,
    keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
    connect(_options, callback) {
      const isRefused = given || tcp.destroyed;
      given = true;
      // undici is in the middle of its own turn here and would not see an answer before that has ended.
      queueMicrotask(() => (isRefused ? callback(socketGoneError(), null) : callback(null, tcp)));
    },
  });
}

/** Not `UND_ERR_SOCKET`, on which undici would keep the request waiting for a connection that never comes. */
function socketGoneError(): Error {
  return Object.assign(new Error('the socket closed before the request was written'), { code: 'ECONNRESET' });
}

/**
 * One request that is sent: hears of its fate from undici, is timed by the clock of its socket, and holds the backend
 * back. A class, since there is one for each request: its methods are not made anew each time.
 */
class Sending implements Dispatcher.DispatchHandler, TimedRequest, Flow {
  readonly headersTimeoutMs: number;
  readonly idleTimeoutMs: number;
  private readonly carrier: Carrier;
  private readonly isHead: boolean;
  /** Not the whole request: its body may be long, and the answer longer yet. */
  private readonly upload: Readable | undefined;
  private readonly receiver: UpstreamReceiver;
  private controller: Dispatcher.DispatchController | undefined = undefined;
  private hasAnswerBegun = false;
  private isHeadWhole = false;

  constructor(
    carrier: Carrier,
    { method, body }: UpstreamRequest,
    receiver: UpstreamReceiver,
    { headersTimeoutMs, idleTimeoutMs }: ResponseTimeouts,
  ) {
    this.carrier = carrier;
    this.isHead = method === 'HEAD';
    this.upload = body instanceof Readable ? body : undefined;
    this.receiver = receiver;
    this.headersTimeoutMs = headersTimeoutMs;
    this.idleTimeoutMs = idleTimeoutMs;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    this.carrier.clock.sent(this);
    this.carrier.sieve.expect(this);
  }

  onBodySent(): void {
    this.carrier.clock.progressed();
  }

  onRequestSent(): void {
    this.carrier.clock.progressed();
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
    const { clock } = this.carrier;
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
      this.receiver.started(status, reasonBytes(reason ?? ''), list, this);
    }
  }

  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    _status: number,
    _headers: unknown,
    connection: Duplex,
  ): void {
    this.carrier.clock.stop(this);
    this.receiver.switched(rawList(controller.rawHeaders), connection);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.carrier.clock.progressed();
    this.receiver.data(chunk);
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    const { clock, tcp } = this.carrier;
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

  /**
   * undici's parser heeds also in trailers what concerns the connection, and would take the next answer for garbage. Nor behind
   * HEAD, where a faulty backend sends a body all the same.
   */
  private mayCarryOn(trailers: RawHeaders): boolean {
    return !this.isHead && responseTrailers(trailers).length === trailers.length;
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.carrier.clock.stop(this);
    const reason = classifyLoss(error);
    const isWritten = this.controller !== undefined;
    const isHalfHead = this.hasAnswerBegun && !this.isHeadWhole;
    if (isHalfHead && isLoss(reason))
      this.receiver.failed('badResponse', isWritten, this.faultOfLoss(reason));
    else this.receiver.failed(reason, isWritten);
  }

  /** Not where undici has closed the socket itself, over a head that it refuses: it does not say what was wrong with that. */
  private faultOfLoss(reason: UpstreamFailure): AnswerFault | undefined {
    return reason === 'reset' || this.carrier.tcp.readableEnded ? 'headCut' : undefined;
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
    this.carrier.clock.paused(this);
    this.controller?.pause();
  }

  resume(): void {
    this.carrier.clock.resumed(this);
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

/** undici reads the reason phrase as UTF-8, and here the bytes are wanted, one to a character. */
function reasonBytes(reason: string): string {
  return Buffer.byteLength(reason) === reason.length ? reason : Buffer.from(reason).toString('latin1');
}

const NO_HEADERS: RawHeaders = [];

function rawList(raw: Dispatcher.DispatchController['rawHeaders']): RawHeaders {
  if (!Array.isArray(raw) || raw.length === 0) return NO_HEADERS;
  const list: string[] = [];
  for (const item of raw) list.push(typeof item === 'string' ? item : item.toString('latin1'));
  return list;
}
