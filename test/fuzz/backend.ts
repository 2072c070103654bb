/**
 * A backend that reads strictly what the gateway sends it, remembers who asked for what, and answers with an echo, or
 * with the bytes that a case has prepared for it.
 */
import { once } from 'node:events';
import net from 'node:net';
import { listenOnLoopback } from '../support/listen.ts';
import { echoMessage } from './echo.ts';
import { valuesOf } from './http/fields.ts';
import { type RequestRead, readRequest } from './http/requests.ts';
import { markersIn } from './markers.ts';

/** How a prepared answer is sent, and what becomes of the connection then. */
export type Prepared = {
  readonly pieces: readonly string[];
  readonly ending: 'stay' | 'FIN' | 'RST';
  /** How many attempts get it; later ones get an echo. */
  readonly times: number;
};

export type Backend = {
  readonly name: string;
  readonly port: number;
  /** Connections that are open. */
  connections(): number;
  close(): Promise<void>;
};

/** What all backends of a world share. */
export type Records = {
  /** What clients asked for, by their address. */
  readonly seen: Map<string, RequestRead[]>;
  /** Answers prepared by cases, by their marker. */
  readonly prepared: Map<string, Prepared>;
  /** How often a prepared answer was given, by the marker. */
  readonly given: Map<string, number>;
  complain(what: string): void;
};

export async function startBackend(name: string, records: Records): Promise<Backend> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // A client that leaves takes the gateway's connection with it.
    socket.on('error', () => socket.destroy());
    serve(socket, records);
  });
  const port = await listenOnLoopback(server);
  return {
    name,
    port,
    connections: () => sockets.size,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function serve(socket: net.Socket, records: Records): void {
  let text = '';
  socket.on('data', (piece) => {
    text += piece.toString('latin1');
    while (text !== '' && !socket.destroyed) {
      const request = readRequest(text, 0);
      if ('fault' in request) {
        if (request.fault === 'malformed') {
          records.complain(`the gateway sent a backend ${request.why}; all of it: ${JSON.stringify(text)}`);
          socket.destroy();
        }
        return;
      }
      text = text.slice(request.end);
      if (text !== '')
        records.complain(`the gateway sent a backend bytes behind a request: ${JSON.stringify(text)}`);
      // What the gateway fills in where the client of HTTP/1.0 named no host.
      const host = request.ok.host === `127.0.0.1:${socket.localPort}` ? '' : request.ok.host;
      answer(socket, { ...request.ok, host }, records);
    }
  });
}

function answer(socket: net.Socket, request: RequestRead, records: Records): void {
  if (request.target === '/health') {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    return;
  }
  const addresses = valuesOf(request.fields, 'x-real-ip');
  const [address = ''] = addresses;
  if (addresses.length !== 1) records.complain(`the gateway named ${addresses.length} clients: ${addresses}`);
  const seen = records.seen.get(address);
  if (seen === undefined) records.seen.set(address, [request]);
  else seen.push(request);
  const [marker = ''] = markersIn(request.target);
  const prepared = records.prepared.get(marker);
  const given = records.given.get(marker) ?? 0;
  records.given.set(marker, given + 1);
  if (prepared === undefined || given >= prepared.times)
    socket.write(echoMessage(request, address), 'latin1');
  else void give(socket, prepared);
}

async function give(socket: net.Socket, { pieces, ending }: Prepared): Promise<void> {
  for (const piece of pieces) {
    if (!socket.writable) return;
    await new Promise<void>((written) => socket.write(piece, 'latin1', () => written()));
    await new Promise((done) => setImmediate(done));
  }
  if (ending === 'FIN') socket.end();
  if (ending === 'RST') socket.resetAndDestroy();
}
