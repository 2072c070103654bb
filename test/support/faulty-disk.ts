/** A disk that fails on command: full, broken, or hanging. */
import { type FilePort, realFiles } from '../../src/io/event-log/files.ts';

type Operation = 'create' | 'open' | 'write' | 'sync' | 'truncate' | 'close' | 'remove' | 'syncFolder';

export type FaultyDisk = {
  readonly files: FilePort;
  /** Makes an operation fail with this code from now on; undefined mends it. */
  break(operation: Operation, code: string | undefined): void;
  /** How often it has failed. */
  readonly failures: number;
  /** How many bytes of each write are taken before its fault strikes; all, if undefined. */
  takeBytes: number | undefined;
  /** Makes writes and syncs wait, as on a disk that hangs, until the returned function is called. */
  hang(): () => void;
};

/** The real disk, as long as nothing is broken. */
export function faultyDisk(): FaultyDisk {
  const faults = new Map<Operation, string>();
  let gate = Promise.resolve();
  let failures = 0;
  const pass = async (operation: Operation) => {
    await gate;
    const code = faults.get(operation);
    if (code === undefined) return;
    failures += 1;
    throw Object.assign(new Error(`${code}: injected`), { code });
  };
  const wrap = (file: Awaited<ReturnType<FilePort['create']>>) => ({
    async write(bytes: Uint8Array, position: number) {
      await gate;
      const taken = Math.min(bytes.length, disk.takeBytes ?? bytes.length);
      const fault = faults.get('write');
      // A disk that is full takes what fits, and fails the next time.
      if (fault !== undefined && taken === bytes.length) await pass('write');
      const written = await file.write(bytes.subarray(0, taken), position);
      if (fault !== undefined) disk.takeBytes = undefined;
      return written;
    },
    async sync() {
      await pass('sync');
      await file.sync();
    },
    async truncate(bytes: number) {
      await pass('truncate');
      await file.truncate(bytes);
    },
    async close() {
      await file.close();
      await pass('close');
    },
  });
  const disk: FaultyDisk = {
    takeBytes: undefined,
    get failures() {
      return failures;
    },
    files: {
      async create(path) {
        await pass('create');
        return wrap(await realFiles.create(path));
      },
      async open(path) {
        await pass('open');
        return wrap(await realFiles.open(path));
      },
      async remove(path) {
        await pass('remove');
        await realFiles.remove(path);
      },
      async syncFolder(path) {
        await pass('syncFolder');
        await realFiles.syncFolder(path);
      },
    },
    break(operation, code) {
      if (code === undefined) faults.delete(operation);
      else faults.set(operation, code);
    },
    hang() {
      let release = () => {};
      gate = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    },
  };
  return disk;
}
