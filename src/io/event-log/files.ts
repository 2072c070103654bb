/**
 * The few operations on files that recording is made of, as an interface: a test can put a disk in their place that is
 * full, slow or broken.
 */
import { type FileHandle, open, unlink } from 'node:fs/promises';

export type LogFile = {
  /** @returns how many of the bytes were written, which may be fewer than given */
  write(bytes: Uint8Array, position: number): Promise<number>;
  /** Forces what was written to the disk. */
  sync(): Promise<void>;
  truncate(bytes: number): Promise<void>;
  close(): Promise<void>;
};

export type FilePort = {
  /** Creates a file that must not exist yet. */
  create(path: string): Promise<LogFile>;
  /** Opens an existing file for writing. */
  open(path: string): Promise<LogFile>;
  remove(path: string): Promise<void>;
  /** Forces the names in a folder to the disk; a file that was synced is lost with its name. */
  syncFolder(path: string): Promise<void>;
};

export const realFiles: FilePort = {
  create: async (path) => logFile(await open(path, 'wx')),
  open: async (path) => logFile(await open(path, 'r+')),
  remove: unlink,
  async syncFolder(path) {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
};

function logFile(handle: FileHandle): LogFile {
  return {
    async write(bytes, position) {
      const { bytesWritten } = await handle.write(bytes, 0, bytes.length, position);
      return bytesWritten;
    },
    sync: () => handle.datasync(),
    truncate: (bytes) => handle.truncate(bytes),
    close: () => handle.close(),
  };
}
