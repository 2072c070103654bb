/**
 * The files of a log: one folder, one file a segment, named by the sequence number of its first entry so that names
 * sort as entries do. Older ones are compressed.
 */
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';

const NAME = /^events-(\d{16})\.ndjson(\.zst|\.gz)?$/;

export type SegmentName = {
  /** The file's name within its folder. */
  readonly file: string;
  /** The name without a suffix for compression; this is what the next segment's header gives. */
  readonly name: string;
  readonly seq: number;
  readonly compression: 'none' | 'zstd' | 'gzip';
};

/** @returns the name of the segment whose first entry has this number */
export function segmentName(seq: number): string {
  return `events-${String(seq).padStart(16, '0')}.ndjson`;
}

/** @returns what a file name says, or undefined if it is not a segment's */
export function parseSegmentName(file: string): SegmentName | undefined {
  const match = NAME.exec(file);
  if (match === null) return undefined;
  const [, seq = '', suffix] = match;
  const compression = suffix === '.zst' ? 'zstd' : suffix === '.gz' ? 'gzip' : 'none';
  return { file, name: file.slice(0, file.length - (suffix?.length ?? 0)), seq: Number(seq), compression };
}

/** @returns the segments of a folder, oldest first; of one that stands there twice (a compression was cut short) the plain one */
export async function listSegments(folder: string): Promise<SegmentName[]> {
  const byName = new Map<string, SegmentName>();
  for (const file of (await readdir(folder)).sort()) {
    const segment = parseSegmentName(file);
    if (segment !== undefined && !byName.has(segment.name)) byName.set(segment.name, segment);
  }
  return [...byName.values()].sort((a, b) => a.seq - b.seq);
}

/** The hash of a state, as snapshots and checkpoints carry it: SHA-256 in hex, the first 16 digits. */
export function stateHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
