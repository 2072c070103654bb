/**
 * Which parts of a state chart are lit: the active state, the transition that was taken last, and if that led nowhere
 * the one by which the state was reached.
 */
import type { Chart, ChartTransition, InspectedBackend, Transition } from '../../api.ts';

export type Lights = { readonly state: string; readonly transitions: ReadonlySet<string> };

/** @param backend at the moment shown */
export function lightsOf(
  chart: Chart,
  { state, lastTransition, lastChange }: Pick<InspectedBackend, 'state' | 'lastTransition' | 'lastChange'>,
): Lights {
  const transitions = new Set([...pathOf(chart, lastChange), ...pathOf(chart, lastTransition)]);
  return { state, transitions };
}

/**
 * The lines from one state to the other on that event: one as a rule, two where the machine passes through a state in
 * which it does not rest. Where several would do (they differ by their guard), those are told from one another by what
 * came of it: one that stays is the one that leads nowhere.
 */
function pathOf(chart: Chart, last: Transition | null): string[] {
  if (last === null) return [];
  const leaving = chart.transitions.filter(({ from, event }) => from === last.from && event === last.event);
  const direct = leaving.find(({ to }) => to === last.to);
  if (direct !== undefined) return [direct.id];
  for (const first of leaving) {
    const second = chart.transitions.find(
      (each) => each.from === first.to && each.to === last.to && isImmediate(each),
    );
    if (second !== undefined) return [first.id, second.id];
  }
  return [];
}

/** An eventless transition, which the machine takes by itself. */
export function isImmediate({ event }: Pick<ChartTransition, 'event'>): boolean {
  return event === '' || event === 'always';
}
