/**
 * Watches the machines of the backends by XState's own inspection: each event and each snapshot is told. Backends come and
 * go by reload; the watch follows them.
 */
import type { BackendActor } from '../../../actors/backend.ts';
import type { Core } from '../../../actors/core.ts';
import type { Entry } from '../../../actors/events.ts';
import { describeBackend, describeEvent, describeMachine } from './describe.ts';
import type { Guard } from './guard.ts';
import type { WireWriter } from './wire.ts';

export type MachineWatch = {
  /** Who is there now, and in which state. */
  announce(): string[];
  /** Takes up machines that this entry has brought, and lets go of those it has ended. */
  follow(entry: Entry): void;
  detach(): void;
};

type Watched = { readonly actor: BackendActor; detach(): void };

/**
 * @param config the config of the backends' machine
 * @param guard keeps what goes wrong in an observer from the core
 * @param tell takes each message, also from within a step
 */
export function watchMachines(
  core: Core,
  config: object,
  writer: WireWriter,
  guard: Guard,
  tell: (text: string) => void,
): MachineWatch {
  const definition = describeMachine(config);
  const watched = new Map<string, Watched>();

  const introduce = (id: string, actor: BackendActor) =>
    writer.actor(
      { sessionId: sessionOf(id), name: id, definition, snapshot: describeBackend(actor) },
      core.at,
    );
  const watch = (id: string, actor: BackendActor) => {
    const sessionId = sessionOf(id);
    const subscription = actor.system.inspect(
      guard((inspected) => {
        if (inspected.type === '@xstate.event')
          tell(writer.event(sessionId, describeEvent(inspected.event), core.at));
        if (inspected.type === '@xstate.snapshot')
          tell(writer.snapshot(sessionId, describeBackend(actor), describeEvent(inspected.event), core.at));
      }),
    );
    watched.set(id, { actor, detach: () => subscription.unsubscribe() });
  };
  for (const [id, { actor }] of core.backends) watch(id, actor);

  return {
    announce: () => [...core.backends].map(([id, { actor }]) => introduce(id, actor)),
    follow(entry) {
      if (!changesBackends(entry)) return;
      for (const [id, { actor, detach }] of watched) {
        if (core.backends.get(id)?.actor === actor) continue;
        detach();
        watched.delete(id);
      }
      for (const [id, { actor }] of core.backends) {
        if (watched.has(id)) continue;
        tell(introduce(id, actor));
        watch(id, actor);
      }
    },
    detach() {
      for (const { detach } of watched.values()) detach();
      watched.clear();
    },
  };
}

/** Readable, the same in every run, and unlike the names of the actors that are no backends. */
function sessionOf(id: string): string {
  return `backend:${id}`;
}

function changesBackends({ decisions }: Entry): boolean {
  return decisions.some(
    (decision) =>
      decision.type === 'config.applied' ||
      (decision.type === 'backend.changed' && decision.to === 'removed'),
  );
}
