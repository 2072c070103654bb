/**
 * The backend of the benchmark, a process of its own: three ports over bare sockets, as cheap as may be.
 *
 *     node bench/compare/backend.ts [CHUNKS] [GAP_MS]
 *
 * A request with `"stream":true` gets so many chunks, the first at once and then one each gap; any other a fixed answer of
 * 438 bytes. It says on stdout where it listens.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { chunkFrame, DONE_FRAME, nowUs } from './events.ts';
import { FIXED_ANSWER } from './fixed-answer.ts';
import { createMessageReader } from './message-reader.ts';

type Stream = { readonly socket: Socket; left: number; dueMs: number };

const PORTS = 3;
const [chunks = '50', gapMs = '20'] = process.argv.slice(2);
const CHUNKS = Number(chunks);
const GAP_MS = Number(gapMs);
const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
const FIXED =
  'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n' +
  `Content-Length: ${FIXED_ANSWER.length}\r\n\r\n${FIXED_ANSWER}`;

const streams = createTimetable();
const servers = Array.from({ length: PORTS }, () => createServer({ noDelay: true }, serve));
await Promise.all(servers.map(listen));
process.stdout.write(`listening on ${servers.map(portOf).join(' ')}\n`);

function serve(socket: Socket): void {
  let isStream = false;
  const take = createMessageReader({
    head() {
      isStream = false;
    },
    body(text) {
      isStream ||= text.includes('"stream":true');
    },
    end() {
      if (isStream) streams.start(socket);
      else socket.write(FIXED, 'latin1');
    },
  });
  socket.on('data', (bytes: Buffer) => take(bytes.toString('latin1')));
  // A proxy may close whenever it likes.
  socket.on('error', () => {});
}

/** As the gap is the same for all, those that are due stand first in one queue, and one timer serves them. */
function createTimetable() {
  let queue: Stream[] = [];
  let isTicking = false;
  const send = (stream: Stream, before: string): void => {
    stream.left -= 1;
    const text = `${before}${chunkFrame(nowUs())}`;
    stream.socket.write(stream.left === 0 ? text + DONE_FRAME : text, 'latin1');
    if (stream.left > 0) queue.push(stream);
  };
  const tick = (): void => {
    const now = performance.now();
    let count = 0;
    for (const stream of queue) {
      if (stream.dueMs > now) break;
      count += 1;
      // The next time comes from the one before, so that delays do not slow the stream down.
      stream.dueMs += GAP_MS;
      if (!stream.socket.destroyed) send(stream, '');
    }
    queue = queue.slice(count);
    const [next] = queue;
    isTicking = next !== undefined;
    if (next !== undefined) setTimeout(tick, Math.max(1, Math.ceil(next.dueMs - performance.now())));
  };
  return {
    start(socket: Socket): void {
      send({ socket, left: CHUNKS, dueMs: performance.now() + GAP_MS }, HEAD);
      if (!isTicking) setTimeout(tick, GAP_MS);
      isTicking = true;
    },
  };
}

function listen(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, resolve);
  return promise;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the backend does not listen');
  return address.port;
}
