/** What the system tells of another process: its descriptors, its memory, and the bytes it has written into a folder. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';

export type Descriptors = { readonly sockets: number; readonly all: number };

/** @returns undefined where the system does not tell (it is no Linux), or the process is gone */
export function descriptorsOf(pid: number | undefined): Descriptors | undefined {
  try {
    const all = readdirSync(`/proc/${pid}/fd`);
    const sockets = all.filter((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:');
      } catch {
        return false;
      }
    });
    return { sockets: sockets.length, all: all.length };
  } catch {
    return undefined;
  }
}

/** Resident memory; undefined as above. */
export function rssOf(pid: number | undefined): number | undefined {
  try {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}

/** The files directly in a folder. */
export function bytesIn(folder: string): number {
  let bytes = 0;
  for (const name of readdirSync(folder, { withFileTypes: true })) {
    // Rotated or removed meanwhile.
    const stat = name.isFile() ? statSync(join(folder, name.name), { throwIfNoEntry: false }) : undefined;
    bytes += stat?.size ?? 0;
  }
  return bytes;
}
