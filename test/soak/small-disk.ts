/** A disk of a few hundred megabytes, in memory, that can be filled and emptied. To mount it takes root, on Linux. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export type SmallDisk = Disposable & {
  readonly path: string;
  /** Leaves not a byte. */
  fill(): void;
  /** As it was before. */
  empty(): void;
};

const MIB = 1024 * 1024;
/** Twice what the event log may take. */
const SMALL_DISK_BYTES = 256 * MIB;

/** @returns undefined where it cannot be mounted, and says why */
export function mountSmallDisk(path: string, say: (line: string) => void): SmallDisk | undefined {
  mkdirSync(path);
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${SMALL_DISK_BYTES}`, 'tmpfs', path], {
    encoding: 'utf8',
  });
  if (mount.status !== 0) {
    const why = mount.error?.message ?? mount.stderr.trim();
    say(`SKIPPED: the disk is not filled, since no small one can be mounted (${why}); run it as root`);
    return undefined;
  }
  const ballast = join(path, 'ballast');
  return {
    path,
    fill: () => fill(ballast),
    empty: () => rmSync(ballast, { force: true }),
    [Symbol.dispose]() {
      spawnSync('umount', [path]);
    },
  };
}

/** Ever smaller pieces, until none fits. */
function fill(file: string): void {
  const descriptor = openSync(file, 'a');
  for (let bytes = 8 * MIB; bytes >= 1; bytes = bytes >> 3) {
    const piece = Buffer.alloc(bytes);
    try {
      while (writeSync(descriptor, piece) === bytes);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    }
  }
  closeSync(descriptor);
}
