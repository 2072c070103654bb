/** What comes back over one lease of the simulated world, planned from its grant on. */
import type { Fact } from '../actors/events.ts';
import type { Grant, Moment, Surroundings, Timing } from './world.ts';

export type Held = {
  readonly lease: number;
  readonly socket: number;
  readonly backend: string;
  closed: boolean;
};

/** An item of the agenda gives its fact when its time has come, or none if it has been called off. */
export type Planned = () => Fact | undefined;

export type Plan = (now: Moment, timing: Timing, planned: Planned) => void;

type Serving = {
  readonly surroundings: Surroundings;
  readonly held: Map<number, Held>;
  readonly plan: Plan;
};

/** Plans everything that comes back over one lease. */
export function serve(grant: Grant, now: Moment, { surroundings, held, plan }: Serving): void {
  const { request, lease, backend, socket } = grant;
  const holder: Held = { lease, socket, backend, closed: false };
  held.set(lease, holder);
  const { started, closed, ended } = surroundings.answer(grant, now);
  const whileHeld = (timing: Timing, fact: () => Fact) =>
    plan(now, timing, () => (held.get(lease) === holder ? fact() : undefined));

  if (started !== undefined) {
    whileHeld(started, () => ({ type: 'response.started', request, lease, status: started.status }));
  }
  if (closed !== undefined) {
    whileHeld(closed, () => {
      holder.closed = true;
      return { type: 'socket.closed', backend, socket };
    });
  }
  if (ended === undefined) return;
  const { bytes, chunks } = ended;
  whileHeld(ended, () =>
    ended.ok
      ? {
          type: 'response.ended',
          request,
          lease,
          status: ended.status,
          bytes,
          chunks,
          reusable: ended.reusable,
        }
      : {
          type: 'response.failed',
          request,
          lease,
          reason: ended.reason,
          written: ended.written,
          bytes,
          chunks,
        },
  );
}
