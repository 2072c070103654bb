/** The operator's log, by pino: lines of JSON, or for a terminal the same as text. */
import pino, { type Logger } from 'pino';
import pretty from 'pino-pretty';

export type { Logger } from 'pino';

export type LogSettings = { readonly level: string; readonly format: 'pretty' | 'json' };

/** @returns a logger on standard output; synchronous, so that the last words before an exit are not lost */
export function createLogger({ level, format }: LogSettings): Logger {
  const options = { level, base: null };
  if (format === 'json')
    return pino(
      { ...options, timestamp: pino.stdTimeFunctions.isoTime },
      pino.destination({ dest: 1, sync: true }),
    );
  return pino(
    options,
    pretty({ colorize: process.stdout.isTTY, translateTime: 'SYS:HH:MM:ss.l', sync: true }),
  );
}
