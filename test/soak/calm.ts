/** Waiting that can be cut short: when a run calms down, whatever was to last longer is over at once. */
import { setTimeout as sleep } from 'node:timers/promises';

export type Calm = {
  /** Resolves after so long, or when it is to be calm. */
  pass(ms: number): Promise<void>;
  readonly isCalm: boolean;
  begin(): void;
  end(): void;
};

export function createCalm(): Calm {
  let stopping = new AbortController();
  return {
    pass: (ms) => sleep(ms, undefined, { signal: stopping.signal }).catch(() => undefined),
    get isCalm() {
      return stopping.signal.aborted;
    },
    begin: () => stopping.abort(),
    end() {
      stopping = new AbortController();
    },
  };
}
