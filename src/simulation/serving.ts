/** What comes back over one lease of the simulated world, planned from its grant on. */
import type { Fact } from '../actors/events.ts';
import type { AnswerHead } from './recording.ts';
import type { Ending, Grant, Moment, Surroundings, Timing } from './world.ts';

export type Held = {
  readonly lease: number;
  readonly socket: number;
  readonly backend: string;
  closed: boolean;
};

/** An item of the agenda gives its fact when its time has come, or none if it has been called off. */
export type Planned = () => Fact | undefined;

export type Plan = (now: Moment, timing: Timing, planned: Planned) => void;

/** Whether the daemon would hold an answer back for the core to decide on. */
export type Holds = (request: number, status: number) => boolean;

type Serving = {
  readonly surroundings: Surroundings;
  readonly held: Map<number, Held>;
  readonly plan: Plan;
  readonly holds: Holds;
};

/** Plans everything that comes back over one lease. */
export function serve(grant: Grant, now: Moment, { surroundings, held, plan, holds }: Serving): void {
  const { request, lease, backend, socket } = grant;
  const holder: Held = { lease, socket, backend, closed: false };
  held.set(lease, holder);
  const { started, closed, ended } = surroundings.answer(grant, now);
  const whileHeld = (timing: Timing, fact: () => Fact | undefined) =>
    plan(now, timing, () => (held.get(lease) === holder ? fact() : undefined));
  const begun = ({ status, retryAfterMs }: AnswerHead): Fact => ({
    ...{ type: 'response.started', request, lease, status },
    ...(holds(request, status) ? { held: true } : {}),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });

  if (started !== undefined) whileHeld(started, () => begun(started));
  // The head of an answer that came in one piece is told by itself where it is held back.
  else if (ended?.ok === true && holds(request, ended.status)) {
    whileHeld({ afterMs: ended.afterMs }, () => begun(ended));
  }
  if (closed !== undefined) {
    whileHeld(closed, () => {
      holder.closed = true;
      return { type: 'socket.closed', backend, socket };
    });
  }
  if (ended === undefined) return;
  const isBegun = started !== undefined || (ended.ok && holds(request, ended.status));
  whileHeld(ended, () => endOf(ended, grant, isBegun));
}

function endOf(ended: Ending, { request, lease }: Grant, isBegun: boolean): Fact {
  const { bytes, chunks } = ended;
  if (!ended.ok) {
    const { reason, written } = ended;
    return { type: 'response.failed', request, lease, reason, written, bytes, chunks };
  }
  const { status, reusable, retryAfterMs } = ended;
  const asked = isBegun || retryAfterMs === undefined ? {} : { retryAfterMs };
  return { type: 'response.ended', request, lease, status, bytes, chunks, reusable, ...asked };
}
