/**
 * Holds an answer back whose status is in `retry.on`, until the core has said whether the client gets it. That comes in
 * the same turn as a rule, but it is not relied on: what arrives meanwhile waits.
 */
import type { UpstreamReceiver } from '../streams/ports.ts';

export type HeldAnswer = { readonly lease: number; pass(): void; discard(): void };

export type HoldOptions = {
  readonly lease: number;
  /** Whether an answer of this status is to be held back. */
  readonly isHeld: (status: number) => boolean;
  /** Hands the answer over to whoever is told to pass it on or to discard it; called after its head is at hand. */
  readonly hold: (held: HeldAnswer, ...head: Parameters<UpstreamReceiver['started']>) => void;
};

/** @returns a receiver in front of the other, which hears nothing of an answer that is discarded */
export function holdingBack(receiver: UpstreamReceiver, options: HoldOptions): UpstreamReceiver {
  let state: 'open' | 'held' | 'discarded' = 'open';
  let waiting: (() => void)[] = [];
  const later = (act: () => void) => {
    if (state === 'held') waiting.push(act);
  };
  const held: HeldAnswer = {
    lease: options.lease,
    pass() {
      if (state !== 'held') return;
      state = 'open';
      const missed = waiting;
      waiting = [];
      for (const act of missed) act();
    },
    discard() {
      state = 'discarded';
      waiting = [];
    },
  };
  return {
    switched: receiver.switched,
    informed: receiver.informed,
    started(...head) {
      if (!options.isHeld(head[0])) {
        receiver.started(...head);
        return;
      }
      state = 'held';
      waiting.push(() => receiver.started(...head));
      options.hold(held, ...head);
    },
    data(chunk) {
      if (state === 'open') receiver.data(chunk);
      else later(() => receiver.data(chunk));
    },
    ended(trailers, reusable) {
      if (state === 'open') receiver.ended(trailers, reusable);
      else later(() => receiver.ended(trailers, reusable));
    },
    failed(reason, written) {
      if (state === 'open') receiver.failed(reason, written);
      else later(() => receiver.failed(reason, written));
    },
  };
}
