/** Pages of entries and steps between them, against all entries of the log. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Entry } from '../../src/actors/events.ts';
import type { EntryPage, EntryQuery, Instant, StepTo } from '../../src/io/inspector/api.ts';
import { readRecording } from '../../src/io/inspector/history/reading.ts';
import { busyWorld, folderOf, recordWorlds } from '../support/recorded-log.ts';
import { asker, playAll } from './support.ts';

async function open(t: TestContext) {
  const worlds = [busyWorld(6, 500), busyWorld(7, 300)];
  const path = folderOf(t, recordWorlds(worlds, { segmentBytes: 20_000, lose: { every: 97, count: 3 } }));
  const all = (await playAll(path)).map(({ entry }) => entry);
  const reading = await readRecording(path, { interval: 16, most: 12 });
  await reading.done;
  const { answer } = asker(reading);
  return {
    all,
    async page(query: EntryQuery): Promise<EntryPage> {
      const found = await answer({ ask: 'entries', query: { limit: 50, ...query } });
      assert.ok(found !== undefined && found !== null && isPage(found));
      return found;
    },
    async step(seq: number, to: StepTo): Promise<Instant | null> {
      const found = await answer({ ask: 'step', seq, to });
      assert.ok(found !== undefined && (found === null || isInstant(found)));
      return found;
    },
  };
}

function isPage(found: object): found is EntryPage {
  return 'entries' in found && 'searched' in found;
}

function isInstant(found: object): found is Instant {
  return 'seq' in found && 'at' in found;
}

const seqsOf = (entries: readonly Entry[]) => entries.map(({ seq }) => seq);

describe('pages of entries', () => {
  it('are the last ones, unless they are asked for elsewhere', async (t) => {
    const { all, page } = await open(t);
    const { entries, hasBefore, hasAfter } = await page({ limit: 20 });
    assert.deepEqual(entries, all.slice(-20));
    assert.deepEqual([hasBefore, hasAfter], [true, false]);
  });

  it('lead through the whole log in either direction, each entry once', async (t) => {
    const { all, page } = await open(t);
    const forwards: number[] = [];
    let hasAfter = true;
    for (let after = 0; hasAfter; ) {
      const found = await page({ after, limit: 33 });
      forwards.push(...seqsOf(found.entries));
      ({ hasAfter } = found);
      after = found.searched.until;
    }
    assert.deepEqual(forwards, seqsOf(all));
    const backwards: number[] = [];
    let hasBefore = true;
    for (let before = Number.MAX_SAFE_INTEGER; hasBefore; ) {
      const found = await page({ before, limit: 33 });
      backwards.unshift(...seqsOf(found.entries));
      ({ hasBefore } = found);
      before = found.searched.from;
    }
    assert.deepEqual(backwards, seqsOf(all));
  });

  it('lie between two entries if both are given', async (t) => {
    const { all, page } = await open(t);
    const { entries } = await page({ after: 100, before: 120 });
    assert.deepEqual(
      seqsOf(entries),
      seqsOf(all).filter((seq) => seq > 100 && seq < 120),
    );
  });

  it('can be of some types, one backend, one request', async (t) => {
    const { all, page } = await open(t);
    const parts = ({ fact, decisions }: Entry) => [fact, ...decisions];
    const types = ['backend.changed', 'operator.drained'];
    const typed = await page({ types, limit: 500, after: 0 });
    assert.deepEqual(
      seqsOf(typed.entries),
      seqsOf(all.filter((entry) => parts(entry).some(({ type }) => types.includes(type)))),
    );
    const ofRequest = await page({ request: 5, limit: 500, after: 0 });
    const isOfRequest = (entry: Entry) =>
      parts(entry).some((part) => 'request' in part && part.request === 5);
    assert.deepEqual(seqsOf(ofRequest.entries), seqsOf(all.filter(isOfRequest)));
    assert.ok(ofRequest.entries.length > 1);
    const ofBackend = await page({ backend: 'a', limit: 500, after: 0 });
    assert.ok(ofBackend.entries.every((entry) => JSON.stringify(parts(entry)).includes('"a"')));
    const selected = all.filter((entry) =>
      parts(entry).some((part) => 'backend' in part && part.backend === 'a'),
    );
    const found = new Set(seqsOf(ofBackend.entries));
    assert.ok(selected.slice(0, 100).every(({ seq }) => found.has(seq)));
  });
});

describe('steps', () => {
  it('lead to the next and the previous entry, over gaps', async (t) => {
    const { all, step } = await open(t);
    for (const [index, entry] of all.entries()) {
      if (index % 5 !== 0) continue;
      const next = all[index + 1];
      const previous = all[index - 1];
      assert.equal((await step(entry.seq, 'nextEntry'))?.seq, next?.seq);
      assert.equal((await step(entry.seq, 'previousEntry'))?.seq, previous?.seq);
    }
    assert.equal(await step(all.at(-1)?.seq ?? 0, 'nextEntry'), null);
  });

  it('lead to the next change of any state', async (t) => {
    const { all, step } = await open(t);
    const isChange = ({ decisions }: Entry) => decisions.some(({ type }) => type === 'backend.changed');
    const changes = all.filter(isChange);
    assert.ok(changes.length > 10);
    for (const { seq, at } of changes) {
      assert.deepEqual(await step(seq - 1, 'nextChange'), { seq, at });
      assert.deepEqual(await step(seq + 1, 'previousChange'), { seq, at });
    }
  });
});
