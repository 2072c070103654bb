/** Addresses at which a connection cannot be had: one that refuses it, and one that never answers. */
import { once } from 'node:events';
import net from 'node:net';
import { Worker } from 'node:worker_threads';
import { listenOnLoopback } from '../../support/listen.ts';

export type ClosedPort = AsyncDisposable & { readonly port: number };

/** A port that nobody listens on. It is the near end of a connection that lasts as long, or the system might give it to a listener. */
export async function deadPort(): Promise<ClosedPort> {
  const server = net.createServer();
  const far = once(server, 'connection');
  const near = net.connect(await listenOnLoopback(server), '127.0.0.1');
  const [[accepted]] = await Promise.all([far, once(near, 'connect')]);
  if (near.localPort === undefined) throw new TypeError('a connection has no port');
  return {
    port: near.localPort,
    async [Symbol.asyncDispose]() {
      near.destroy();
      accepted.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const LISTEN_AND_SLEEP = `
  const { parentPort } = require('node:worker_threads');
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    // Given the time to leave, the thread accepts nothing any more; it ends with its worker.
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  });
`;

/** Connections a listener with a backlog of 1 holds unaccepted. */
const BACKLOG = 2;

/**
 * A port where a connection neither opens nor fails: its listener sleeps, and the places in its backlog are taken,
 * so that the kernel drops every further SYN.
 */
export async function silentPort(): Promise<ClosedPort> {
  const worker = new Worker(LISTEN_AND_SLEEP, { eval: true });
  const [port]: number[] = await once(worker, 'message');
  if (port === undefined) throw new TypeError('the worker listens nowhere');
  const places = Array.from({ length: BACKLOG }, () => net.connect(port, '127.0.0.1').on('error', () => {}));
  await Promise.all(places.map((place) => once(place, 'connect')));
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const place of places) place.destroy();
      await worker.terminate();
    },
  };
}
