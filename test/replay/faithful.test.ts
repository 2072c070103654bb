/** What was recorded replays to the same decisions and the same state, whole, in parts, compressed, and up to any moment. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { takeSnapshot } from '../../src/actors/snapshot.ts';
import { replayLog } from '../../src/io/event-log/replay-log.ts';
import { stateHash } from '../../src/io/event-log/segments.ts';
import { ACTION_KINDS, createWorld } from '../support/random-world.ts';
import { busyWorld, folderOf, recordWorlds } from '../support/recorded-log.ts';

const WORLD = busyWorld(1, 400);
const GOOD = recordWorlds([WORLD]);

const acts = fc.array(fc.tuple(fc.nat({ max: ACTION_KINDS - 1 }), fc.nat({ max: 0xffff })), {
  minLength: 10,
  maxLength: 120,
  size: 'max',
});

function hashOf(world: ReturnType<typeof createWorld>): string {
  return stateHash(JSON.stringify(takeSnapshot(world.balancer.core)));
}

describe('replay', () => {
  test('finds no divergence in any recorded world, with gaps and restarts, and ends in its state', async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(acts, { minLength: 1, maxLength: 3 }),
        fc.nat({ max: 4 }),
        async (runs, count) => {
          const worlds = runs.map((list) => {
            const world = createWorld();
            for (const [kind, choice] of list) world.act(kind, choice);
            return world;
          });
          const lose = count === 0 ? undefined : { every: 15, count };
          const files = recordWorlds(worlds, {
            segmentBytes: 6_000,
            ...(lose === undefined ? {} : { lose }),
          });
          const report = await replayLog(folderOf(t, files));
          const facts = worlds.reduce((sum, { history }) => sum + history.length, 0);
          assert.deepEqual([report.firstTrouble, report.divergences, report.damage], [undefined, 0, []]);
          assert.equal(report.entries + report.dropped, facts);
          assert.equal(report.stateSeq, facts);
          const last = worlds.at(-1);
          assert.equal(report.stateHash, last === undefined ? '' : hashOf(last));
        },
      ),
      { numRuns: 40 },
    );
  });

  test('of a segment alone ends in the state that the next one begins with', async (t) => {
    const folder = folderOf(t, GOOD);
    const names = [...GOOD.keys()];
    for (const [index, name] of names.entries()) {
      const report = await replayLog(join(folder, name));
      assert.equal(report.firstTrouble, undefined);
      const next = GOOD.get(names[index + 1] ?? '')?.split('\n')[1];
      assert.equal(report.stateHash, next === undefined ? hashOf(WORLD) : JSON.parse(next).hash);
    }
  });

  test('of compressed segments is the same', async (t) => {
    const plain = await replayLog(folderOf(t, GOOD));
    const packed = [...GOOD].map(([name, text], index): [string, Uint8Array] =>
      index % 2 === 0 ? [`${name}.zst`, zstdCompressSync(text)] : [`${name}.gz`, gzipSync(text)],
    );
    assert.deepEqual(await replayLog(folderOf(t, new Map(packed))), plain);
    const [name, bytes] = packed[1] ?? ['', new Uint8Array()];
    assert.equal(
      (await replayLog(join(folderOf(t, new Map([[name, bytes]])), name))).firstTrouble,
      undefined,
    );
  });

  test('until an entry gives the state after it', async (t) => {
    const folder = folderOf(t, GOOD);
    for (const seq of [1, 2, 57, 150, 300]) {
      const report = await replayLog(folder, { until: { seq } });
      const { fact: _, ...moment } = WORLD.history[seq - 1] ?? { fact: undefined, at: -1, decisions: [] };
      assert.deepEqual([report.entries, report.stateSeq, report.until], [seq, seq, { seq, at: moment.at }]);
    }
  });

  test('until a time takes all entries up to that millisecond', async (t) => {
    const folder = folderOf(t, GOOD);
    const at = WORLD.history[200]?.at ?? 0;
    const { until, entries } = await replayLog(folder, { until: { at } });
    assert.equal(until?.at, at);
    assert.equal(entries, WORLD.history.filter((entry) => entry.at <= at).length);
  });

  test('from an entry or a time begins at the last snapshot at or before it', async (t) => {
    const folder = folderOf(t, GOOD);
    const starts = [...GOOD.keys()].map((name) => Number(name.slice(7, 23)));
    const third = starts[2] ?? 0;
    const whole = await replayLog(folder);
    for (const seq of [third, third + 1, (starts[3] ?? 0) - 1]) {
      const report = await replayLog(folder, { from: { seq } });
      assert.deepEqual([report.from?.seq, report.firstTrouble], [third, undefined]);
      assert.equal(report.stateHash, whole.stateHash);
    }
    const at = WORLD.history[third]?.at ?? 0;
    const timed = await replayLog(folder, { from: { at }, until: { at } });
    assert.ok((timed.from?.at ?? 0) <= at && timed.firstTrouble === undefined);
  });

  test('from behind a gap begins at the snapshot behind it', async (t) => {
    const files = recordWorlds([busyWorld(1, 60)], { segmentBytes: 1e6, lose: { every: 20, count: 3 } });
    const report = await replayLog(folderOf(t, files), { from: { seq: 45 } });
    assert.deepEqual([report.from?.seq, report.gaps], [41, 0]);
  });

  test('of a range before the log is refused', async (t) => {
    const folder = folderOf(t, new Map([...GOOD].slice(2)));
    await assert.rejects(replayLog(folder, { until: { seq: 3 } }), { code: 'LOG_OUT_OF_RANGE' });
  });
});
