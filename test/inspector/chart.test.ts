/** The chart of a machine: what it shows, and that nothing in it covers anything else. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMachine } from 'xstate';
import { backendMachine } from '../../src/actors/backend.ts';
import type { Chart, ChartBox } from '../../src/io/inspector/api.ts';
import { definitionOf } from '../../src/io/inspector/chart/definition.ts';
import { layOut } from '../../src/io/inspector/chart/layout.ts';

function overlap(one: ChartBox, other: ChartBox): boolean {
  return (
    one.x < other.x + other.width &&
    other.x < one.x + one.width &&
    one.y < other.y + other.height &&
    other.y < one.y + one.height
  );
}

function isAtEdge({ x, y }: { x: number; y: number }, box: ChartBox): boolean {
  const near = (one: number, other: number) => Math.abs(one - other) < 0.5;
  const isWithin =
    x > box.x - 0.5 && x < box.x + box.width + 0.5 && y > box.y - 0.5 && y < box.y + box.height + 0.5;
  const isOnSide =
    near(x, box.x) || near(x, box.x + box.width) || near(y, box.y) || near(y, box.y + box.height);
  return isWithin && isOnSide;
}

function assertReadable(chart: Chart): void {
  const boxes = [
    ...chart.states.map((state) => ({ name: state.id, box: state })),
    ...chart.transitions.map(({ id, label }) => ({ name: `the label of ${id}`, box: label })),
  ];
  for (const [index, { name, box }] of boxes.entries()) {
    assert.ok(box.width > 0 && box.height > 0, `${name} has a size`);
    assert.ok(box.x >= 0 && box.x + box.width <= chart.width, `${name} lies within the width`);
    assert.ok(box.y >= 0 && box.y + box.height <= chart.height, `${name} lies within the height`);
    for (const other of boxes.slice(index + 1)) {
      assert.ok(!overlap(box, other.box), `${name} and ${other.name} do not overlap`);
    }
  }
  const states = new Map(chart.states.map((state) => [state.id, state]));
  for (const { id, from, to, points } of chart.transitions) {
    const [start, end] = [points[0], points.at(-1)];
    const [source, target] = [states.get(from), states.get(to)];
    assert.ok(start !== undefined && end !== undefined && source !== undefined && target !== undefined, id);
    assert.ok(isAtEdge(start, source), `${id} begins at the edge of ${from}`);
    assert.ok(isAtEdge(end, target), `${id} ends at the edge of ${to}`);
  }
}

describe('the chart of a backend', () => {
  it('has every state, event, guard and action of its machine', async () => {
    const chart = await layOut(definitionOf(backendMachine));
    assert.deepEqual(
      chart.states.map(({ id }) => id),
      ['evaluating', 'healthy', 'unhealthy', 'ejected', 'draining', 'drained', 'removed'],
    );
    assert.deepEqual(
      chart.states.flatMap(({ id, isInitial }) => (isInitial ? id : [])),
      ['evaluating'],
    );
    assert.deepEqual(
      chart.states.flatMap(({ id, isFinal }) => (isFinal ? id : [])),
      ['removed'],
    );
    const fall = chart.transitions.find(({ from, to }) => from === 'healthy' && to === 'unhealthy');
    assert.equal(fall?.event, 'probe.failed');
    assert.equal(fall?.guard, 'fallReached');
    assert.deepEqual(fall?.actions, ['recordProbe', 'explainFall']);
    const guards = new Set(chart.transitions.flatMap(({ guard }) => guard ?? []));
    assert.deepEqual([...guards].sort(), [
      'errorsReached',
      'fallReached',
      'isConfigured',
      'isOutlierOff',
      'isOver',
      'isPassing',
      'isRemoved',
      'riseReached',
    ]);
    const events = new Set(chart.transitions.map(({ event }) => event));
    for (const { events: known } of [backendMachine])
      for (const event of known) assert.ok(events.has(event), event);
  });

  it('covers nothing by anything, and its lines lead from edge to edge', async () => {
    assertReadable(await layOut(definitionOf(backendMachine)));
  });

  it('is the same each time', async () => {
    assert.deepEqual(await layOut(definitionOf(backendMachine)), await layOut(definitionOf(backendMachine)));
  });
});

describe('the chart of another machine', () => {
  it('is as readable', async () => {
    const traffic = createMachine({
      id: 'light',
      initial: 'red',
      on: { broken: '.dark' },
      states: {
        red: { on: { next: 'green', reset: { actions: 'note' } } },
        green: { on: { next: { target: 'yellow', guard: 'isDay', actions: ['note', 'ring'] } } },
        yellow: { on: { next: 'red' } },
        dark: { type: 'final' },
      },
    });
    const chart = await layOut(definitionOf(traffic));
    assertReadable(chart);
    const broken = chart.transitions.filter(({ event, to }) => event === 'broken' && to === 'dark');
    assert.deepEqual(
      broken.map(({ from }) => from),
      ['red', 'green', 'yellow'],
    );
  });
});
