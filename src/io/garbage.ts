/**
 * What is answered to bytes that are no request: a refusal in the gateway's own form, in its turn behind the
 * answers that are due on that connection, and then the connection is closed, since nobody knows where in it
 * the next request would begin.
 */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { badRequest, errorBody, type GatewayError } from './errors.ts';
import { closeLingering, isClosing } from './linger.ts';

/** What is known of a connection while answers are due on it. */
type Connection = {
  due: number;
  /** The request that came last, whose body may be what is broken. */
  last: IncomingMessage | undefined;
  exchange: Refusable | undefined;
  /** What the bytes behind the requests are answered with, once those have been answered. */
  refusal: GatewayError | undefined;
};

/** Ends with an error, if the rest of its request turns out to be garbage. */
export type Refusable = { refuse(error: GatewayError): void };

export type GarbageDesk = {
  /** Notes that an answer is due. */
  expect(request: IncomingMessage, exchange: Refusable): void;
  /** Notes that the answer has been given, or that the client has gone. */
  answered(request: IncomingMessage): void;
  /** Whether answers are due on the connection. */
  isDue(socket: Duplex): boolean;
  /** Handles an error of the parser, or of the connection itself. */
  refuse(error: NodeJS.ErrnoException, socket: Duplex): void;
  /** Ends the connection with a refusal, or without a word where answers are due on it. */
  turnAway(socket: Duplex, error: GatewayError, headers?: string): void;
};

export function createGarbageDesk(): GarbageDesk {
  const connections = new WeakMap<Duplex, Connection>();

  const connectionOf = (socket: Duplex): Connection => {
    const known = connections.get(socket);
    if (known !== undefined) return known;
    const created: Connection = { due: 0, last: undefined, exchange: undefined, refusal: undefined };
    connections.set(socket, created);
    return created;
  };

  return {
    expect(request, exchange) {
      const connection = connectionOf(request.socket);
      connection.due += 1;
      connection.last = request;
      connection.exchange = exchange;
    },
    answered(request) {
      const connection = connectionOf(request.socket);
      connection.due -= 1;
      if (connection.last === request && request.complete) {
        connection.last = undefined;
        connection.exchange = undefined;
      }
      if (connection.due > 0 || connection.refusal === undefined) return;
      refuseNow(request.socket, connection.refusal);
    },
    isDue: (socket) => (connections.get(socket)?.due ?? 0) > 0,
    refuse(error, socket) {
      if (isClosing(socket)) return;
      const { due = 0, last, exchange } = connections.get(socket) ?? {};
      // A client that has closed its side behind half a request has gone, and no one reads a refusal.
      const isGone = error.code === 'ECONNRESET' || (socket.readableEnded && due > 0);
      const isHalf = last?.complete === false;
      // What breaks may be the rest of a request that has its answer already, and no one waits for another.
      if (!socket.writable || isGone || (isHalf && due === 0)) socket.destroy();
      else if (isHalf) exchange?.refuse(refusalFor(error));
      else if (due > 0) connectionOf(socket).refusal = refusalFor(error);
      else refuseNow(socket, refusalFor(error));
    },
    turnAway(socket, error, headers = '') {
      if (this.isDue(socket)) socket.destroy();
      else refuseNow(socket, error, headers);
    },
  };
}

/** Ends a connection with a refusal in the gateway's own form. @param headers whole lines */
export function refuseNow(socket: Duplex, refusal: GatewayError, headers = ''): void {
  if (!socket.writable) return;
  const body = errorBody(refusal);
  closeLingering(
    socket,
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ''}\r\n${headers}` +
      `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Connection: close\r\n\r\n${body}`,
  );
}

function refusalFor({ code, message }: NodeJS.ErrnoException): GatewayError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, code: 'headers_too_large', message: 'The headers are longer than allowed.' };
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return badRequest('The chunk extensions of the body are longer than allowed.');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, code: 'request_timeout', message: 'The request was not complete in time.' };
    default:
      return badRequest(`The request is not valid HTTP: ${message}`);
  }
}
