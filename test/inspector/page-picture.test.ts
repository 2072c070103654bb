/** What the inspector's page draws, before it is drawn: bands, areas, marks, charts, bars. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Band, Chart, Mark } from '../../src/io/inspector/api.ts';
import { boxesOf, spanAt } from '../../src/io/inspector/page/model/bands.ts';
import { lightsOf } from '../../src/io/inspector/page/model/chart-lights.ts';
import { shapeOf } from '../../src/io/inspector/page/model/chart-path.ts';
import { identitiesOf, identityOf } from '../../src/io/inspector/page/model/identity.ts';
import { groupMarks } from '../../src/io/inspector/page/model/marks.ts';
import { countPicks, greatestWeight, weightBar } from '../../src/io/inspector/page/model/picks.ts';
import {
  areaOf,
  bucketsFor,
  columnsOf,
  greatest,
  niceCeiling,
  stacked,
  sumOf,
} from '../../src/io/inspector/page/model/rates.ts';
import { labelledRows, layoutOf } from '../../src/io/inspector/page/model/timeline-layout.ts';

const SHOWN = { from: 0, until: 1000 };

type State = Band['spans'][number]['state'];

function band(...spans: readonly [from: number, until: number, state: State][]): Band {
  return {
    backend: 'a',
    spans: spans.map(([from, until, state], index) => ({ from, until, state, reason: '', seq: index + 1 })),
  };
}

describe('bands', () => {
  it('are boxes in the pixels of what is shown', () => {
    const boxes = boxesOf(band([0, 400, 'healthy'], [400, 1500, 'unhealthy']), SHOWN, 100);
    assert.deepEqual(
      boxes.map(({ x, width, span }) => [x, width, span.state]),
      [
        [0, 40, 'healthy'],
        [40, 60, 'unhealthy'],
      ],
    );
  });

  it('leave out what is out of sight', () => {
    const boxes = boxesOf(band([-500, -100, 'healthy'], [-100, 50, 'unhealthy']), SHOWN, 100);
    assert.deepEqual(
      boxes.map(({ x, width }) => [x, width]),
      [[0, 5]],
    );
  });

  it('show an outage that is shorter than a pixel', () => {
    const boxes = boxesOf(
      band([0, 500, 'healthy'], [500, 501, 'unhealthy'], [501, 1000, 'healthy']),
      SHOWN,
      100,
    );
    assert.deepEqual(
      boxes.map(({ span }) => span.state),
      ['healthy', 'unhealthy', 'healthy'],
    );
    assert.equal(boxes[1]?.width, 2);
  });

  it('are no more than there are pixels for, and keep the worst state of those that share one', () => {
    const spans = Array.from({ length: 5000 }, (_, index): [number, number, State] => [
      index / 5,
      (index + 1) / 5,
      index === 2500 ? 'unhealthy' : index % 2 === 0 ? 'healthy' : 'draining',
    ]);
    const boxes = boxesOf(band(...spans), SHOWN, 100);
    assert.ok(boxes.length <= 51, `${boxes.length} boxes`);
    assert.equal(boxes.filter(({ span }) => span.state === 'unhealthy').length, 1);
  });

  it('tell the state at a time', () => {
    const one = band([0, 400, 'healthy'], [400, 1000, 'unhealthy']);
    assert.equal(spanAt(one, 399)?.state, 'healthy');
    assert.equal(spanAt(one, 400)?.state, 'unhealthy');
    assert.equal(spanAt(one, 1000), undefined);
  });
});

describe('rates', () => {
  const rates = { from: 0, bucketMs: 250 };

  it('become columns per second of what is in sight', () => {
    const columns = columnsOf([1, 2, 3, 4, 5, 6], rates, { from: 500, until: 1000 }, 100, 'perSecond');
    assert.deepEqual(columns, [
      { x: 0, right: 50, value: 12 },
      { x: 50, right: 100, value: 16 },
    ]);
  });

  it('stand one upon the other', () => {
    const below = columnsOf([1, 2], rates, { from: 0, until: 500 }, 10, 'count');
    const above = stacked(below, columnsOf([3, 4], rates, { from: 0, until: 500 }, 10, 'count'));
    assert.deepEqual(
      above.map(({ value }) => value),
      [4, 6],
    );
    assert.deepEqual(sumOf([[1, 2], [3, 4], [5]]), [9, 6]);
    assert.equal(greatest(above), 6);
    assert.equal(areaOf(below, above, 10, 100), 'M0 60H5L5 40H10L10 80H5L5 90H0Z');
  });

  it('draw nothing where there is nothing', () => {
    const none = columnsOf([0, 0], rates, { from: 0, until: 500 }, 10, 'count');
    assert.equal(areaOf(null, none, 1, 10), '');
  });

  it('have a round number at their top', () => {
    assert.deepEqual([0, 0.3, 1, 1.2, 7, 48, 130, 2001].map(niceCeiling), [1, 1, 1, 1.5, 8, 50, 150, 3000]);
  });

  it('come in buckets of some pixels, and of half a second at least', () => {
    assert.equal(bucketsFor(1200, 3_600_000), 400);
    assert.equal(bucketsFor(1200, 60_000), 120);
    assert.equal(bucketsFor(9000, 86_400_000), 600);
    assert.equal(bucketsFor(300, 100), 10);
  });
});

describe('marks', () => {
  const mark = (at: number, kind: Mark['kind']): Mark => ({ seq: at, at, kind, text: `${kind} at ${at}` });

  it('that would lie upon one another are one, with the shape of the most telling', () => {
    const marks = [mark(500, 'rose'), mark(10, 'started'), mark(510, 'fell'), mark(900, 'reloaded')];
    const groups = groupMarks(marks, SHOWN, 100, 13);
    assert.deepEqual(
      groups.map(({ x, mark: { kind }, count }) => [x, kind, count]),
      [
        [1, 'started', 1],
        [51, 'fell', 2],
        [90, 'reloaded', 1],
      ],
    );
    assert.match(groups[1]?.title ?? '', /rose at 500\n.*fell at 510/);
  });

  it('are no more than there is room for, however many there are', () => {
    const marks = Array.from({ length: 3000 }, (_, index) => mark(index / 3, 'fell'));
    assert.ok(groupMarks(marks, SHOWN, 600, 13).length <= 47);
  });
});

describe('the layout of the timeline', () => {
  it('makes rows thin where there are many, and names letters where there is little room', () => {
    assert.equal(layoutOf(1200, 3).rowHeight, 22);
    assert.equal(layoutOf(1200, 50).rowHeight, 6);
    assert.ok(layoutOf(1200, 50).height < 520);
    assert.ok(layoutOf(370, 3).gutter < 60);
  });

  it('names each row if there is room, otherwise those that matter and some between', () => {
    const rows = Array.from({ length: 50 }, (_, index) => ({ matters: index === 7 }));
    assert.equal(labelledRows(rows, 22).size, 50);
    const some = labelledRows(rows, 6);
    assert.ok(some.has(7) && some.has(0) && !some.has(5) && some.has(10));
  });
});

describe('a state chart', () => {
  const line = (id: string, from: string, to: string, event: string) => ({
    ...{ id, from, to, event, guard: null, actions: [] },
    points: [
      { x: 0, y: 0 },
      { x: 0, y: 40 },
      { x: 60, y: 40 },
    ],
    label: { x: -200, y: -200, width: 10, height: 10 },
  });
  const box = { x: 10, y: 10, width: 100, height: 40 };
  const chart: Chart = {
    machine: 'backend',
    width: 500,
    height: 300,
    states: ['evaluating', 'healthy', 'unhealthy', 'drained'].map((id) => ({
      ...{ id, isInitial: false, isFinal: false },
      ...box,
    })),
    transitions: [
      line('stay', 'healthy', 'healthy', 'probe.failed'),
      line('fall', 'healthy', 'unhealthy', 'probe.failed'),
      line('restore', 'drained', 'evaluating', 'operator.restored'),
      line('well', 'evaluating', 'healthy', ''),
      line('ill', 'evaluating', 'unhealthy', ''),
    ],
  };
  const lit = (from: string, to: string, event: string) => {
    const { transitions } = lightsOf(chart, {
      state: 'healthy',
      lastTransition: { seq: 1, at: 1, from, to, event },
      lastChange: null,
    });
    return [...transitions];
  };

  it('lights the transition that was taken, told from others of the same event by where it led', () => {
    assert.deepEqual(lit('healthy', 'unhealthy', 'probe.failed'), ['fall']);
    assert.deepEqual(lit('healthy', 'healthy', 'probe.failed'), ['stay']);
  });

  it('lights both lines of one that passed through a state', () => {
    assert.deepEqual(lit('drained', 'unhealthy', 'operator.restored'), ['restore', 'ill']);
  });

  it('still lights how the state was reached when probes have only left it there since', () => {
    const probed = { seq: 9, at: 9, from: 'healthy', to: 'healthy', event: 'probe.failed' };
    const reached = { seq: 5, at: 5, from: 'drained', to: 'healthy', event: 'operator.restored' };
    const { transitions } = lightsOf(chart, {
      state: 'healthy',
      lastTransition: probed,
      lastChange: reached,
    });
    assert.deepEqual([...transitions], ['restore', 'well', 'stay']);
  });

  it('lights none before the first, or of an event it does not know', () => {
    assert.deepEqual(
      [...lightsOf(chart, { state: 'healthy', lastTransition: null, lastChange: null }).transitions],
      [],
    );
    assert.deepEqual(lit('healthy', 'drained', 'no.such'), []);
  });

  it('has rounded corners, and a box that leaves its labels out', () => {
    const { lines, box } = shapeOf(chart);
    assert.equal(lines.get('fall'), 'M0 0L0 32Q0 40 8 40L60 40');
    assert.deepEqual(box, { x: 0, y: 0, width: 110, height: 50 });
    assert.equal(shapeOf(chart).lines, lines);
  });
});

describe('a backend', () => {
  it('has a letter of its own, and a pattern where colours come round', () => {
    const ids = Array.from({ length: 60 }, (_, index) => `b${index}`);
    const identities = identitiesOf(ids);
    assert.equal(new Set(ids.map((id) => identityOf(identities, id).letter)).size, 60);
    assert.deepEqual(identityOf(identities, 'b0'), { letter: 'A', colour: 0, pattern: 0 });
    assert.deepEqual(identityOf(identities, 'b8'), { letter: 'I', colour: 0, pattern: 1 });
    assert.equal(identityOf(identities, 'b26').letter, 'AA');
    assert.equal(identityOf(identities, 'nobody').letter, '?');
  });

  it('has the share of the picks it got, and a bar for its current weight', () => {
    const picks = ['a', 'b', 'a'].map((backend, index) => ({
      backend,
      request: index,
      seq: index,
      at: index,
    }));
    assert.deepEqual(
      [...countPicks(picks)],
      [
        ['a', 2],
        ['b', 1],
      ],
    );
    const peers = [
      { weight: 5, currentWeight: -2, eligibility: 'eligible' },
      { weight: 1, currentWeight: 1, eligibility: 'eligible' },
      { weight: 9, currentWeight: 0, eligibility: 'unhealthy' },
    ] as const;
    assert.equal(greatestWeight(peers), 6);
    assert.deepEqual(weightBar(-3, 6), { start: 0.25, length: 0.25 });
    assert.deepEqual(weightBar(6, 6), { start: 0.5, length: 0.5 });
  });
});
