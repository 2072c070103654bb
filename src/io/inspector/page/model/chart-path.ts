/** The lines of a state chart as SVG paths with rounded corners, and how much room they take. */
import type { Chart, ChartBox } from '../../api.ts';

type Point = { readonly x: number; readonly y: number };

const RADIUS = 8;

/** @returns the `d` of a path through the points; empty for fewer than two */
function roundedPath(points: readonly Point[]): string {
  const [first, ...others] = points;
  if (first === undefined || others.length === 0) return '';
  const parts = [`M${first.x} ${first.y}`];
  for (const [index, corner] of others.entries()) {
    const before = points[index] ?? first;
    const after = others[index + 1];
    if (after === undefined) parts.push(`L${corner.x} ${corner.y}`);
    else {
      const enter = towards(corner, before);
      const leave = towards(corner, after);
      parts.push(`L${enter.x} ${enter.y}Q${corner.x} ${corner.y} ${leave.x} ${leave.y}`);
    }
  }
  return parts.join('');
}

/** A point on the way from one to the other, at most half of it. */
function towards(from: Point, to: Point): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const share = length === 0 ? 0 : Math.min(RADIUS, length / 2) / length;
  return { x: round(from.x + (to.x - from.x) * share), y: round(from.y + (to.y - from.y) * share) };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

export type ChartShape = {
  /** The `d` of each transition's line, by its id. */
  readonly lines: ReadonlyMap<string, string>;
  /** What is around states and lines, for a picture without labels. */
  readonly box: ChartBox;
};

const shapes = new WeakMap<Chart, ChartShape>();

/** @returns what is the same in every picture of a chart, worked out once */
export function shapeOf(chart: Chart): ChartShape {
  const known = shapes.get(chart);
  if (known !== undefined) return known;
  const lines = new Map(chart.transitions.map(({ id, points }) => [id, roundedPath(points)]));
  const shape = { lines, box: boxWithoutLabels(chart) };
  shapes.set(chart, shape);
  return shape;
}

function boxWithoutLabels({ states, transitions }: Chart): ChartBox {
  const points = [
    ...transitions.flatMap((transition) => transition.points),
    ...states.flatMap(({ x, y, width, height }) => [
      { x, y },
      { x: x + width, y: y + height },
    ]),
  ];
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return { x: left, y: top, width: Math.max(...xs) - left, height: Math.max(...ys) - top };
}
