/**
 * Sends requests to backends over leased sockets, by undici's dispatch interface: bytes go from socket to
 * handler as they come, and headers stay the raw list they were.
 */
import type { Dispatcher } from 'undici';
import type { RawHeaders, Upstream, UpstreamReceiver, UpstreamRequest } from '../streams/ports.ts';
import { classifyFailure } from './failures.ts';
import type { SocketRegistry } from './sockets.ts';

export type UpstreamTimeouts = {
  /** From the end of the request to the head of the answer. */
  readonly headersTimeoutMs: number;
  /** Between two pieces of the answer. */
  readonly idleTimeoutMs: number;
};

export function createUpstream(sockets: SocketRegistry, timeouts: () => UpstreamTimeouts): Upstream {
  return {
    send(socket, request, receiver) {
      const client = sockets.clientOf(socket);
      if (client === undefined) {
        receiver.failed('closed', false);
        return;
      }
      const { headersTimeoutMs, idleTimeoutMs } = timeouts();
      client.dispatch(
        {
          path: request.target,
          // The type lists the registered methods, but any token is sent as it is (RFC 9110 §9.1).
          method: request.method as Dispatcher.HttpMethod,
          headers: request.headers,
          body: request.body,
          headersTimeout: headersTimeoutMs,
          bodyTimeout: idleTimeoutMs,
        },
        handlerFor(request, receiver, () => sockets.isOpen(socket)),
      );
    },
  };
}

function handlerFor(
  request: UpstreamRequest,
  receiver: UpstreamReceiver,
  isOpen: () => boolean,
): Dispatcher.DispatchHandler {
  let written = false;
  let answering = false;
  return {
    onRequestStart() {
      written = true;
    },
    onResponseStarted() {
      answering = true;
    },
    onResponseStart(controller, status, _headers, reason) {
      if (status < 200) return;
      receiver.started(status, reason ?? '', rawList(controller.rawHeaders), controller);
    },
    onResponseData(_controller, chunk) {
      receiver.data(chunk);
    },
    onResponseEnd(controller) {
      const trailers = rawList(controller.rawTrailers);
      // undici decides on the fate of the socket just after this call; in a microtask it is known.
      queueMicrotask(() => receiver.ended(trailers, isOpen() && request.method !== 'HEAD'));
    },
    onResponseError(_controller, error) {
      const reason = classifyFailure(error);
      // Half a head is not "nothing yet": a second backend must not be asked after a first response byte.
      receiver.failed(
        answering && (reason === 'closed' || reason === 'reset') ? 'badResponse' : reason,
        written,
      );
    },
  };
}

function rawList(raw: Dispatcher.DispatchController['rawHeaders']): RawHeaders {
  if (!Array.isArray(raw)) return [];
  return raw.map((item) => (typeof item === 'string' ? item : item.toString('latin1')));
}
