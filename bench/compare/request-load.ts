/**
 * A closed loop over kept connections, in slices: each connection sends a request as soon as the last is answered, until
 * all of the slice are made. wrk cannot do that: its connections do not outlive a run.
 */
import type { Socket } from 'node:net';
import { openConnection } from './connection.ts';
import { chatRequest } from './fixed-answer.ts';
import { createMessageReader } from './message-reader.ts';

export type RequestLoad = {
  /** Makes so many requests; throws unless each is answered with 200. */
  slice(requests: number): Promise<void>;
  close(): void;
};

const REQUEST = chatRequest(false);
const SLICE_WITHIN_MS = 60_000;

type Slice = { unasked: number; unanswered: number; done(error?: Error): void };

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
    async slice(requests) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const late = setTimeout(
        () => fail(`${requests} requests took more than ${SLICE_WITHIN_MS / 1000} s`),
        SLICE_WITHIN_MS,
      );
      const first = Math.min(requests, connections);
      current = {
        unasked: requests - first,
        unanswered: requests,
        done: (error) => (error === undefined ? resolve() : reject(error)),
      };
      for (const socket of sockets.slice(0, first)) socket.write(REQUEST, 'latin1');
      return promise.finally(() => {
        clearTimeout(late);
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
  slice.unanswered -= 1;
  if (slice.unasked > 0) {
    slice.unasked -= 1;
    socket.write(REQUEST, 'latin1');
  } else if (slice.unanswered === 0) slice.done();
}
