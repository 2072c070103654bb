/**
 * Clients of event streams, so many at a time: each begins its next stream as soon as one has ended, until time is up. What
 * comes is checked event by event, and the delay of each chunk is known from the time that it carries.
 */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { openConnection } from './connection.ts';
import { createEventReader, nowUs } from './events.ts';
import { chatRequest } from './fixed-answer.ts';
import { createMessageReader } from './message-reader.ts';

export type StreamLoad = {
  readonly port: number;
  readonly streams: number;
  /** Chunks that each stream must have. */
  readonly chunks: number;
  /** For how long new streams are begun. */
  readonly ms: number;
};

export type StreamFigures = {
  completed: number;
  chunks: number;
  /** How many streams failed, by what was wrong. */
  readonly errors: Map<string, number>;
  readonly firstByteMs: number[];
  readonly delayMs: number[];
};

const REQUEST = chatRequest(true);
/** The streams are begun evenly over this time, so that they do not beat in step. */
const RAMP_MS = 1_000;
/** How long a stream may take in all. */
const STREAM_WITHIN_MS = 20_000;

/** Runs the load to its end. @returns what came of it; a stream that fails is counted, and another begun */
export async function loadStreams(load: StreamLoad): Promise<StreamFigures> {
  const figures: StreamFigures = { completed: 0, chunks: 0, errors: new Map(), firstByteMs: [], delayMs: [] };
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: load.streams }, async (_, index) => {
      await sleep((index * Math.min(RAMP_MS, load.ms / 2)) / load.streams);
      const client = createClient(load, figures);
      do {
        const problem = await client.stream();
        if (problem === undefined) figures.completed += 1;
        else {
          figures.errors.set(problem, (figures.errors.get(problem) ?? 0) + 1);
          await sleep(10);
        }
      } while (performance.now() - startedAt < load.ms);
      client.close();
    }),
  );
  return figures;
}

/** One client with its connection, which it keeps for as long as all is well. */
function createClient({ port, chunks }: StreamLoad, figures: StreamFigures) {
  let socket: Socket | undefined;
  let conclude: (problem?: string) => void = () => {};
  let seen = 0;
  let isDone = false;
  let askedAtUs = 0;
  let isFirst = true;

  const open = (): Socket => {
    const takeEvents = createEventReader({
      chunk(sentAtUs) {
        seen += 1;
        figures.chunks += 1;
        figures.delayMs.push((nowUs() - sentAtUs) / 1e3);
      },
      done() {
        isDone = true;
      },
      wrong: () => conclude('other bytes than were sent'),
    });
    const take = createMessageReader({
      head(text) {
        if (text.slice(9, 12) !== '200') conclude(`status ${text.slice(9, 12)}`);
      },
      body(text) {
        if (isFirst) figures.firstByteMs.push((nowUs() - askedAtUs) / 1e3);
        isFirst = false;
        takeEvents(text);
      },
      end: () => conclude(isDone && seen === chunks ? undefined : 'chunks are missing'),
    });
    const opened = openConnection(port, {
      text: take,
      closed() {
        if (socket === opened) conclude('closed before its end');
      },
    });
    return opened;
  };

  return {
    /** @returns what was wrong with it, or undefined */
    async stream(): Promise<string | undefined> {
      const { promise, resolve } = Promise.withResolvers<string | undefined>();
      conclude = resolve;
      [seen, isDone, isFirst, askedAtUs] = [0, false, true, nowUs()];
      socket ??= open();
      socket.write(REQUEST, 'latin1');
      const late = setTimeout(conclude, STREAM_WITHIN_MS, 'took too long');
      const problem = await promise;
      clearTimeout(late);
      if (problem !== undefined) close();
      return problem;
    },
    close,
  };

  function close(): void {
    const closing = socket;
    socket = undefined;
    closing?.destroy();
  }
}
