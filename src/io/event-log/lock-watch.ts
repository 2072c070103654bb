/** Whether the folder is still ours while it is recorded into: somebody else may take it over from a gateway that sleeps. */
import { LOCKED, lockedError } from './lock.ts';
import type { Recording } from './recording.ts';

/** Makes sure that the folder is still ours; after a long sleep of the machine it may not be. */
export async function holdLock(recording: Recording): Promise<void> {
  const { store, failure } = recording;
  const { lock, dir } = store;
  if (failure !== undefined || lock === undefined) return;
  try {
    if (!(await lock.isHeld())) throw lockedError(dir, undefined);
    noteLock(recording);
  } catch (error) {
    // That the lock cannot be looked at is no proof of its loss; a disk that fails shows when it is written to.
    if (error instanceof Error && 'code' in error && error.code === LOCKED) throw error;
  }
}

/** A gateway that was stopped, or whose disk hung, must not write on into what another one has taken over. */
export async function trustLock(recording: Recording): Promise<void> {
  const { lockSeen, trustLockMs } = recording;
  // The monotonic clock stands still while the machine sleeps.
  const age = Math.max(performance.now() - lockSeen.now, Date.now() - lockSeen.date);
  if (age >= trustLockMs) await holdLock(recording);
}

export function noteLock(recording: Recording): void {
  recording.lockSeen = { now: performance.now(), date: Date.now() };
}
