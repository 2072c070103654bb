/** The segment that is being written: whole lines at its end, and the running hash that the next segment will name. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { FilePort } from './files.ts';
import { segmentName } from './segments.ts';

export type SegmentFile = {
  readonly name: string;
  /** Bytes of it that are known to be on the disk; the rest may be lost if the disk fails. */
  readonly syncedBytes: number;
  readonly isDirty: boolean;
  /** Writes whole lines. After it has thrown, nothing may be written any more. @returns their bytes */
  write(lines: readonly Uint8Array[]): Promise<number>;
  sync(): Promise<void>;
  /** @returns the SHA-256 of all its bytes, in hex */
  close(): Promise<string>;
};

/** @param seq the number of its first entry */
export async function createSegmentFile(files: FilePort, folder: string, seq: number): Promise<SegmentFile> {
  const name = segmentName(seq);
  const file = await files.create(join(folder, name));
  const hash = createHash('sha256');
  let bytes = 0;
  let syncedBytes = 0;
  const writeWhole = async (whole: Uint8Array) => {
    for (let done = 0; done < whole.length; ) {
      const written = await file.write(whole.subarray(done), bytes + done);
      if (written === 0) throw Object.assign(new Error('the disk takes no bytes'), { code: 'EIO' });
      done += written;
    }
    hash.update(whole);
    bytes += whole.length;
  };
  return {
    name,
    get syncedBytes() {
      return syncedBytes;
    },
    get isDirty() {
      return bytes > syncedBytes;
    },
    async write(lines) {
      const before = bytes;
      for (const whole of lines) await writeWhole(whole);
      return bytes - before;
    },
    async sync() {
      // What is written while this runs is not covered by it.
      const covered = bytes;
      await file.sync();
      syncedBytes = covered;
    },
    async close() {
      await file.close();
      return hash.digest('hex');
    },
  };
}
