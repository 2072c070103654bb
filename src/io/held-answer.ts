/**
 * Holds an answer back whose status is in `retry.on`, until the core has said whether the client gets it. That comes in
 * the same turn as a rule, but it is not relied on: what arrives meanwhile waits.
 */

export type HeldAnswer = {
  readonly lease: number;
  /** What has come goes on to the client, in its order. */
  pass(): void;
  /** Nothing that has come is heard of any more, nor anything that follows. */
  discard(): void;
  /** Keeps something that has come until it is clear what becomes of it. */
  keep(act: () => void): void;
};

/**
 * @param lease the one the answer comes over
 * @param onPass called first of all when the answer is passed on; from then on nothing more may be kept
 */
export function holdAnswer(lease: number, onPass: () => void): HeldAnswer {
  let state: 'held' | 'passed' | 'discarded' = 'held';
  let kept: (() => void)[] = [];
  return {
    lease,
    pass() {
      if (state !== 'held') return;
      state = 'passed';
      onPass();
      for (const act of kept) act();
    },
    discard() {
      state = 'discarded';
      kept = [];
    },
    keep(act) {
      if (state === 'held') kept.push(act);
    },
  };
}
