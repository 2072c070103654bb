/**
 * The line before the slots: at most so many generations at a time, further ones wait first come first served,
 * as in vLLM; whoever leaves while waiting leaves the line.
 */
import type { ServerResponse } from 'node:http';

export type Slots = {
  /** Takes a slot: `true` at once when one is free, else a promise of whether the turn came before the peer left. */
  enter(response: ServerResponse): boolean | Promise<boolean>;
  /** Gives a slot back. */
  leave(): void;
  /** Changes the number of slots; 0 means no limit. */
  resize(limit: number): void;
  readonly busy: number;
  readonly waiting: number;
};

export function createSlots(initialLimit: number): Slots {
  let limit = initialLimit;
  let busy = 0;
  // A Set keeps insertion order and lets one leave from the middle in constant time.
  const line = new Set<() => void>();

  const hasRoom = () => limit === 0 || busy < limit;

  function admit(): void {
    for (const proceed of line) {
      if (!hasRoom()) return;
      line.delete(proceed);
      busy++;
      proceed();
    }
  }

  function wait(response: ServerResponse): Promise<boolean> {
    return new Promise((resolve) => {
      const onClose = () => {
        line.delete(proceed);
        resolve(false);
      };
      const proceed = () => {
        response.off('close', onClose);
        resolve(true);
      };
      response.once('close', onClose);
      line.add(proceed);
    });
  }

  return {
    enter(response) {
      if (!hasRoom()) return wait(response);
      busy++;
      return true;
    },
    leave() {
      busy--;
      admit();
    },
    resize(next) {
      limit = next;
      admit();
    },
    get busy() {
      return busy;
    },
    get waiting() {
      return line.size;
    },
  };
}
