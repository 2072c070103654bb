/**
 * What the core's state does not hold and a moment shows nevertheless: the last picks, since when each backend is in its
 * state, the last transition of its machine, and how many requests came within the last second. It goes along with
 * the entries, and is kept beside each state that is kept.
 */
import { type Core, statusOfBackend } from '../../../actors/core.ts';
import type { BackendStatus, CoreConfig, Decision, Entry } from '../../../actors/events.ts';
import { changesIn } from '../../../actors/explain/history.ts';
import type { Instant, Pick, Transition } from '../api.ts';

/** Counts of one slot of time. */
type Slot = { readonly slot: number; received: number; readonly placed: Map<string, number> };

export type Recent = {
  /** Oldest first. */
  picks: Pick[];
  readonly since: Map<string, Instant>;
  readonly transitions: Map<string, Transition>;
  /** Of the transitions those that led to another state. */
  readonly changes: Map<string, Transition>;
  /** Oldest first. */
  slots: Slot[];
  /** The config before the entry at hand. */
  config: CoreConfig;
};

const PICKS_KEPT = 200;
const SLOT_MS = 50;
const SLOTS_PER_SECOND = 1000 / SLOT_MS;

/** Of a core that has just begun, or whose past is not known. */
export function createRecent(core: Core): Recent {
  return {
    ...{ picks: [], slots: [], config: core.config },
    ...{ since: new Map(), transitions: new Map(), changes: new Map() },
  };
}

export function copyRecent({ picks, since, transitions, changes, slots, config }: Recent): Recent {
  return {
    picks: picks.slice(-PICKS_KEPT),
    since: new Map(since),
    transitions: new Map(transitions),
    changes: new Map(changes),
    slots: slots.map((slot) => ({ ...slot, placed: new Map(slot.placed) })),
    config,
  };
}

/** Takes in an entry. @param core in its state after it */
export function noteRecent(recent: Recent, entry: Entry, core: Core): void {
  const { seq, at, fact, decisions } = entry;
  if (fact.type === 'request.received') slotAt(recent, at).received += 1;
  for (const decision of decisions) {
    if (decision.type !== 'backend.selected') continue;
    const { request, backend } = decision;
    recent.picks.push({ seq, at, request, backend });
    const { placed } = slotAt(recent, at);
    placed.set(backend, (placed.get(backend) ?? 0) + 1);
  }
  if (recent.picks.length > 4 * PICKS_KEPT) recent.picks = recent.picks.slice(-PICKS_KEPT);
  noteTransitions(recent, entry, core);
  for (const change of changesIn(entry, core)) {
    if (change.to === 'removed') forget(recent, change.backend);
    else recent.since.set(change.backend, { seq, at });
  }
  recent.config = core.config;
}

function forget({ since, transitions, changes }: Recent, backend: string): void {
  since.delete(backend);
  transitions.delete(backend);
  changes.delete(backend);
}

/** The last picks, oldest first. */
export function lastPicks({ picks }: Recent): readonly Pick[] {
  return picks.slice(-PICKS_KEPT);
}

/** What came in the second before `at`, to the twentieth of a second. */
export function lastSecond(
  { slots }: Recent,
  at: number,
): { received: number; placed: Record<string, number> } {
  const first = Math.floor(at / SLOT_MS) - SLOTS_PER_SECOND + 1;
  const placed: Record<string, number> = {};
  let received = 0;
  for (const slot of slots) {
    if (slot.slot < first) continue;
    received += slot.received;
    for (const [backend, count] of slot.placed) placed[backend] = (placed[backend] ?? 0) + count;
  }
  return { received, placed };
}

function slotAt(recent: Recent, at: number): Slot {
  const number = Math.floor(at / SLOT_MS);
  const last = recent.slots.at(-1);
  if (last?.slot === number) return last;
  const slot: Slot = { slot: number, received: 0, placed: new Map() };
  recent.slots.push(slot);
  if (recent.slots.length > SLOTS_PER_SECOND) {
    recent.slots = recent.slots.filter((each) => each.slot > number - SLOTS_PER_SECOND);
  }
  return slot;
}

type Change = Extract<Decision, { type: 'backend.changed' }>;

/** Works out which events the machines were sent; what led back to the same state leaves no decision behind. */
function noteTransitions(recent: Recent, entry: Entry, core: Core): void {
  const { seq, at, fact, decisions } = entry;
  const note = (backend: string, event: string, from: BackendStatus, to: BackendStatus) => {
    const transition = { seq, at, event, from, to };
    recent.transitions.set(backend, transition);
    if (from !== to) recent.changes.set(backend, transition);
  };
  const stay = (backend: string, event: string) => {
    const state = statusOfBackend(core, backend);
    if (state !== undefined) note(backend, event, state, state);
  };
  if (fact.type === 'probe.succeeded' || fact.type === 'probe.failed') stay(fact.backend, fact.type);
  else if (fact.type === 'config.reloaded') {
    for (const [backend, event] of unchanging(recent.config, entry)) stay(backend, event);
  }
  for (const decision of decisions) {
    if (decision.type !== 'backend.changed') continue;
    note(decision.backend, eventOf(decision, entry), decision.from, decision.to);
  }
}

/** What a reload tells machines that may stay in their state; those that change are told of by decisions. */
function* unchanging(before: CoreConfig, { fact, decisions }: Entry): Generator<[string, string]> {
  if (fact.type !== 'config.reloaded') return;
  const { config } = fact;
  const known = new Map(before.backends.map((backend) => [backend.id, backend]));
  for (const { id, protocol, host, port } of config.backends) {
    const old = known.get(id);
    if (old === undefined) continue;
    if (old.protocol !== protocol || old.host !== host || old.port !== port) yield [id, 'address.changed'];
  }
  for (const decision of decisions) {
    if (decision.type === 'config.applied') {
      for (const id of decision.removed) yield [id, 'config.removed'];
    }
  }
  const { fall, rise } = config.health;
  if (before.health.fall === fall && before.health.rise === rise) return;
  for (const id of known.keys()) yield [id, 'thresholds.changed'];
}

/** The event of a machine that led from the one state to the other; see the machine in `backend.ts`. */
function eventOf({ backend, from, to }: Change, { fact }: Entry): string {
  if (from === 'draining' && (to === 'drained' || to === 'removed')) return 'leases.ended';
  if (to === 'ejected') return 'request.failed';
  // Where the last healthy backend falls, the ejected ones come back by a fact that is about that one.
  const isAboutAnother = 'backend' in fact && fact.backend !== backend;
  if (from === 'ejected' && to === 'healthy' && isAboutAnother) return 'ejection.lifted';
  switch (fact.type) {
    case 'timer.fired':
      return 'ejection.expired';
    case 'probe.succeeded':
    case 'probe.failed':
    case 'operator.drained':
    case 'operator.restored':
      return fact.type;
    default:
      if (to === 'draining' || to === 'removed') return 'config.removed';
      if (from === 'ejected')
        return fact.type === 'config.reloaded' ? 'thresholds.changed' : 'ejection.lifted';
      return from === 'draining' || from === 'drained' ? 'config.returned' : 'address.changed';
  }
}
