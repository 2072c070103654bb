/**
 * Requests that ask for a WebSocket (RFC 6455 §4.1, RFC 9110 §7.8). Node hands over the bare connection of such a
 * request; here it gets an answer like any other, so that a refusal by the gateway or by a backend needs nothing
 * special, and becomes one end of a tunnel if the backend agrees.
 */
import { type IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { RawHeaders } from '../streams/ports.ts';
import { announcesBody } from './body.ts';
import { fieldLines, valuesOf } from './headers.ts';
import { closeLingering } from './linger.ts';

/** The one protocol that is passed on; another one asked for is left out, as what concerns one hop only. */
export const WEBSOCKET = 'websocket';
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
/** Before Node 24.9 a server gets either all requests that ask for whatever protocol, or none. */
export const MAY_CHOOSE_UPGRADES = major > 24 || (major === 24 && minor >= 9);

/** A client may not send anything before it is answered; what it sends all the same is kept up to here. */
const MAX_EARLY_BYTES = 64 * 1024;

/** Whether the request asks for a WebSocket, in a way that can be passed on. */
export function asksForWebSocket(request: IncomingMessage): boolean {
  return (
    request.method === 'GET' &&
    request.httpVersion === '1.1' &&
    !announcesBody(request) &&
    hasWebSocket(request.rawHeaders)
  );
}

/** Whether a message names the WebSocket among the protocols of its `Upgrade`. */
export function hasWebSocket(headers: RawHeaders): boolean {
  return valuesOf(headers, 'upgrade').some((value) =>
    value.split(',').some((protocol) => protocol.trim().toLowerCase() === WEBSOCKET),
  );
}

export type Upgrade = {
  /** For an answer other than 101, after which the connection is closed. */
  readonly response: ServerResponse;
  /** Answers 101 and hands over the connection, with what has come early at its front. */
  accept(headers: RawHeaders): Duplex;
};

export type Upgrades = {
  /** @param head what came right behind the request */
  take(request: IncomingMessage, socket: Duplex, head: Buffer): Upgrade;
  /** Ends the connections of which no tunnel has come: node has handed them over, and does not end them itself. */
  cut(): void;
};

export function createUpgrades(): Upgrades {
  const waiting = new Set<Duplex>();
  return {
    take(request, socket, head) {
      const { response, accept } = upgradeOf(request, socket, head);
      waiting.add(socket);
      socket.once('close', () => waiting.delete(socket));
      return {
        response,
        accept(headers) {
          waiting.delete(socket);
          return accept(headers);
        },
      };
    },
    cut() {
      for (const socket of waiting) socket.destroy();
    },
  };
}

function upgradeOf(request: IncomingMessage, socket: Duplex, head: Buffer): Upgrade {
  if (!(socket instanceof Socket)) throw new TypeError('a request comes over a socket');
  const early = head.length > 0 ? [head] : [];
  let size = head.length;
  const keep = (piece: Buffer) => {
    early.push(piece);
    size += piece.length;
    if (size > MAX_EARLY_BYTES) socket.pause();
  };
  // Who closes its side before it has an answer has left, as with any other request.
  const leave = () => socket.destroy();
  socket.on('data', keep);
  socket.on('end', leave);
  socket.on('error', leave);

  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  socket.on('drain', () => response.emit('drain'));
  response.on('finish', () => closeLingering(socket));
  return {
    response,
    accept(headers) {
      socket.off('data', keep);
      socket.off('end', leave);
      socket.pause();
      if (early.length > 0) socket.unshift(Buffer.concat(early));
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fieldLines(headers)}\r\n`, 'latin1');
      return socket;
    },
  };
}
