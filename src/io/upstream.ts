/**
 * Sends requests to backends over leased sockets, by undici's dispatch interface: bytes go from socket to
 * handler as they come, and headers stay the raw list they were.
 */
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Flow, RawHeaders, Upstream, UpstreamReceiver, UpstreamRequest } from '../streams/ports.ts';
import { classifyFailure } from './failures.ts';
import { valuesOf } from './headers.ts';
import { createResponseClock, type ResponseClock, type ResponseTimeouts } from './response-clock.ts';
import type { SocketRegistry } from './sockets.ts';

export function createUpstream(sockets: SocketRegistry, timeouts: () => ResponseTimeouts): Upstream {
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
          ...(request.upgrade === undefined ? {} : { upgrade: request.upgrade }),
          // Timed by a clock of our own.
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        handlerFor(request, receiver, timeouts(), {
          isOpen: () => sockets.isOpen(socket),
          error: () => sockets.errorOf(socket),
        }),
      );
    },
  };
}

type Connection = { isOpen(): boolean; error(): Error | undefined };

function handlerFor(
  request: UpstreamRequest,
  receiver: UpstreamReceiver,
  timeouts: ResponseTimeouts,
  connection: Connection,
): Dispatcher.DispatchHandler {
  let written = false;
  let answering = false;
  let headIsWhole = false;
  let abort: (error: Error) => void = () => {};
  const clock = clockOf(request, timeouts, (error) => abort(error));
  return {
    onRequestStart(controller) {
      written = true;
      abort = (error) => controller.abort(error);
      clock.sent();
    },
    onBodySent: clock.progressed,
    onRequestSent: clock.progressed,
    onResponseStarted() {
      answering = true;
    },
    onResponseStart(controller, status, _headers, reason) {
      // A 101 without its Upgrade is no way to anywhere.
      if (status < 100 || status === 101) {
        controller.abort(badStatusError(status));
        return;
      }
      if (status < 200) {
        clock.progressed();
        receiver.informed(status, rawList(controller.rawHeaders));
        return;
      }
      headIsWhole = true;
      clock.begun();
      const flow = flowOf(controller, clock);
      receiver.started(status, asSent(reason ?? ''), rawList(controller.rawHeaders), flow);
    },
    onRequestUpgrade(controller, _status, _headers, connection) {
      clock.stop();
      receiver.switched(rawList(controller.rawHeaders), connection);
    },
    onResponseData(_controller, chunk) {
      clock.progressed();
      receiver.data(chunk);
    },
    onResponseEnd(controller) {
      clock.stop();
      // Where closing tells the end, undici takes a reset for it as well; but then the rest may be missing.
      const error = connection.error();
      if (error !== undefined && endsByClosing(rawList(controller.rawHeaders))) {
        receiver.failed(classifyFailure(error), written);
      } else {
        endWith(
          receiver,
          rawList(controller.rawTrailers),
          () => connection.isOpen() && request.method !== 'HEAD',
        );
      }
    },
    onResponseError(_controller, error) {
      clock.stop();
      const reason = classifyFailure(error);
      // Half a head is not "nothing yet": a second backend must not be asked after a first response byte.
      const isHalfHead = answering && !headIsWhole && (reason === 'closed' || reason === 'reset');
      receiver.failed(isHalfHead ? 'badResponse' : reason, written);
    },
  };
}

function endWith(receiver: UpstreamReceiver, trailers: RawHeaders, isReusable: () => boolean): void {
  // undici decides on the fate of the socket just after it has told of the end; in a microtask it is known.
  queueMicrotask(() => receiver.ended(trailers, isReusable()));
}

function clockOf(
  { body }: UpstreamRequest,
  { headersTimeoutMs, idleTimeoutMs }: ResponseTimeouts,
  onTimeout: (error: Error) => void,
): ResponseClock {
  const isClientsTurn = () => isAwaited(body);
  return createResponseClock({ headersTimeoutMs, idleTimeoutMs, isClientsTurn, onTimeout });
}

/** Whether a body is still to come, and the backend would take more of it than there is. */
function isAwaited(body: UpstreamRequest['body']): boolean {
  return body instanceof Readable && !body.readableEnded && body.readableFlowing === true;
}

/** A backend that is held back is not timed. */
function flowOf(controller: Dispatcher.DispatchController, clock: ResponseClock): Flow {
  return {
    pause() {
      clock.paused();
      controller.pause();
    },
    resume() {
      clock.resumed();
      controller.resume();
    },
  };
}

/** Of three digits, as the parser wants it, but of no class there is (RFC 9110 §15). */
function badStatusError(status: number): Error {
  return Object.assign(new Error(`the status ${status} means nothing`), { code: 'HPE_INVALID_STATUS' });
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
