/**
 * Lays a machine out as a chart: a box for each state, a line from one state to another for all transitions that lead
 * there, and on it a label for each of them. The layout itself is made by ELK's layered algorithm.
 */
import elk, { type ElkExtendedEdge, type ElkNode } from 'elkjs/lib/elk.bundled.js';
import type { Chart, ChartBox, ChartState, ChartTransition } from '../api.ts';
import type { MachineDefinition, MachineState, MachineTransition } from './definition.ts';

/** Sizes in pixels, for labels in 11 px and names of states in 14 px. */
const CHARACTER = 6.1;
const LABEL_LINE = 15;
const LABEL_PADDING = 6;
const STATE_HEIGHT = 40;
const STATE_CHARACTER = 8.6;
const STATE_PADDING = 32;
/** A state that is passed through, and never rested in. */
const TRANSIENT = { width: 96, height: 28 };

/** Downwards, since labels are wide: the chart of a backend is then as wide as a laptop can show it. */
const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.edgeLabels.placement': 'CENTER',
  'elk.spacing.nodeNode': '30',
  'elk.spacing.edgeLabel': '3',
  'elk.spacing.edgeNode': '14',
  'elk.spacing.edgeEdge': '10',
  'elk.layered.spacing.nodeNodeBetweenLayers': '16',
  'elk.layered.spacing.edgeNodeBetweenLayers': '10',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '8',
  // From the initial state on, in the order in which the machine names its states.
  'elk.layered.cycleBreaking.strategy': 'MODEL_ORDER',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.padding': '[top=8,left=8,bottom=8,right=8]',
} as const;

/** Transitions that share a line. */
type Line = { readonly id: string; readonly transitions: readonly MachineTransition[] };

/** @returns the chart, the same one for the same definition */
export async function layOut(definition: MachineDefinition): Promise<Chart> {
  const lines = linesOf(definition);
  const wanted: ElkNode = {
    id: definition.machine,
    layoutOptions: OPTIONS,
    children: definition.states.map((state) => ({ id: state.id, ...sizeOf(state, definition) })),
    edges: lines.map(({ id, transitions }) => ({
      id,
      sources: [transitions[0]?.from ?? ''],
      targets: [transitions[0]?.to ?? ''],
      labels: [{ id: `${id} label`, text: id, ...labelSize(transitions) }],
    })),
  };
  const graph: ElkNode = await new elk.default().layout(wanted);
  return {
    machine: definition.machine,
    width: Math.ceil(graph.width ?? 0),
    height: Math.ceil(graph.height ?? 0),
    states: definition.states.map((state) => placeState(state, graph.children ?? [])),
    transitions: lines.flatMap((line) => placeLine(line, graph.edges ?? [])),
  };
}

function linesOf({ transitions }: MachineDefinition): Line[] {
  const byEnds = Map.groupBy(transitions, ({ from, to }) => `${from} to ${to}`);
  return [...byEnds].map(([id, shared]) => ({ id, transitions: shared }));
}

function sizeOf({ id }: MachineState, { transitions }: MachineDefinition): { width: number; height: number } {
  const isTransient = transitions.some(({ from, event }) => from === id && event === '');
  if (isTransient) return TRANSIENT;
  return { width: Math.round(id.length * STATE_CHARACTER + STATE_PADDING), height: STATE_HEIGHT };
}

/** The words of a label: the event with its guard. What is done then is told elsewhere, where there is room. */
function wordsOf({ event, guard }: MachineTransition): string {
  const words = [event, guard === null ? '' : `[${guard}]`].filter((part) => part !== '').join(' ');
  return words || 'else';
}

function labelSize(transitions: readonly MachineTransition[]): { width: number; height: number } {
  const longest = Math.max(...transitions.map((transition) => wordsOf(transition).length));
  return {
    width: Math.ceil(longest * CHARACTER) + LABEL_PADDING,
    height: transitions.length * LABEL_LINE,
  };
}

function placeState({ id, isInitial, isFinal }: MachineState, placed: readonly ElkNode[]): ChartState {
  return { id, isInitial, isFinal, ...boxOf(placed.find((node) => node.id === id)) };
}

function placeLine({ id, transitions }: Line, placed: readonly ElkExtendedEdge[]): ChartTransition[] {
  const edge = placed.find((each) => each.id === id);
  const points = (edge?.sections ?? []).flatMap(({ startPoint, bendPoints = [], endPoint }) =>
    [startPoint, ...bendPoints, endPoint].map(({ x, y }) => ({ x, y })),
  );
  const whole = boxOf(edge?.labels?.[0]);
  return transitions.map((transition, index) => {
    const label = { ...whole, y: whole.y + index * LABEL_LINE, height: LABEL_LINE };
    const { from, to, event, guard, actions } = transition;
    return { id: `${id} ${index + 1}`, from, to, event, guard, actions, points, label };
  });
}

function boxOf(
  shape: { readonly x?: number; readonly y?: number; readonly width?: number; readonly height?: number } = {},
): ChartBox {
  const { x = 0, y = 0, width = 0, height = 0 } = shape;
  return { x, y, width, height };
}
