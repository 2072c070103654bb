/**
 * Sends requests to backends over leased sockets, by undici's dispatch interface: bytes go from socket to
 * handler as they come, and headers stay the raw list they were.
 */
import { Readable } from 'node:stream';
import type { Client, Dispatcher } from 'undici';
import type { Flow, RawHeaders, Upstream, UpstreamReceiver, UpstreamRequest } from '../streams/ports.ts';
import { classifyFailure } from './failures.ts';
import { isChunkedOnly, valuesOf } from './headers.ts';
import {
  createResponseClock,
  type ResponseClock,
  type ResponseTimeouts,
  type TimedRequest,
} from './response-clock.ts';
import type { SocketRegistry } from './sockets.ts';

export function createUpstream(sockets: SocketRegistry, timeouts: () => ResponseTimeouts): Upstream {
  const clocks = new WeakMap<Client, ResponseClock>();
  const clockOf = (client: Client): ResponseClock => {
    let clock = clocks.get(client);
    if (clock === undefined) {
      clock = createResponseClock();
      clocks.set(client, clock);
    }
    return clock;
  };
  return {
    send(socket, request, receiver) {
      const client = sockets.clientOf(socket);
      if (client === undefined) {
        receiver.failed('closed', false);
        return;
      }
      client.dispatch(
        {
          path: request.target,
          // The type lists the registered methods, but any token is sent as it is (RFC 9110 §9.1).
          method: request.method as Dispatcher.HttpMethod,
          headers: request.headers,
          body: request.body,
          upgrade: request.upgrade ?? null,
          // Timed by a clock of our own.
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        handlerFor(request, receiver, timeouts(), {
          clock: clockOf(client),
          isOpen: () => sockets.isOpen(socket),
          error: () => sockets.errorOf(socket),
        }),
      );
    },
  };
}

type Connection = { readonly clock: ResponseClock; isOpen(): boolean; error(): Error | undefined };

function handlerFor(
  request: UpstreamRequest,
  receiver: UpstreamReceiver,
  timeouts: ResponseTimeouts,
  connection: Connection,
): Dispatcher.DispatchHandler {
  let written = false;
  let answering = false;
  let headIsWhole = false;
  const { clock } = connection;
  let timed: TimedRequest | undefined;
  const isOver = () => {
    if (timed !== undefined) clock.stop(timed);
  };
  return {
    onRequestStart(controller) {
      written = true;
      timed = timedRequest(request, timeouts, controller);
      clock.sent(timed);
    },
    onBodySent: clock.progressed,
    onRequestSent: clock.progressed,
    onResponseStarted() {
      answering = true;
    },
    onResponseStart(controller, status, _headers, reason) {
      const list = rawList(controller.rawHeaders);
      const fault = faultOfHead(status, list);
      if (fault !== undefined) {
        controller.abort(fault);
        return;
      }
      if (status < 200) {
        clock.progressed();
        receiver.informed(status, list);
        return;
      }
      headIsWhole = true;
      clock.begun();
      const flow = timed === undefined ? controller : flowOf(controller, clock, timed);
      receiver.started(status, asSent(reason ?? ''), list, flow);
    },
    onRequestUpgrade(controller, _status, _headers, connection) {
      isOver();
      receiver.switched(rawList(controller.rawHeaders), connection);
    },
    onResponseData(_controller, chunk) {
      clock.progressed();
      receiver.data(chunk);
    },
    onResponseEnd(controller) {
      isOver();
      // Where closing tells the end, undici takes a reset for it as well; but then the rest may be missing.
      const error = connection.error();
      if (error !== undefined && endsByClosing(rawList(controller.rawHeaders))) {
        receiver.failed(classifyFailure(error), written);
      } else {
        endWith(receiver, rawList(controller.rawTrailers), request, connection);
      }
    },
    onResponseError(_controller, error) {
      isOver();
      const reason = classifyFailure(error);
      // Half a head is not "nothing yet": a second backend must not be asked after a first response byte.
      const isHalfHead = answering && !headIsWhole && (reason === 'closed' || reason === 'reset');
      receiver.failed(isHalfHead ? 'badResponse' : reason, written);
    },
  };
}

function endWith(
  receiver: UpstreamReceiver,
  trailers: RawHeaders,
  { method }: UpstreamRequest,
  { isOpen }: Connection,
): void {
  // undici decides on the fate of the socket just after it has told of the end; in a microtask it is known.
  queueMicrotask(() => receiver.ended(trailers, isOpen() && method !== 'HEAD'));
}

function timedRequest(
  { body }: UpstreamRequest,
  { headersTimeoutMs, idleTimeoutMs }: ResponseTimeouts,
  controller: Dispatcher.DispatchController,
): TimedRequest {
  return {
    headersTimeoutMs,
    idleTimeoutMs,
    isClientsTurn: () => isAwaited(body),
    onTimeout: (error) => controller.abort(error),
  };
}

/** Whether a body is still to come, and the backend would take more of it than there is. */
function isAwaited(body: UpstreamRequest['body']): boolean {
  return body instanceof Readable && !body.readableEnded && body.readableFlowing === true;
}

/** A backend that is held back is not timed. */
function flowOf(
  controller: Dispatcher.DispatchController,
  clock: ResponseClock,
  request: TimedRequest,
): Flow {
  return {
    pause() {
      clock.paused(request);
      controller.pause();
    },
    resume() {
      clock.resumed(request);
      controller.resume();
    },
  };
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
    valuesOf(headers, 'content-length').length === 0 && valuesOf(headers, 'transfer-encoding').length === 0
  );
}

/** What node refuses to send in a reason phrase. */
const UNSENDABLE = /[^\t\x20-\x7e\x80-\xff]/g;

/** undici reads the reason phrase as UTF-8, and here the bytes are wanted, one to a character. */
function asSent(reason: string): string {
  const bytes = Buffer.byteLength(reason) === reason.length ? reason : Buffer.from(reason).toString('latin1');
  return bytes.replace(UNSENDABLE, ' ');
}

function rawList(raw: Dispatcher.DispatchController['rawHeaders']): RawHeaders {
  if (!Array.isArray(raw)) return [];
  return raw.map((item) => (typeof item === 'string' ? item : item.toString('latin1')));
}
