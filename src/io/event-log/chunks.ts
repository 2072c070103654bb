/**
 * Text as bytes, appended to buffers that are used again and again. Lines kept as strings would be walked over by each
 * garbage collection until they are written, which cost more than to encode them.
 */

export type Chunks = {
  readonly full: Buffer[];
  buffer: Buffer;
  used: number;
};

const CHUNK_BYTES = 256 * 1024;
/** A UTF-16 unit becomes three bytes at most. */
const MOST_BYTES_PER_UNIT = 3;
const MOST_SPARE = 4;

const spare: Buffer[] = [];

export function createChunks(): Chunks {
  return { full: [], buffer: spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES), used: 0 };
}

/** @returns how many bytes the text has become */
export function appendText(chunks: Chunks, text: string): number {
  if (text.length * MOST_BYTES_PER_UNIT > chunks.buffer.length - chunks.used) makeRoom(chunks, text);
  const bytes = chunks.buffer.write(text, chunks.used);
  chunks.used += bytes;
  return bytes;
}

function makeRoom(chunks: Chunks, text: string): void {
  if (chunks.used > 0) chunks.full.push(chunks.buffer.subarray(0, chunks.used));
  const bytes = text.length * MOST_BYTES_PER_UNIT <= CHUNK_BYTES ? CHUNK_BYTES : Buffer.byteLength(text);
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
export function freeChunks({ buffer }: Chunks): void {
  if (buffer.length === CHUNK_BYTES && spare.length < MOST_SPARE) spare.push(buffer);
}
