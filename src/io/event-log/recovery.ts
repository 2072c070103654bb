/**
 * Makes the end of a log good again, after a crash or a failed write: what stands behind the last whole line is cut
 * off, and a segment without any entry is removed, or put aside if there are lines in it that cannot be read. Damage
 * further up is left as it is, for replay to report.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { FilePort } from './files.ts';
import { findCompressedEnd, findEnd } from './segment-end.ts';
import { listSegments } from './segments.ts';

export type LogEnd = {
  /** The last segment, as the header of the next one names it; null if there is none. */
  readonly previous: { readonly name: string; readonly sha256: string } | null;
  /** Of the last entry there is; 0 if there is none. */
  readonly lastSeq: number;
  readonly cutBytes: number;
  /** Files that hold damage on which nothing can be built; they are kept, for people to look at. */
  readonly damaged: readonly string[];
};

/** Bytes of a segment behind which nothing is to be believed, since the disk failed to confirm them. */
export type Doubt = { readonly name: string; readonly syncedBytes: number };

const CHUNK_BYTES = 256 * 1024;

export type RecoveryHints = {
  readonly doubt: Doubt | undefined;
  /** The end as it was found before, if nothing but a further segment can have come since. */
  readonly known: LogEnd | undefined;
};

/** @throws whatever the file system throws; it may be called again then */
export async function recoverEnd(
  files: FilePort,
  folder: string,
  { doubt, known }: RecoveryHints,
): Promise<LogEnd> {
  await removeLeftovers(folder);
  let cutBytes = 0;
  const damaged: string[] = [];
  for (const segment of (await listSegments(folder)).reverse()) {
    const { name, file } = segment;
    if (known?.previous?.name === name) return { ...known, cutBytes, damaged };
    const path = join(folder, file);
    if (segment.compression !== 'none') {
      const { sha256, lastSeq, isWhole } = await findCompressedEnd(path, segment);
      if (!isWhole) damaged.push(file);
      return { previous: { name, sha256 }, lastSeq, cutBytes, damaged };
    }
    const limit = doubt?.name === name ? doubt.syncedBytes : Infinity;
    const { size, end, lastSeq, isDamaged } = await findEnd(path, limit);
    const hasEntries = lastSeq >= segment.seq;
    // Lines that cannot be read are more than a crash leaves of a segment without entries.
    if (!hasEntries && isDamaged) {
      damaged.push(await putAside(folder, file));
      continue;
    }
    cutBytes += size - end;
    if (hasEntries) {
      if (end < size) await cut(files, path, end);
      return { previous: { name, sha256: await hashOf(path) }, lastSeq, cutBytes, damaged };
    }
    await files.remove(path);
  }
  return { previous: null, lastSeq: 0, cutBytes, damaged };
}

/** @returns the new name, under which nobody takes the file for a segment */
async function putAside(folder: string, file: string): Promise<string> {
  let aside = `${file}.damaged`;
  for (let count = 2; existsSync(join(folder, aside)); count += 1) aside = `${file}.damaged-${count}`;
  await rename(join(folder, file), join(folder, aside));
  return aside;
}

/** What a compression or a broken lock has left behind. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const file of await readdir(folder)) {
    if (/^(?:events-|reprise\.lock\.).*\.tmp$/.test(file)) await unlink(join(folder, file));
  }
}

async function cut(files: FilePort, path: string, bytes: number): Promise<void> {
  const file = await files.open(path);
  try {
    await file.truncate(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) hash.update(chunk);
  return hash.digest('hex');
}
