/**
 * Large bodies whose every byte can be verified. The content is made of 64 KiB blocks that begin with their own
 * number, so that a lost, doubled or swapped block is noticed, and making one costs no more than a copy.
 */

export const BLOCK_BYTES = 65_536;
const NUMBER_BYTES = 8;

const PATTERN = Buffer.alloc(BLOCK_BYTES);
for (let i = 0; i < BLOCK_BYTES; i++) PATTERN[i] = (i * 7 + (i >> 8) * 13) & 0xff;

/** The content of a blob of `totalBytes`, piece by piece. */
export function* blobPieces(totalBytes: number): Generator<Buffer> {
  for (let offset = 0, index = 0; offset < totalBytes; offset += BLOCK_BYTES, index++) {
    const block = blobBlock(index);
    yield totalBytes - offset < BLOCK_BYTES ? block.subarray(0, totalBytes - offset) : block;
  }
}

export type BlobCheck = {
  /** Takes the next bytes; throws an Error that names the first wrong offset. */
  update(chunk: Uint8Array): void;
  /** How many bytes were right so far. */
  readonly bytes: number;
};

/**
 * Verifies a blob as it arrives, in chunks of any size.
 *
 * @example
 * const check = createBlobCheck();
 * for await (const chunk of response) check.update(chunk);
 * assert.equal(check.bytes, 300_000_000);
 */
export function createBlobCheck(): BlobCheck {
  let bytes = 0;
  let index = 0;
  let expected = blobBlock(0);
  return {
    update(chunk) {
      let start = 0;
      while (start < chunk.length) {
        const within = bytes % BLOCK_BYTES;
        const length = Math.min(BLOCK_BYTES - within, chunk.length - start);
        const wrong = firstDifference(expected, within, chunk, start, length);
        if (wrong >= 0) throw new Error(`the blob differs at byte ${bytes + wrong}`);
        bytes += length;
        start += length;
        if (bytes % BLOCK_BYTES === 0) expected = blobBlock(++index);
      }
    },
    get bytes() {
      return bytes;
    },
  };
}

function blobBlock(index: number): Buffer {
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  PATTERN.copy(block, NUMBER_BYTES, NUMBER_BYTES);
  block.writeBigUInt64BE(BigInt(index));
  return block;
}

/** How far from the start the two ranges first differ, or -1. */
function firstDifference(
  expected: Buffer,
  expectedStart: number,
  actual: Uint8Array,
  actualStart: number,
  length: number,
): number {
  const order = expected.compare(
    actual,
    actualStart,
    actualStart + length,
    expectedStart,
    expectedStart + length,
  );
  if (order === 0) return -1;
  for (let i = 0; i < length; i++) {
    if (expected[expectedStart + i] !== actual[actualStart + i]) return i;
  }
  return -1;
}
