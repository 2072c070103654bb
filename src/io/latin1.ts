/** Bytes as text and back: a character stands for one byte (Latin-1). */

/** Up to this size, bytes are worth copying into one text with what stands before them: two pieces to write cost more. */
export const MAX_COPIED_BYTES = 8 * 1024;

/** @returns each byte as one character; written as 'latin1', they are the same bytes again */
export function textOf(bytes: Uint8Array): string {
  const buffer =
    bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('latin1');
}
