/** Removes the oldest segments when there is too much of them, or when they are too old; never the one being written. */
import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { parseSegmentName } from './segments.ts';

export type RetentionLimits = { readonly maxBytes: number; readonly maxAgeMs: number };

/**
 * @param current the name of the segment being written
 * @returns the files that were removed
 */
export async function removeOldSegments(
  dir: string,
  current: string,
  { maxBytes, maxAgeMs }: RetentionLimits,
): Promise<string[]> {
  const removed: string[] = [];
  const files = await Promise.all((await segmentFiles(dir)).map((file) => describe(dir, file)));
  const oldestToKeep = Date.now() - maxAgeMs;
  let total = files.reduce((sum, { size }) => sum + size, 0);
  for (const { file, name, size, mtimeMs } of files) {
    if (name >= current || (total <= maxBytes && mtimeMs >= oldestToKeep)) break;
    await unlink(join(dir, file));
    total -= size;
    removed.push(file);
  }
  return removed;
}

/** By age, the oldest first: names sort as entries do. */
async function segmentFiles(dir: string): Promise<string[]> {
  return (await readdir(dir)).filter((file) => parseSegmentName(file) !== undefined).sort();
}

async function describe(dir: string, file: string) {
  const { size, mtimeMs } = await stat(join(dir, file));
  return { file, name: parseSegmentName(file)?.name ?? file, size, mtimeMs };
}
