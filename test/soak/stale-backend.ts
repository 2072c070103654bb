/**
 * A backend that closes its idle connections at any moment, as a process of its own. It frames HTTP by hand, so that it can
 * close just as a request arrives: the race in which a proxy that keeps sockets loses requests.
 *
 *     node test/soak/stale-backend.ts PORT
 */
import { createServer, type Socket } from 'node:net';
import { digestOf } from './wish.ts';

/** How often which kind of end came to a connection. */
export type StaleCounts = {
  answered: number;
  idleFin: number;
  idleReset: number;
  late: number;
  announced: number;
};

const IDLE_MOST_MS = 20;
/** A kept connection is closed as its next request arrives, before that is read. */
const LATE_SHARE = 0.3;
/** The answer says that the connection is closed behind it. */
const ANNOUNCED_SHARE = 0.03;
/** What an answer may promise about how long the connection is kept; most of it is not true. */
const HINTS = ['', '', 'Keep-Alive: timeout=1\r\n', 'Keep-Alive: timeout=2\r\n', 'Keep-Alive: timeout=5\r\n'];

const counts: StaleCounts = { answered: 0, idleFin: 0, idleReset: 0, late: 0, announced: 0 };

if (import.meta.main) listen(Number(process.argv[2]));

function listen(port: number): void {
  const server = createServer({ noDelay: true }, serve);
  server.listen(port, '127.0.0.1', () => process.send?.({ news: 'listening' }));
  process.on('message', () => process.send?.(counts));
  process.on('disconnect', () => process.exit());
}

function serve(socket: Socket): void {
  let received = Buffer.alloc(0);
  let isKept = false;
  let idle: NodeJS.Timeout | undefined;
  socket.on('error', () => socket.destroy());
  socket.on('close', () => clearTimeout(idle));
  socket.on('data', (piece: Buffer) => {
    if (received.length === 0 && isKept && Math.random() < LATE_SHARE) {
      counts.late += 1;
      end(socket);
      return;
    }
    clearTimeout(idle);
    received = Buffer.concat([received, piece]);
    const body = bodyIn(received);
    if (body === undefined) return;
    const closes = answer(socket, received.toString('latin1', 0, 4) === 'GET ', body);
    received = Buffer.alloc(0);
    isKept = true;
    if (closes) socket.end();
    else idle = setTimeout(() => closeIdle(socket), Math.random() * IDLE_MOST_MS);
  });
}

/** @returns the body of a request that is whole; undefined if more is to come */
function bodyIn(received: Buffer): Buffer | undefined {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const length = /\r\ncontent-length: *(\d+)/i.exec(received.toString('latin1', 0, headEnd))?.[1];
  const body = received.subarray(headEnd + 4);
  return body.length < Number(length ?? 0) ? undefined : body;
}

/** @returns whether the answer says that the connection is closed */
function answer(socket: Socket, isProbe: boolean, body: Buffer): boolean {
  const text = isProbe ? 'ok' : digestOf(body);
  const closes = isProbe || Math.random() < ANNOUNCED_SHARE;
  if (!isProbe) counts.answered += 1;
  if (closes && !isProbe) counts.announced += 1;
  const hint = closes ? 'Connection: close\r\n' : HINTS[Math.floor(Math.random() * HINTS.length)];
  socket.write(`HTTP/1.1 200 OK\r\n${hint}Content-Length: ${text.length}\r\n\r\n${text}`);
  return closes;
}

function closeIdle(socket: Socket): void {
  if (end(socket) === 'reset') counts.idleReset += 1;
  else counts.idleFin += 1;
}

function end(socket: Socket): 'reset' | 'close' {
  if (Math.random() < 0.5) {
    socket.resetAndDestroy();
    return 'reset';
  }
  socket.destroy();
  return 'close';
}
