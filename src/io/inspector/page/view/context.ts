/** What every part of the page is given: the state, what follows from it, and what the reader can ask for. */
import type { Point } from '../client.ts';
import type { EventFilter } from '../model/event-filter.ts';
import { type Identities, identitiesOf } from '../model/identity.ts';
import type { Command } from '../model/keys.ts';
import { backendIdsOf, boundsOf, type Change, type PageState } from '../model/state.ts';
import { type TimeWindow, type View, windowOf } from '../model/time-window.ts';

export type Actions = {
  run(command: Command): void;
  goTo(point: Point): void;
  view(view: View): void;
  speed(speed: number): void;
  choose(backend: string): void;
  filter(filter: Partial<EventFilter>): void;
  page(range: PageState['range']): void;
  eventsAs(form: PageState['eventsAs']): void;
  open(seq: number | null): void;
  search(id: string): void;
  ask(change: Change | null): void;
  carryOut(change: Change): void;
  hover(hover: PageState['hover']): void;
  help(shows: boolean): void;
};

export type Context = {
  readonly state: PageState;
  readonly actions: Actions;
  readonly ids: readonly string[];
  readonly identities: Identities;
  readonly bounds: TimeWindow | null;
  readonly shown: TimeWindow | null;
  /** The time that durations are told from: the moment's, or now at a gateway that is followed. */
  readonly asOf: number;
};

export function contextOf(state: PageState, actions: Actions): Context {
  const ids = backendIdsOf(state);
  const bounds = boundsOf(state);
  const at = state.moment?.at ?? 0;
  return {
    state,
    actions,
    ids,
    identities: identitiesOf(ids),
    bounds,
    shown: bounds === null ? null : windowOf(state.view, bounds),
    asOf: state.mode === 'following' ? Math.max(at, state.now ?? at) : Math.max(at, state.cursor ?? at),
  };
}
