/**
 * Watches the selector and the pool, which take thousands of events a second: these are counted, and once a frame one
 * event that sums them up is told, with the latest snapshot.
 */
import type { Core } from '../../../actors/core.ts';
import { describeOther, describePool, describeSelector } from './describe.ts';
import type { Guard } from './guard.ts';
import type { WireEvent, WireSnapshot, WireWriter } from './wire.ts';

export type FrameWatch = {
  /** The two actors, as they are now. */
  announce(): string[];
  /** What has happened since it was last asked; empty if nothing has. */
  take(): string[];
  detach(): void;
};

type Tally = Map<string, number>;

/** One of the two actors and what has been counted of it. */
type Counted = {
  readonly name: 'selector' | 'pool';
  readonly events: Tally;
  readonly snapshot: () => WireSnapshot;
};

/** @param guard keeps what goes wrong in an observer from the core */
export function watchFrames(core: Core, writer: WireWriter, guard: Guard): FrameWatch {
  const selectorState = () => core.selector.getSnapshot().context;
  const selector: Counted = {
    name: 'selector',
    events: new Map(),
    snapshot: () => describeSelector(selectorState()),
  };
  const pool: Counted = {
    name: 'pool',
    events: new Map(),
    snapshot: () => describePool(core.pool.getSnapshot().context),
  };
  /** How often each backend was picked. */
  const picks: Tally = new Map();
  const subscriptions = [
    core.selector.system.inspect(
      guard((inspected) => {
        if (inspected.type === '@xstate.event') count(selector.events, inspected.event.type);
        if (inspected.type !== '@xstate.snapshot') return;
        const { picked } = selectorState();
        if (picked !== undefined) count(picks, picked);
      }),
    ),
    core.pool.system.inspect(
      guard((inspected) => {
        if (inspected.type === '@xstate.event') count(pool.events, inspected.event.type);
      }),
    ),
  ];
  const sum = ({ name, events, snapshot }: Counted): string[] => {
    if (events.size === 0) return [];
    const event: WireEvent = {
      type: 'frame',
      events: Object.fromEntries(events),
      ...(name === 'selector' && { picks: Object.fromEntries(picks) }),
    };
    events.clear();
    if (name === 'selector') picks.clear();
    return [writer.event(name, event, core.at), writer.snapshot(name, snapshot(), event, core.at)];
  };
  return {
    announce: () =>
      [selector, pool].map(({ name, snapshot }) =>
        writer.actor(
          { sessionId: name, name, definition: describeOther(name), snapshot: snapshot() },
          core.at,
        ),
      ),
    take: () => [selector, pool].flatMap(sum),
    detach() {
      for (const subscription of subscriptions) subscription.unsubscribe();
    },
  };
}

function count(tally: Tally, key: string): void {
  tally.set(key, (tally.get(key) ?? 0) + 1);
}
