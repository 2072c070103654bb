/** What there may be any number of: an explanation keeps some of it whole, counts the rest, and says so. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Fact } from '../../src/actors/events.ts';
import { backend, coreConfig, ended, failed, received, started } from '../support/core.ts';
import { lifeOf, opened, record, reportOf } from './support.ts';

const TWO = coreConfig({ backends: [backend('a'), backend('b')] });
const drained: Fact = { type: 'operator.drained', backend: 'b' };
const restored: Fact = { type: 'operator.restored', backend: 'b' };

/** Requests that all carry one id, each served before the next comes. */
function served(count: number): string {
  return record(TWO, (script) => {
    for (let request = 1; request <= count; request += 1) {
      const [selected] = script.take({ ...received(request), requestId: 'same' } as Fact);
      const id = selected?.type === 'backend.selected' ? selected.backend : assert.fail();
      script.take(opened(id, request), started(request, request), ended(request, request, false));
    }
  });
}

describe('the life of a request', () => {
  it('leaves out what backends went through meanwhile where that is much, and counts it', async () => {
    const folder = record(TWO, (script) => {
      script.take(received(1), opened('a', 1));
      // Two changes each time it drains, one when it comes back.
      for (let round = 0; round < 50; round += 1) script.wait(1).take(drained, restored);
      script.take(ended(1, 1));
    });
    const { timeline, omitted, outcome } = await lifeOf(folder, '1');
    const shown = timeline.filter(({ type }) => type === 'backend-changed').length;
    assert.deepEqual([shown + omitted, outcome, timeline.at(-1)?.type], [150, 'ended', 'ended']);
    assert.ok(omitted > 40 && timeline.length < 110, `${omitted} are left out of ${timeline.length}`);
  });

  it('tells that the gateway was told to stop while it was under way', async () => {
    const folder = record(TWO, (script) => {
      script.take(received(1), opened('a', 1), { type: 'gateway.stopping' }, ended(1, 1));
    });
    const { timeline } = await lifeOf(folder, '1');
    assert.ok(timeline.some(({ type }) => type === 'gateway-stopping'));
  });

  it('has no word of a failure that is about a lease it no longer had', async () => {
    const folder = record(TWO, (script) => {
      script.take(received(1), { type: 'socket.failed', backend: 'a', socket: 1, reason: 'refused' });
      script.take(opened('b', 2), failed(1, 1), ended(1, 2));
    });
    const { timeline, outcome } = await lifeOf(folder, '1');
    assert.equal(timeline.filter(({ type }) => type === 'failed').length, 1);
    assert.equal(outcome, 'ended');
  });
});

describe('requests that share an id', () => {
  it('are told whole as long as they are few, and in short beyond', async () => {
    const { requests, total } = await reportOf(served(9), 'same');
    assert.deepEqual([requests.length, total], [9, 9]);
    const isWhole = requests.map(({ timeline }) => timeline.length > 0);
    assert.deepEqual(isWhole.slice(0, 5), [true, true, true, true, true]);
    assert.ok(isWhole.slice(5, 8).every((whole) => !whole));
    assert.ok(requests.every(({ outcome, backends }) => outcome === 'ended' && backends.length === 1));
  });

  it('are counted only where there are very many', async () => {
    const { requests, total } = await reportOf(served(1002), 'same');
    assert.deepEqual([requests.length, total], [1000, 1002]);
  });
});
