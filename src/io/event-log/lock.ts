/**
 * One gateway per folder. The lock is a file with the pid of its holder, who touches it every few seconds: it is stale
 * when the pid is dead, or, where a pid says nothing (after a boot, in another container), when nobody has touched it
 * for a while.
 */
import { randomUUID } from 'node:crypto';
import { open, readFile, rename, stat, unlink, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

const NAME = 'reprise.lock';
/** The code of the error when another gateway has the folder. */
export const LOCKED = 'EVENT_LOG_LOCKED';
/** How often the holder is to call `isHeld`. */
export const LOCK_BEAT_MS = 5_000;
const STALE_AFTER_MS = 3 * LOCK_BEAT_MS;

/** Tells this process from an earlier one of the same pid, as each start of a container may have. */
const RUN = randomUUID();

/** The locks that this process holds: another of its own was left behind, as by a lock that could not be removed. */
const held = new Set<string>();

type Holder = { readonly pid: number; readonly host: string; readonly run: string; readonly lock: string };

export type Lock = {
  /**
   * Touches the lock.
   *
   * @returns false if somebody else has taken it, as after a long sleep of this machine
   * @throws the error of the file system, which says nothing about who has the lock
   */
  isHeld(): Promise<boolean>;
  release(): Promise<void>;
};

/**
 * @returns the lock of the folder
 * @throws Error with the code `LOCKED` if another gateway holds it, or the error of the file system
 */
export async function acquireLock(folder: string): Promise<Lock> {
  const path = join(folder, NAME);
  const lock = randomUUID();
  const content = JSON.stringify({ pid: process.pid, host: hostname(), run: RUN, lock });
  // Before the file is there, or another of this process might take it for one that was left behind.
  held.add(lock);
  try {
    await take(folder, path, content);
  } catch (error) {
    held.delete(lock);
    throw error;
  }
  const isOurs = async () => {
    const isSame = (await readIfThere(path)) === content;
    if (!isSame) held.delete(lock);
    return isSame;
  };
  return {
    async isHeld() {
      if (!(await isOurs())) return false;
      const now = new Date();
      await utimes(path, now, now);
      return true;
    },
    async release() {
      try {
        if (await isOurs()) await unlink(path);
      } finally {
        held.delete(lock);
      }
    },
  };
}

async function take(folder: string, path: string, content: string): Promise<void> {
  if (await create(path, content)) return;
  await breakIfStale(path);
  if (!(await create(path, content))) throw lockedError(folder, await readHolder(path));
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function create(path: string, content: string): Promise<boolean> {
  try {
    const handle = await open(path, 'wx');
    try {
      await handle.writeFile(content);
    } catch (error) {
      await unlink(path);
      throw error;
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Two may find the same stale lock. The rename goes to one of them; one that caught the other's new lock instead puts
 * it back.
 */
async function breakIfStale(path: string): Promise<void> {
  if (!(await isStale(path))) return;
  const aside = `${path}.${randomUUID()}.tmp`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if (await isStale(aside)) await unlink(aside);
  else await rename(aside, path);
}

async function isStale(path: string): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > STALE_AFTER_MS) return true;
    const holder = await readHolder(path);
    if (holder === undefined || holder.host !== hostname()) return false;
    if (holder.pid !== process.pid) return !isAlive(holder.pid);
    return holder.run !== RUN || !held.has(holder.lock);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    const content: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof content !== 'object' || content === null) return undefined;
    if (!('pid' in content) || !('host' in content) || !('run' in content)) return undefined;
    const lock = 'lock' in content ? String(content.lock) : '';
    return { pid: Number(content.pid), host: String(content.host), run: String(content.run), lock };
  } catch {
    // Just created and still empty, or gone.
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and another user's.
    return codeOf(error) !== 'ESRCH';
  }
}

/** @param holder who has it, if that is known */
export function lockedError(folder: string, holder: Holder | undefined): Error {
  const who =
    holder === undefined ? 'another gateway' : `the gateway with pid ${holder.pid} on ${holder.host}`;
  return Object.assign(new Error(`${who} records into ${folder}; give each gateway a folder of its own`), {
    code: LOCKED,
  });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
