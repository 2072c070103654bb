/** What the backlog counts as lost, where the mark of a gap is itself on a disk that fails. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBalancer } from '../../src/actors/balancer.ts';
import { takeSnapshot } from '../../src/actors/snapshot.ts';
import {
  addEntry,
  type Backlog,
  beginBehind,
  createBacklog,
  dropAll,
  lossesOf,
  noteWritten,
  takeParts,
} from '../../src/io/event-log/backlog.ts';

/** A backlog that has lost the entries 11 to 20, and has marked the gap behind entry 10 with lines that are being written. */
function withMarkedGap(): Backlog {
  const { core } = createBalancer();
  const backlog = createBacklog({
    ...{ version: 'test', config: () => null, snapshot: () => takeSnapshot(core), now: () => 0 },
    onTooSlow: () => assert.fail('too slow'),
    settings: () => ({ segmentBytes: 2 ** 30, checkpointEntries: 1000, bufferBytes: 2 ** 30 }),
  });
  beginBehind(backlog, 0, 0);
  add(backlog, 1, 10);
  written(backlog);
  dropAll(backlog, 'EIO', 10, true);
  add(backlog, 11, 20);
  beginBehind(backlog, 10, 10);
  return backlog;
}

function add(backlog: Backlog, from: number, to: number): void {
  for (let seq = from; seq <= to; seq += 1)
    addEntry(backlog, { v: 1, seq, at: seq, fact: { type: 'timer.fired', timer: 'sweep' }, decisions: [] });
}

function written(backlog: Backlog): void {
  for (const part of takeParts(backlog)) noteWritten(backlog, part);
}

describe('a gap', () => {
  it('whose mark is lost is counted once, with what was lost since', () => {
    const backlog = withMarkedGap();
    written(backlog);
    // The disk fails to confirm it, and only later is it known how much of it is left: nothing.
    dropAll(backlog, 'EIO', 20, true);
    add(backlog, 21, 25);
    assert.deepEqual(lossesOf(backlog), { dropped: 15, gaps: 2 });
    beginBehind(backlog, 10, 10);
    assert.deepEqual(lossesOf(backlog), { dropped: 15, gaps: 1 });
  });

  it('whose mark the disk has taken before it failed is counted', () => {
    const backlog = withMarkedGap();
    takeParts(backlog);
    dropAll(backlog, 'ENOSPC', 10, true);
    assert.deepEqual(lossesOf(backlog), { dropped: 10, gaps: 1 });
    // All of it stands there.
    dropAll(backlog, 'ENOSPC', 20, true);
    assert.deepEqual(lossesOf(backlog), { dropped: 10, gaps: 1 });
    add(backlog, 21, 25);
    beginBehind(backlog, 20, 20);
    assert.deepEqual(lossesOf(backlog), { dropped: 15, gaps: 2 });
  });
});
