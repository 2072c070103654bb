/** The index of a log against the log itself, played entry by entry. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { backendMachine } from '../../src/actors/backend.ts';
import { definitionOf } from '../../src/io/inspector/chart/definition.ts';
import { Entries } from '../../src/io/inspector/history/entries.ts';
import { LogIndex } from '../../src/io/inspector/history/log-index.ts';
import { Moments } from '../../src/io/inspector/history/moments.ts';
import { readRecording } from '../../src/io/inspector/history/reading.ts';
import { Stretches } from '../../src/io/inspector/history/stretches.ts';
import {
  busyWorld,
  folderOf,
  readAll,
  recordWorlds,
  resealed,
  withFile,
  withLines,
} from '../support/recorded-log.ts';
import { asker, playAll, viewsOf } from './support.ts';

/** Small, so that there are many keyframes, and some are thinned out. */
const LIMITS = { interval: 16, most: 12 };

/** Three runs, with entries lost here and there, over many segments. */
function busyLog(t: TestContext): string {
  const worlds = [busyWorld(1, 700), busyWorld(2, 400), busyWorld(3, 300)];
  return folderOf(t, recordWorlds(worlds, { segmentBytes: 20_000, lose: { every: 211, count: 4 } }));
}

async function read(path: string) {
  const reading = await readRecording(path, LIMITS);
  await reading.done;
  assert.equal(reading.failure, undefined);
  return { reading, ask: asker(reading) };
}

/** An index that is given the lines one by one, and what is asked of it. */
function growing(path: string, limits: { interval: number; most?: number }) {
  const index = new LogIndex(path, true, limits);
  const stretches = new Stretches(index);
  return { index, stretches, moments: new Moments(index, stretches), entries: new Entries(index, stretches) };
}

/** What only weak references hold is gone then. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  assert.ok(typeof collect === 'function');
  // Weak references hold until the task at hand has ended.
  await setImmediate();
  collect();
}

describe('the index of a log', () => {
  it('gives no false moment and loses no entry while it grows and keyframes are thinned', async (t) => {
    const path = folderOf(t, recordWorlds([busyWorld(6, 450)], { segmentBytes: 1_000_000 }));
    const whole = growing(path, { interval: 1_000_000 });
    const thinned = growing(path, LIMITS);
    let most = 0;
    let thinnings = 0;
    for (const item of (await readAll(path)).items) {
      whole.index.take(item);
      thinned.index.take(item);
      const { length } = thinned.index.keyframes.all;
      if (length < most) thinnings += 1;
      most = length;
      if (!('fact' in item.line)) continue;
      const { seq: last } = item.line;
      for (const seq of [last - 30, last - 7, last]) {
        if (seq < 1) continue;
        const [found, right] = [await thinned.moments.atSeq(seq), await whole.moments.atSeq(seq)];
        assert.deepEqual(found, right, `entry ${seq}, asked for at ${last}`);
      }
      const { entries } = await thinned.entries.page({ limit: 40 });
      const expected = Array.from({ length: Math.min(40, last) }, (_, back) => last - back).reverse();
      assert.deepEqual(
        entries.map(({ seq }) => seq),
        expected,
      );
    }
    assert.ok(thinnings > 0, 'keyframes were thinned');
  });

  it('keeps no states of keyframes that have gone, while a page is open for long', async (t) => {
    const path = folderOf(t, recordWorlds([busyWorld(8, 900)], { segmentBytes: 1_000_000 }));
    const { index, stretches, entries } = growing(path, { interval: 8, most: 12 });
    const states: WeakRef<object>[] = [];
    for (const item of (await readAll(path)).items) {
      index.take(item);
      if (index.keyframes.last?.entries !== 2) continue;
      // What a page asks for that shows the last entries.
      for (const keyframe of index.keyframes.all.slice(-2)) {
        states.push(new WeakRef((await stretches.of(keyframe)).state));
      }
    }
    assert.ok(states.length > 50, `${states.length} states were looked at`);
    await collectGarbage();
    const alive = new Set(states.flatMap((state) => state.deref() ?? [])).size;
    const most = index.keyframes.all.length;
    assert.ok(alive <= most, `${alive} states of ${most} keyframes are still in memory`);
    assert.equal((await entries.page({ limit: 1 })).entries.length, 1, 'it is still there to be asked');
  });

  it('gives at each entry the state that replay has there, in whatever order it is asked', async (t) => {
    const path = busyLog(t);
    const played = await playAll(path);
    const { ask } = await read(path);
    assert.ok(played.length > 1000, `${played.length} entries`);
    // A stride that is prime to the length, so that every entry is asked for, far from the one before.
    for (let step = 0; step < played.length; step += 1) {
      const at = played[(step * 389) % played.length];
      if (at === undefined) continue;
      const { seq } = at.entry;
      const moment = await ask.moment({ seq });
      assert.equal(moment.seq, seq);
      assert.equal(moment.at, at.entry.at);
      assert.deepEqual(viewsOf(moment), at.backends, `entry ${seq}`);
      assert.equal(moment.waitingTotal, at.waiting);
      assert.equal(moment.inFlight, at.inFlight);
    }
  });

  it('gives the same moment from a kept state as from the beginning of its run', async (t) => {
    const path = busyLog(t);
    const { ask } = await read(path);
    const whole = await readRecording(path, { interval: 1_000_000 });
    await whole.done;
    const { reading } = await read(path);
    assert.ok(reading.index.keyframes.all.length > 10, 'there are keyframes');
    const other = asker(whole);
    for (let seq = 1; seq < (reading.index.last?.seq ?? 0); seq += 7) {
      assert.deepEqual(await ask.moment({ seq }), await other.moment({ seq }), `entry ${seq}`);
    }
  });

  it('finds the last entry at a time', async (t) => {
    const path = folderOf(t, recordWorlds([busyWorld(5, 800)]));
    const entries = (await playAll(path)).map(({ entry }) => entry);
    const { ask } = await read(path);
    for (const [index, entry] of entries.entries()) {
      const next = entries[index + 1];
      if (next !== undefined && next.at <= entry.at) continue;
      assert.equal((await ask.moment({ at: entry.at })).seq, entry.seq);
      if (next !== undefined) assert.equal((await ask.moment({ at: next.at - 1 })).seq, entry.seq);
    }
    assert.equal((await ask.moment({ at: -1 })).seq, 0, 'before the beginning: the beginning');
  });

  it('shows in its bands the state each backend has after each entry', async (t) => {
    const path = busyLog(t);
    const played = await playAll(path);
    const { reading } = await read(path);
    const bands = new Map(reading.index.bands.report(0).map(({ backend, spans }) => [backend, spans]));
    for (const { entry, backends } of played) {
      if (entry.decisions.some(({ type }) => type === 'gateway.stopped')) continue;
      for (const { id, state } of backends) {
        const span = bands.get(id)?.findLast(({ seq }) => seq <= entry.seq);
        if (span?.reason === 'the gateway did not run') continue;
        assert.equal(span?.state, state, `${id} after entry ${entry.seq}`);
      }
    }
  });

  it('counts in its buckets every request that was placed, rejected or failed', async (t) => {
    const path = busyLog(t);
    const played = await playAll(path);
    const { ask } = await read(path);
    const count = (type: string) =>
      played.flatMap(({ entry }) => [entry.fact, ...entry.decisions]).filter((part) => part.type === type)
        .length;
    for (const buckets of [1, 7, 300]) {
      const { rates } = await ask.overview(buckets);
      const sum = (counts: readonly number[]) => counts.reduce((total, each) => total + each, 0);
      assert.ok(rates.rejected.length <= buckets + 1, `${rates.rejected.length} of ${buckets} buckets`);
      assert.equal(sum(Object.values(rates.placed).map(sum)), count('backend.selected'));
      assert.equal(sum(rates.rejected), count('request.rejected'));
      assert.equal(sum(rates.failed), count('response.failed') + count('socket.failed'));
      assert.equal(Math.max(...rates.waiting), Math.max(...played.map(({ waiting }) => waiting)));
    }
  });

  it('marks what operators did, what fell and rose, each start and each gap', async (t) => {
    const path = busyLog(t);
    const played = await playAll(path);
    const { ask } = await read(path);
    const { marks } = await ask.overview();
    const seqs = (kind: string) => marks.filter((mark) => mark.kind === kind).map(({ seq }) => seq);
    const facts = (type: string) =>
      played.flatMap(({ entry }) => (entry.fact.type === type ? entry.seq : []));
    const changes = (from: string, to: string) =>
      played.flatMap(({ entry }) =>
        entry.decisions.flatMap((each) =>
          each.type === 'backend.changed' && each.from === from && each.to === to ? entry.seq : [],
        ),
      );
    assert.deepEqual(seqs('drained'), facts('operator.drained'));
    assert.deepEqual(seqs('restored'), facts('operator.restored'));
    assert.deepEqual(seqs('reloaded'), facts('config.reloaded'));
    const sorted = (...lists: number[][]) => lists.flat().sort((one, other) => one - other);
    assert.deepEqual(seqs('fell'), sorted(changes('healthy', 'unhealthy'), changes('healthy', 'ejected')));
    assert.deepEqual(seqs('rose'), sorted(changes('unhealthy', 'healthy'), changes('ejected', 'healthy')));
    assert.deepEqual(seqs('started'), facts('gateway.started'));
    assert.ok(seqs('gap').length >= 3, `${seqs('gap').length} gaps`);
    assert.ok(seqs('fell').length > 0 && seqs('drained').length > 0, 'the world was busy');
  });

  it('tells of each backend a last transition that its machine has', async (t) => {
    const { reading, ask } = await read(busyLog(t));
    const { transitions } = definitionOf(backendMachine);
    const isOne = (from: string, event: string, to: string) =>
      transitions.some(
        (each) => each.from === from && each.event === event && (each.to === to || each.to === 'evaluating'),
      );
    const seen = new Set<string>();
    for (let seq = 1; seq < (reading.index.last?.seq ?? 0); seq += 3) {
      for (const { id, state, since, lastTransition, lastChange } of (await ask.moment({ seq })).backends) {
        if (lastTransition === null) continue;
        if (lastChange !== null) {
          assert.equal(lastChange.to, state, `${id} at ${seq}`);
          assert.equal(lastChange.seq, since?.seq, `${id} at ${seq}`);
          assert.notEqual(lastChange.from, lastChange.to);
        }
        const { from, event, to } = lastTransition;
        assert.ok(isOne(from, event, to), `${id} at ${seq}: ${from} --${event}--> ${to}`);
        assert.equal(to, state, `${id} at ${seq}`);
        seen.add(`${from} ${event} ${to}`);
      }
    }
    assert.ok(seen.size >= 8, [...seen].join(', '));
  });

  it('goes on behind damage, says where it is, and shows what is missing as unknown', async (t) => {
    const files = recordWorlds([busyWorld(4, 900)], { segmentBytes: 12_000 });
    const names = [...files.keys()];
    const damaged = withFile(files, names[1] ?? '', (text) =>
      withLines(text, (lines) =>
        lines.map((line, index) => (index === 20 ? line.replace('"at":1', '"at":2') : line)),
      ),
    );
    const path = folderOf(t, damaged);
    const played = await playAll(path);
    const { ask } = await read(path);
    const { notes, marks, backends } = await ask.overview();
    assert.match(notes.join('\n'), new RegExp(`${names[1]}, line 21: the line was altered`));
    assert.match(notes.join('\n'), /entries of the log are missing/);
    assert.deepEqual(marks.filter(({ kind }) => kind === 'gap').length, 1);
    assert.ok(
      backends.some(({ spans }) =>
        spans.some(({ state, reason }) => state === 'unknown' && /damaged/.test(reason)),
      ),
    );
    for (const { entry, backends: expected } of played) {
      assert.deepEqual(viewsOf(await ask.moment({ seq: entry.seq })), expected, `entry ${entry.seq}`);
    }
  });

  it('says where replay differs from the record, and shows nothing of what follows as known', async (t) => {
    const files = recordWorlds([busyWorld(4, 600)], { segmentBytes: 30_000 });
    const [name = ''] = files.keys();
    let altered = 0;
    const changed = withFile(files, name, (text) =>
      withLines(text, (lines) =>
        lines.map((line) => {
          if (altered > 0 || !line.includes('"type":"backend.selected"') || !line.includes('"seq":4'))
            return line;
          altered = Number(/"seq":(\d+)/.exec(line)?.[1]);
          return resealed(line, (covered) =>
            covered.replace('"backend.selected","request":', '"backend.selected","request":9'),
          );
        }),
      ),
    );
    const path = folderOf(t, changed);
    const { ask } = await read(path);
    const { notes, marks, backends } = await ask.overview();
    assert.match(notes.join(), new RegExp(`from entry ${altered} on the core decides otherwise`));
    assert.ok(marks.some(({ kind, seq }) => kind === 'gap' && seq === altered));
    const unknown = backends.flatMap(({ spans }) => spans).find(({ state }) => state === 'unknown');
    assert.deepEqual([unknown?.seq, unknown?.reason], [altered, 'replay differs from the record']);
    assert.equal((await ask.moment({ seq: altered + 3 })).seq, altered - 1, 'the last state that is known');
    const page = await ask.answer({ ask: 'entries', query: { after: altered - 1, limit: 1 } });
    assert.match(
      JSON.stringify(page),
      new RegExp(`"entries":\\[\\{"v":1,"seq":${altered},`),
      'what was recorded',
    );
    for (const { entry, backends: expected } of (await playAll(path)).slice(-50)) {
      assert.deepEqual(viewsOf(await ask.moment({ seq: entry.seq })), expected, `entry ${entry.seq}`);
    }
  });
});
