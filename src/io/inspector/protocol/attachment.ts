/**
 * The tie between the core and those who watch it, which exists only while somebody does. It looks and does not touch:
 * messages are made as the actors move, and sent when the step is over.
 */
import type { Observable } from 'rxjs';
import type { Core } from '../../../actors/core.ts';
import type { Entry } from '../../../actors/events.ts';
import { watchFrames } from './frames.ts';
import { createGuard } from './guard.ts';
import { watchMachines } from './machines.ts';
import { createWireWriter } from './wire.ts';

export type Inspected = {
  readonly core: Core;
  readonly entries$: Observable<Entry>;
  /** The config of the backends' machine. */
  readonly machine: object;
};

export type Audience = {
  /** Takes messages that must all arrive, in order. */
  tell(texts: readonly string[]): void;
  /** Takes messages that the next ones make good for: who is behind may do without. */
  show(texts: readonly string[]): void;
  /** Told of a mistake in the watching, which has not reached the core. */
  onError(error: unknown): void;
};

export type Attachment = {
  /** What one who joins now must know first: every actor with its definition and its latest snapshot. */
  opening(): string[];
  detach(): void;
};

/** Ten frames a second look fluid, and cost next to nothing. */
const FRAME_MS = 100;

/** Begins to watch. */
export function attach({ core, entries$, machine }: Inspected, audience: Audience): Attachment {
  const writer = createWireWriter();
  const guard = createGuard(audience.onError);
  let pending: string[] = [];
  const machines = watchMachines(core, machine, writer, guard, (text) => pending.push(text));
  const frames = watchFrames(core, writer, guard);
  const passOn = (entry: Entry) => {
    machines.follow(entry);
    if (pending.length === 0) return;
    const texts = pending;
    pending = [];
    audience.tell(texts);
  };
  const entries = entries$.subscribe(guard(passOn));
  const showFrame = () => {
    const texts = frames.take();
    if (texts.length > 0) audience.show(texts);
  };
  const timer = setInterval(guard(showFrame), FRAME_MS);
  timer.unref();
  return {
    opening: () => [...machines.announce(), ...frames.announce()],
    detach() {
      clearInterval(timer);
      entries.unsubscribe();
      machines.detach();
      frames.detach();
    },
  };
}
