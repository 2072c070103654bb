/**
 * Closing a client's connection so that the client gets to see the last answer. To close with unread data in the
 * socket sends a RST, on which the client may drop what it has not read yet; so our side is closed first, and
 * what still comes is read and dropped for a while (RFC 9112 §9.6).
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** How long a client may go on sending what nobody wants. */
const LINGER_MS = 2_000;

const closing = new WeakSet<Duplex>();
const last = new WeakSet<Duplex>();

/**
 * Marks a connection whose last answer is settled, though it may have to wait for its turn: what comes behind its request
 * must not be served (RFC 9112 §9.6).
 */
export function serveNoMore(socket: Duplex): void {
  last.add(socket);
}

/** Whether nothing more may be served on this connection. */
export function isLastServed(socket: Duplex): boolean {
  return last.has(socket) || closing.has(socket);
}

/** Whether the last answer on this connection has been given. */
export function isClosing(socket: Duplex): boolean {
  return closing.has(socket);
}

/** Closes our side after what has been written and `lastWords`; the rest once the client closes, or in time. */
export function closeLingering(socket: Duplex, lastWords = ''): void {
  if (closing.has(socket)) return;
  closing.add(socket);
  socket.end(lastWords);
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}

/** Reads on in a body that nobody wants any more. */
export function dropBody(request: IncomingMessage): void {
  request.unpipe();
  request.removeAllListeners('data');
  request.resume();
}

/** The same within a limit of time, so that the next request on the connection is reached or the connection ends. */
export function dropBodyInTime(request: IncomingMessage): void {
  dropBody(request);
  const { socket } = request;
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  const over = () => {
    clearTimeout(timer);
    socket.off('close', over);
  };
  request.once('end', over);
  // Not its own 'close', which a request that has been answered does not have.
  socket.once('close', over);
}
