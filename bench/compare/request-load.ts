/**
 * A closed loop over kept connections, in slices: each connection sends a request as soon as the last is answered, until
 * the slice is over. wrk cannot do that: its connections do not outlive a run.
 */
import type { Socket } from 'node:net';
import { openConnection } from './connection.ts';
import { chatRequest } from './fixed-answer.ts';
import { createMessageReader } from './message-reader.ts';

export type RequestLoad = {
  /** Loads for this long. @returns how many requests were answered; throws where one was not, with 200 */
  slice(ms: number): Promise<number>;
  close(): void;
};

const REQUEST = chatRequest(false);
const STUCK_MS = 10_000;

type Slice = { readonly endsAt: number; underWay: number; answered: number; done(error?: Error): void };

export function createRequestLoad(port: number, connections: number): RequestLoad {
  let current: Slice | undefined;
  let isClosing = false;
  const fail = (reason: string) => current?.done(new Error(reason));
  const sockets = Array.from({ length: connections }, () => connection());

  function connection(): Socket {
    const take = createMessageReader({
      head(text) {
        if (text.slice(9, 12) !== '200') fail(`it answered ${text.split('\r\n', 1)[0]}`);
      },
      body() {},
      end() {
        if (current !== undefined) answered(current, socket);
      },
    });
    const socket = openConnection(port, {
      text: take,
      closed() {
        if (!isClosing) fail('it closed a connection');
      },
    });
    return socket;
  }

  return {
    async slice(ms) {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      const stuck = setTimeout(() => fail(`no answer came for ${STUCK_MS / 1000} s`), ms + STUCK_MS);
      const slice: Slice = {
        endsAt: performance.now() + ms,
        underWay: connections,
        answered: 0,
        done: (error) => (error === undefined ? resolve(slice.answered) : reject(error)),
      };
      current = slice;
      for (const socket of sockets) socket.write(REQUEST, 'latin1');
      return promise.finally(() => {
        clearTimeout(stuck);
        current = undefined;
      });
    },
    close() {
      isClosing = true;
      for (const socket of sockets) socket.destroy();
    },
  };
}

function answered(slice: Slice, socket: Socket): void {
  slice.answered += 1;
  if (performance.now() < slice.endsAt) {
    socket.write(REQUEST, 'latin1');
    return;
  }
  slice.underWay -= 1;
  if (slice.underWay === 0) slice.done();
}
