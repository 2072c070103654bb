/** The assertions of the core: what cannot happen is said aloud when it does. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertNever } from '../../src/actors/assert-never.ts';
import type { Fact } from '../../src/actors/events.ts';
import { present } from '../../src/actors/present.ts';
import { createReplay } from '../../src/actors/replay.ts';
import { takeSnapshot } from '../../src/actors/snapshot.ts';
import { coreConfig, given } from '../support/core.ts';

describe('an assertion', () => {
  it('lets a value pass that is there, and names one that is not', () => {
    assert.equal(present(0, 'a number'), 0);
    assert.throws(() => present(undefined, 'a number'), new TypeError('a number is not there'));
  });

  it('names the value that got past the types', () => {
    const value = JSON.parse('{"type":"unheard.of"}') as never;
    assert.throws(() => assertNever(value), new TypeError('unexpected value: {"type":"unheard.of"}'));
  });
});

describe('a fact that the core has never heard of', () => {
  it('is a divergence of its kind in a replay, and not an error of it', () => {
    const replay = createReplay(String);
    replay.load(takeSnapshot(given(coreConfig()).balancer.core));
    const fact = JSON.parse('{"type":"unheard.of"}') as Fact;
    const divergence = replay.take({ v: 1, seq: 7, at: 1_000_002, fact, decisions: [] });
    assert.equal(divergence?.kind, 'failure');
    assert.match(String(divergence?.computed), /unexpected value/);
  });
});
