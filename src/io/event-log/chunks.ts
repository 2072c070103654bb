/**
 * Lines as bytes, appended to buffers that are reused. Lines kept as strings would be traversed by each garbage collection
 * until they are written, which cost more than encoding them.
 */
import { mostBytesOf, writeLine } from './lines.ts';

export type Chunks = {
  readonly full: Buffer[];
  buffer: Buffer;
  used: number;
};

const CHUNK_BYTES = 256 * 1024;
const MOST_SPARE = 8;

const spare: Buffer[] = [];

export function createChunks(): Chunks {
  return { full: [], buffer: spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES), used: 0 };
}

/** Appends a line. @param json an object @param n its number within its segment @returns how many bytes it has become */
export function appendLine(chunks: Chunks, json: string, n: number): number {
  const most = mostBytesOf(json);
  if (most > chunks.buffer.length - chunks.used) makeRoom(chunks, most);
  const start = chunks.used;
  chunks.used = writeLine(chunks.buffer, start, json, n);
  return chunks.used - start;
}

function makeRoom(chunks: Chunks, bytes: number): void {
  if (chunks.used > 0) chunks.full.push(chunks.buffer.subarray(0, chunks.used));
  chunks.buffer =
    bytes > CHUNK_BYTES
      ? Buffer.allocUnsafeSlow(bytes)
      : (spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES));
  chunks.used = 0;
}

/** All that was appended, in order. */
export function bytesOf({ full, buffer, used }: Chunks): Buffer[] {
  return used === 0 ? full : [...full, buffer.subarray(0, used)];
}

/** Gives the buffers back; nobody may look at the bytes any more. */
export function freeChunks({ full, buffer }: Chunks): void {
  // All of them: each that is left to the garbage collector brings the next full collection nearer.
  for (const { buffer: memory } of [...full, buffer]) {
    if (memory.byteLength === CHUNK_BYTES && spare.length < MOST_SPARE) spare.push(Buffer.from(memory));
  }
}
