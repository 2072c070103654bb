/**
 * Compresses a segment that is closed, by zstd or, where this Node has none, by gzip. The compressed file takes the
 * plain one's place only when it is whole and on the disk; the hash in the next header stays that of the plain bytes.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import { realFiles } from './files.ts';
import type { SegmentName } from './segments.ts';

const CHUNK_BYTES = 256 * 1024;

/** @throws what reading or writing throws, or the reason of the signal; the plain file is left as it was then */
export async function compressSegment(dir: string, segment: SegmentName, signal: AbortSignal): Promise<void> {
  const { suffix, transform } = compressor();
  const from = join(dir, segment.file);
  const to = `${from}${suffix}`;
  const temporary = `${to}.tmp`;
  const { atime, mtime } = await stat(from);
  try {
    await pipeline(
      createReadStream(from, { highWaterMark: CHUNK_BYTES }),
      transform,
      createWriteStream(temporary, { flush: true }),
      { signal },
    );
    // The age of what it holds, by which it will be removed.
    await utimes(temporary, atime, mtime);
    await rename(temporary, to);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await realFiles.syncFolder(dir);
  await unlink(from);
}

function compressor(): { suffix: string; transform: Transform } {
  if (typeof zlib.createZstdCompress !== 'function') {
    return { suffix: '.gz', transform: zlib.createGzip({ chunkSize: CHUNK_BYTES }) };
  }
  // With a checksum of its own, so that damage is found when it is read.
  const params = {
    [zlib.constants.ZSTD_c_checksumFlag]: 1,
    // The fastest of the regular levels makes such text as small as the usual one does.
    [zlib.constants.ZSTD_c_compressionLevel]: 1,
  };
  return { suffix: '.zst', transform: zlib.createZstdCompress({ chunkSize: CHUNK_BYTES, params }) };
}
