/**
 * The operator's log, by pino: lines of JSON, or for a terminal the same as text. It is written beside the traffic:
 * a terminal that is held, or a reader that has stopped reading, costs log lines and never a request.
 */
import pino, { type DestinationStream, type Logger } from 'pino';
import { prettyFactory } from 'pino-pretty';

export type { Logger } from 'pino';

export type LogSettings = { readonly level: string; readonly format: 'pretty' | 'json' };

export type Log = {
  readonly log: Logger;
  /** Resolves when all that was logged has been written, or after a second if nobody reads it. */
  flush(): Promise<void>;
};

/** What may wait for its reader; lines beyond it are dropped. */
const MAX_WAITING_BYTES = 1024 * 1024;
const FLUSH_TIMEOUT_MS = 1_000;
const STANDARD_OUTPUT = 1;

/** @returns a logger on standard output */
export function createLogger({ level, format }: LogSettings): Log {
  // Asked for in either format: by that node makes a pipe not block, which else would hold a thread, and with it the end of the process.
  const colorize = process.stdout.isTTY;
  const output = pino.destination({
    dest: STANDARD_OUTPUT,
    sync: false,
    maxLength: MAX_WAITING_BYTES,
    // Each line is written at once all the same; but with 0, which is the default, `flush` does not wait for anything.
    minLength: 1,
  });
  // A reader that has gone away (EPIPE) is no reason to stop serving.
  output.on('error', () => {});
  // pino calls it as the process ends, and it does not return before somebody reads, or the disk has room again. `flush` does.
  output.flushSync = () => {};
  const options = { level, base: null };
  const log =
    format === 'json'
      ? pino({ ...options, timestamp: pino.stdTimeFunctions.isoTime }, output)
      : pino(
          options,
          linesInWords(colorize, (text) => output.write(text)),
        );
  const flush = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, FLUSH_TIMEOUT_MS);
      output.flush(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  return { log, flush };
}

/** Text for people. It is made before a line waits to be written, so that `flush` knows of it. */
function linesInWords(colorize: boolean, write: (text: string) => void): DestinationStream {
  const inWords = prettyFactory({
    colorize,
    translateTime: 'SYS:HH:MM:ss.l',
    // The messages say it in words and the other fields are for machines; but an error needs its stack.
    include: 'level,time,pid,msg,err',
  });
  return { write: (line) => write(inWords(line)) };
}
