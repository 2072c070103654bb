/** What a what-if keeps of each entry, since it has to hold something of all of them at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Decision } from '../../src/actors/events.ts';
import { createColumn, createWords } from '../../src/simulation/columns.ts';
import { createDecided } from '../../src/simulation/decided.ts';
import { recordScenario } from '../support/scenario.ts';
import { readText } from './support.ts';

/** Measured: 291 with the columns; 582 when each entry was kept whole. */
const MOST_BYTES_PER_ENTRY = 420;

test('a recording that has been read does not hold its entries whole', () => {
  const { text } = recordScenario({
    backends: { a: { port: 8001, answer: () => ({ firstByteMs: 5, totalMs: 50 }) } },
    durationMs: 1_000_000,
    everyMs: 100,
    seed: 1,
  });
  const before = heapBytes();
  const recording = readText(text);
  const bytes = heapBytes() - before;
  const entries = recording.runs[0]?.entries ?? 0;
  assert.ok(entries > 25_000, `${entries} entries`);
  const perEntry = Math.round(bytes / entries);
  assert.ok(perEntry < MOST_BYTES_PER_ENTRY, `${perEntry} bytes an entry`);
});

function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  assert.ok(typeof collect === 'function');
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test('what a run decided is told apart by a single letter, and its telling decisions come back', () => {
  const decided = createDecided();
  const selected = (request: number, backend: string): Decision[] => [
    { type: 'backend.selected', request, backend },
    { type: 'lease.granted', request, lease: 1, backend, socket: 1, reused: true },
  ];
  const rejected: Decision[] = [{ type: 'request.rejected', request: 7, code: 'queue_full' }];
  const large = selected(2 ** 40, 'a');
  decided.note(5, 1000, selected(6, 'gpu-1'));
  decided.note(6, 1000, []);
  decided.note(70_000, 2000, rejected);
  decided.note(70_001, 2001, large);
  assert.deepEqual([decided.count, decided.first, decided.last], [3, 5, 70_001]);
  assert.deepEqual(
    [decided.has(5), decided.has(6), decided.at(6), decided.at(70_000)],
    [true, false, undefined, 2000],
  );
  assert.ok(decided.isSame(5, 1000, selected(6, 'gpu-1')));
  for (const other of [selected(6, 'gpu-2'), selected(7, 'gpu-1'), rejected]) {
    assert.ok(!decided.isSame(5, 1000, other));
  }
  assert.ok(!decided.isSame(5, 1001, selected(6, 'gpu-1')));
  assert.deepEqual(decided.telling(5), selected(6, 'gpu-1').slice(0, 1));
  assert.deepEqual(decided.telling(6), []);
  assert.deepEqual(decided.telling(70_000), rejected);
  assert.deepEqual(decided.telling(70_001), large.slice(0, 1));
});

test('a column holds 0 where nothing was set, however far apart its numbers are', () => {
  const column = createColumn((length) => new Float64Array(length));
  column.set(0, 1.5);
  column.set(1e9, 3);
  assert.deepEqual([column.get(0), column.get(1), column.get(5e8), column.get(1e9)], [1.5, 0, 0, 3]);
  const words = createWords();
  for (const [index, word] of ['x', 'y', 'x', ''].entries()) words.set(index, word);
  assert.deepEqual([0, 1, 2, 3, 4].map(words.get), ['x', 'y', 'x', '', undefined]);
});
