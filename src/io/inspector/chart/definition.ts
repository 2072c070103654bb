/** What a chart needs of a machine's definition: its states and transitions, with the names of guards and actions. */
import type { AnyStateMachine } from 'xstate';

export type MachineState = { readonly id: string; readonly isInitial: boolean; readonly isFinal: boolean };

export type MachineTransition = {
  readonly from: string;
  readonly to: string;
  /** Empty for one that is taken as soon as its guard lets it. */
  readonly event: string;
  readonly guard: string | null;
  readonly actions: readonly string[];
};

export type MachineDefinition = {
  readonly machine: string;
  readonly states: readonly MachineState[];
  readonly transitions: readonly MachineTransition[];
};

/** Reads a flat machine. A transition of the machine as a whole is one of each state that is not final. */
export function definitionOf(machine: AnyStateMachine): MachineDefinition {
  const { root } = machine;
  const nodes = Object.values(root.states);
  const initial = root.initial.target?.map(({ key }) => key) ?? [];
  return {
    machine: machine.id,
    states: nodes.map(({ key, type }) => ({
      id: key,
      isInitial: initial.includes(key),
      isFinal: type === 'final',
    })),
    transitions: nodes.flatMap((node) => {
      const own = [...node.transitions.values(), node.always ?? []].flat();
      const shared =
        node.type === 'final' || (node.always ?? []).length > 0 ? [] : [...root.transitions.values()].flat();
      return [...own, ...shared].map((transition) => ({
        from: node.key,
        to: transition.target?.[0]?.key ?? node.key,
        event: transition.eventType,
        guard: nameOf(transition.guard),
        actions: transition.actions.flatMap((action) => nameOf(action) ?? []),
      }));
    }),
  };
}

/** Guards and actions are named in `setup`, and stand in a definition by their name or as an object with it. */
function nameOf(part: unknown): string | null {
  if (typeof part === 'string') return part;
  if (typeof part === 'object' && part !== null && 'type' in part) return String(part.type);
  return null;
}
