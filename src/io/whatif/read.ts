/**
 * Reads a log for a what-if. Unlike a replay it has to hold something of every request at once, so a log may be too long
 * for it; that is told before the memory is used up, since V8 ends the process without a word about the log.
 */
import { getHeapStatistics } from 'node:v8';
import type { Entry } from '../../actors/events.ts';
import type { LogLine } from '../../actors/log-lines.ts';
import { createRecordingReader, type Recording } from '../../simulation/what-if.ts';
import { createProgress } from '../commands/replay-progress.ts';
import { type Damage, readLog } from '../event-log/reader.ts';
import { LogRefusedError } from '../event-log/reader-files.ts';
import { grouped } from './words.ts';

const MIB = 2 ** 20;
/** The program itself, its garbage, and the young generation, which nothing can stay in. */
const BASE_BYTES = 160 * MIB;
/** What stays of each; measured on logs of half a million entries and more, and a fifth to a half added. */
const BYTES_PER_ENTRY = 100;
const BYTES_PER_REQUEST = 600;
const BYTES_PER_ATTEMPT = 450;
const BYTES_PER_WAIT = 250;

/**
 * @param damage takes what is wrong with the log
 * @param heapLimitBytes what V8 may use
 * @throws LogRefusedError if there is no log, or if it is too long
 */
export async function readRecording(
  path: string,
  damage: Damage[],
  heapLimitBytes = getHeapStatistics().heap_size_limit,
): Promise<Recording> {
  const reader = createRecordingReader();
  const room = createRoom(heapLimitBytes);
  const progress = createProgress('reading', process.stderr);
  try {
    const onDamage = (found: Damage) => damage.push(found);
    for await (const items of readLog(path, { onDamage, onProgress: progress.show })) {
      for (const { line, continuous } of items) {
        room.take(line);
        reader.take(line, continuous);
      }
    }
  } finally {
    progress.clear();
  }
  return reader.finish();
}

function createRoom(heapLimitBytes: number): { take(line: LogLine): void } {
  let left = heapLimitBytes - BASE_BYTES;
  let entries = 0;
  return {
    take(line) {
      if (!('fact' in line)) return;
      left -= bytesKeptOf(line);
      if (left < 0) throw tooLong(entries, heapLimitBytes);
      entries += 1;
    },
  };
}

function bytesKeptOf({ fact, decisions }: Entry): number {
  let bytes = BYTES_PER_ENTRY;
  if (fact.type === 'request.received') bytes += BYTES_PER_REQUEST + fact.requestId.length;
  for (const { type } of decisions) {
    if (type === 'backend.selected') bytes += BYTES_PER_ATTEMPT;
    else if (type === 'request.queued') bytes += BYTES_PER_WAIT;
  }
  return bytes;
}

function tooLong(entries: number, heapLimitBytes: number): LogRefusedError {
  const limit = Math.round(heapLimitBytes / MIB);
  return new LogRefusedError(
    'LOG_TOO_LONG',
    `the log is too long for a what-if: no more than its first ${grouped(entries)} entries fit safely into the ` +
      `${grouped(limit)} MiB of memory that Node may use. Ask about one of its segments instead of the folder, or allow more, such as ` +
      `NODE_OPTIONS=--max-old-space-size=${2 * limit}`,
  );
}
