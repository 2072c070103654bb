/**
 * Lays a machine out as a chart: a box for each state, a line from one state to another for all transitions that lead
 * there, and on it a label for each of them. The layout itself is made by ELK's layered algorithm.
 */
import elk, { type ElkExtendedEdge, type ElkNode } from 'elkjs/lib/elk.bundled.js';
import type { Chart, ChartBox, ChartState, ChartTransition } from '../api.ts';
import type { MachineDefinition, MachineState, MachineTransition } from './definition.ts';

/** Sizes in pixels, for labels in 11 px and names of states in 14 px. */
const CHARACTER = 6.4;
const LABEL_LINE = 14;
const LABEL_GAP = 4;
const LABEL_PADDING = 6;
const STATE_HEIGHT = 52;
const STATE_CHARACTER = 8.6;
const STATE_PADDING = 44;
/** A state that is passed through, and never rested in. */
const TRANSIENT = { width: 84, height: 26 };

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'RIGHT',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.edgeLabels.placement': 'CENTER',
  'elk.spacing.nodeNode': '56',
  'elk.spacing.edgeLabel': '4',
  'elk.spacing.edgeNode': '24',
  'elk.spacing.edgeEdge': '16',
  'elk.spacing.nodeSelfLoop': '18',
  'elk.layered.spacing.nodeNodeBetweenLayers': '48',
  'elk.layered.spacing.edgeNodeBetweenLayers': '20',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.padding': '[top=16,left=16,bottom=16,right=16]',
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

/** The lines of a label: the event with its guard, and below it what is done. */
function wordsOf({ event, guard, actions }: MachineTransition): string[] {
  const first = [event, guard === null ? '' : `[${guard}]`].filter((part) => part !== '').join(' ');
  return [first || 'else', ...(actions.length === 0 ? [] : [`/ ${actions.join(', ')}`])];
}

function labelSize(transitions: readonly MachineTransition[]): { width: number; height: number } {
  const words = transitions.map(wordsOf);
  const longest = Math.max(...words.flat().map(({ length }) => length));
  const lines = words.flat().length;
  return {
    width: Math.ceil(longest * CHARACTER) + LABEL_PADDING,
    height: lines * LABEL_LINE + (words.length - 1) * LABEL_GAP,
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
  let y = whole.y;
  return transitions.map((transition, index) => {
    const height = wordsOf(transition).length * LABEL_LINE;
    const label = { ...whole, y, height };
    y += height + LABEL_GAP;
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
