/**
 * A backend of a fault run, as a process of its own so that it can be killed and frozen: it gives each request the
 * answer it wishes for, and breaks connections when its parent says so.
 *
 *     node test/soak/backend.ts NAME PORT
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as pass } from 'node:timers/promises';
import {
  BODY_DIGEST,
  digestOf,
  type Fault,
  pieceOf,
  SERVED_BY,
  type Wish,
  wholeAnswer,
  wishIn,
} from './wish.ts';

/** What the parent can have done: this share of all connections ends, or probes get this status. */
export type BackendOrder =
  | { readonly order: 'reset' | 'close'; readonly share: number }
  | { readonly order: 'health'; readonly status: number };

export type BackendNews = { readonly news: 'listening' };

const EVENT_STREAM = 'text/event-stream; charset=utf-8';
/** The port may still be held by a socket of the process before. */
const LISTEN_AGAIN_MS = 50;

if (import.meta.main) serve(process.argv[2] ?? 'backend', Number(process.argv[3]));

function serve(name: string, port: number): void {
  const sockets = new Set<Socket>();
  let health = 200;
  const server = createServer({ keepAliveTimeout: 4_000 }, (request, response) => {
    response.on('error', () => response.destroy());
    if (request.url === '/health') {
      response.writeHead(health).end();
      return;
    }
    answer(name, request, response).catch(() => response.destroy());
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('error', () => setTimeout(() => server.listen(port, '127.0.0.1'), LISTEN_AGAIN_MS));
  server.on('listening', () => process.send?.({ news: 'listening' } satisfies BackendNews));
  process.on('message', (message: BackendOrder) => {
    if (message.order === 'health') health = message.status;
    else for (const socket of sockets) if (Math.random() < message.share) end(socket, message.order);
  });
  process.on('disconnect', () => process.exit());
  server.listen(port, '127.0.0.1');
}

function end(socket: Socket, how: 'reset' | 'close'): void {
  if (how === 'reset') socket.resetAndDestroy();
  else socket.destroy();
}

async function answer(name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  const body = Buffer.concat(parts);
  const wish = wishIn(body);
  if (wish === undefined) {
    response.writeHead(400).end();
    return;
  }
  if (wish.firstMs > 0) await pass(wish.firstMs);
  if (wish.fault !== undefined && (await misbehaveAtOnce(wish.fault, request.socket, response))) return;
  response.setHeader(SERVED_BY, name);
  response.setHeader(BODY_DIGEST, digestOf(body));
  response.setHeader('Content-Type', wish.framing === 'events' ? EVENT_STREAM : 'text/plain');
  if (wish.framing === 'sized')
    response.setHeader('Content-Length', Buffer.byteLength(wholeAnswer(wish, name)));
  if (wish.framing === 'closing') {
    // Neither a length nor chunks: the end of the connection is the end of the answer.
    response.useChunkedEncodingByDefault = false;
    response.shouldKeepAlive = false;
  }
  await writePieces(name, wish, response);
}

async function writePieces(name: string, wish: Wish, response: ServerResponse): Promise<void> {
  const { fault, gapMs } = wish;
  const breakAt = fault !== undefined && 'after' in fault ? fault.after : Number.POSITIVE_INFINITY;
  for (let index = 0; index < wish.pieces && !response.destroyed; index += 1) {
    if (index === breakAt && fault !== undefined) return breakOff(fault, response);
    if (index > 0 && gapMs > 0) await pass(gapMs);
    const isTaken = response.write(pieceOf(wish, name, index));
    if (!isTaken) await hasRoom(response);
  }
  response.end(pieceOf(wish, name, wish.pieces));
}

/** @returns whether that was all there is to the answer */
async function misbehaveAtOnce(fault: Fault, socket: Socket, response: ServerResponse): Promise<boolean> {
  if (fault.kind === 'status') {
    response.writeHead(fault.status, { 'Content-Type': 'text/plain' }).end(`status ${fault.status}`);
  } else if (fault.kind === 'garbage') {
    socket.end('HTTP/1.1 2OO Fine\r\n\r\n');
  } else if (fault.after > 0) {
    return false;
  } else {
    await breakOff(fault, response);
  }
  return true;
}

/** Once all that was written is with the kernel, so that closing takes nothing back. */
async function breakOff(fault: Fault, response: ServerResponse): Promise<void> {
  const { socket } = response;
  if (socket === null || fault.kind === 'stall') return;
  await new Promise<void>((resolve) => {
    socket.write('', () => resolve());
    socket.once('close', () => resolve());
  });
  end(socket, fault.kind === 'reset' ? 'reset' : 'close');
}

function hasRoom(response: ServerResponse): Promise<void> {
  if (response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}
