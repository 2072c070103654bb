/** The parts of the simulated world that what-if and simulations share. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBalancer } from '../../src/actors/balancer.ts';
import { planConfig } from '../../src/io/whatif/config.ts';
import { exceptionsIn } from '../../src/io/whatif/exceptions.ts';
import { createAgenda } from '../../src/simulation/agenda.ts';
import { createRandom, seedFrom } from '../../src/simulation/random.ts';
import { createSeries } from '../../src/simulation/series.ts';
import { createSpells } from '../../src/simulation/spells.ts';
import { createWorld, type Step } from '../../src/simulation/world.ts';
import { backend, coreConfig, received } from '../support/core.ts';

test('the agenda gives what is due by time, then by rank, then in the order it was planned in', () => {
  const agenda = createAgenda<string>();
  agenda.add(20, undefined, 'late');
  agenda.add(10, undefined, 'no rank, first');
  agenda.add(10, 7, 'rank 7');
  agenda.add(10, undefined, 'no rank, second');
  agenda.add(10, 3, 'rank 3');
  agenda.add(5, undefined, 'early');
  const taken: string[] = [];
  for (
    let due = agenda.takeBefore(15, undefined);
    due !== undefined;
    due = agenda.takeBefore(15, undefined)
  ) {
    taken.push(due.item);
  }
  assert.deepEqual(taken, ['early', 'rank 3', 'rank 7', 'no rank, first', 'no rank, second']);
  assert.equal(agenda.takeBefore(20, 5), undefined);
  assert.equal(agenda.takeBefore(21, undefined)?.item, 'late');
});

test('the agenda keeps the order of many', () => {
  const agenda = createAgenda<number>();
  const random = createRandom(4);
  const times = Array.from({ length: 500 }, () => Math.floor(random() * 100));
  for (const at of times) agenda.add(at, undefined, at);
  const taken = times.map(() => agenda.takeBefore(Infinity, undefined)?.item);
  assert.deepEqual(
    taken,
    times.toSorted((one, other) => one - other),
  );
});

test('a seed made of parts depends on each of them', () => {
  assert.equal(seedFrom(1, 'a', 2), seedFrom(1, 'a', 2));
  assert.notEqual(seedFrom(1, 'a', 2), seedFrom(1, 'a', 3));
  assert.notEqual(seedFrom(1, 'a', 2), seedFrom(2, 'a', 1));
});

test('a series gives one of the nearest within bounds', () => {
  const series = createSeries<number>((time) => time);
  for (const time of [50, 10, 40, 20, 30]) series.add(time);
  assert.deepEqual(series.items(), [10, 20, 30, 40, 50]);
  assert.equal(series.nearest(27), 30);
  const wanted = { at: 27, from: 20, to: 60, most: 2 };
  assert.equal(
    series.draw(wanted, () => 0),
    30,
  );
  // 20 is nearer than 40, but it lies on the bound.
  assert.equal(
    series.draw(wanted, () => 0.99),
    40,
  );
  assert.equal(
    series.draw({ ...wanted, fits: (time) => time > 100 }, () => 0),
    undefined,
  );
});

test('a spell reaches from one change of the probes to the next, and over both where the change is uncertain', () => {
  const verdicts = [
    { at: 0, ok: true },
    { at: 10, ok: true },
    { at: 20, ok: false },
    { at: 30, ok: false },
    { at: 40, ok: true },
  ];
  const spellAt = createSpells(verdicts);
  assert.deepEqual(spellAt(5), { from: -Infinity, to: 20 });
  assert.deepEqual(spellAt(25), { from: 10, to: 40 });
  assert.deepEqual(spellAt(15), { from: -Infinity, to: 40 });
  assert.deepEqual(spellAt(99), { from: 30, to: Infinity });
  assert.deepEqual(createSpells([])(5), { from: -Infinity, to: Infinity });
});

test('what was called off in the world does not happen', () => {
  const steps: Step[] = [];
  const world = createWorld({
    balancer: createBalancer(),
    start: { at: 0, rank: undefined },
    onStep: (step) => steps.push(step),
    surroundings: {
      open: () => ({ afterMs: 10, ok: true }),
      answer: () => ({
        started: { afterMs: 10, status: 200 },
        ended: { afterMs: 100, ok: true, status: 200, bytes: 1, chunks: 1, reusable: true },
      }),
      keep: () => ({ afterMs: 1000 }),
      deadline: (_request, deadline, { at }) => ({ afterMs: deadline - at }),
      ejection: (_backend, deadline, { at }) => ({ afterMs: deadline - at }),
    },
  });
  const at = (time: number) => ({ at: time, rank: undefined });
  world.take({ type: 'gateway.started', version: 'test', config: coreConfig({ pool: { size: 1 } }) }, at(0));
  world.take(received(1), at(0));
  world.take({ type: 'client.aborted', request: 1 }, at(5));
  world.take(received(2), at(5));
  world.advance(at(50));
  world.take({ type: 'client.aborted', request: 2 }, at(50));
  world.take(received(3), at(60));
  world.advance(at(10_000));
  assert.deepEqual(
    steps.slice(1).map(({ at: time, fact }) => `${time} ${fact.type}`),
    [
      '0 request.received',
      '5 client.aborted',
      '5 request.received',
      '15 socket.opened',
      '25 response.started',
      '50 client.aborted',
      '60 request.received',
      '70 socket.opened',
      '80 response.started',
      '170 response.ended',
      '1170 socket.closed',
    ],
  );
});

test('a recorded value that is refused today is named, since its default counts in its place', () => {
  const plan = planConfig({ set: ['health.fall=5'] });
  const twice = { ...backend('a'), id: 'b' };
  const recorded = { whole: {}, core: coreConfig({ backends: [backend('a'), twice] }) };
  assert.deepEqual(
    exceptionsIn([], [recorded, recorded], plan).map(({ key }) => key),
    ['backends'],
  );
  assert.deepEqual(exceptionsIn([], [{ whole: {}, core: coreConfig({ backends: [twice] }) }], plan), []);
});
