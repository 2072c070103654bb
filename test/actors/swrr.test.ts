/** The selection against recordings of a real nginx, and the properties that smooth weighted round robin has. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { pickNext } from '../../src/actors/swrr.ts';

type Vectors = { sequences: { weights: number[]; down: number[]; picks: number[] }[] };

const vectors: Vectors = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/nginx-swrr.json'), 'utf8'),
);

function peersOf(weights: readonly number[]) {
  return weights.map((effectiveWeight, index) => ({ index, effectiveWeight, currentWeight: 0 }));
}

const weights = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 20 });

describe('smooth weighted round robin', () => {
  for (const { weights, down, picks } of vectors.sequences) {
    const title = `${weights.join(', ')}${down.length > 0 ? ` with peer ${down.join()} down` : ''}`;
    it(`picks what nginx picked for the weights ${title}`, () => {
      const peers = peersOf(weights);
      const picked = picks.map(() => pickNext(peers, ({ index }) => !down.includes(index))?.index);
      assert.deepEqual(picked, picks);
    });
  }

  it('follows the trace a a b a c a a for 5, 1, 1', () => {
    const peers = peersOf([5, 1, 1]);
    const order = Array.from({ length: 7 }, () => 'abc'[pickNext(peers, () => true)?.index ?? 9]);
    assert.equal(order.join(' '), 'a a b a c a a');
    assert.deepEqual(
      peers.map(({ currentWeight }) => currentWeight),
      [0, 0, 0],
    );
  });

  it('changes nothing when no peer is eligible', () => {
    const peers = peersOf([5, 1]);
    assert.equal(
      pickNext(peers, () => false),
      undefined,
    );
    assert.deepEqual(peers, peersOf([5, 1]));
  });

  it('gives each peer exactly its weight in every full round', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 12 }), (each) => {
        const peers = peersOf(each);
        const counts = each.map(() => 0);
        const total = each.reduce((sum, weight) => sum + weight, 0);
        for (let round = 0; round < total; round++) {
          const index = pickNext(peers, () => true)?.index ?? 0;
          counts[index] = (counts[index] ?? 0) + 1;
        }
        assert.deepEqual(counts, each);
        assert.ok(peers.every(({ currentWeight }) => currentWeight === 0));
      }),
    );
  });

  it('leaves the sum of the current weights as it was, whoever is eligible at each pick', () => {
    fc.assert(
      fc.property(weights, fc.array(fc.nat(), { maxLength: 60 }), (each, masks) => {
        const peers = peersOf(each);
        for (const mask of masks) {
          pickNext(peers, ({ index }) => ((mask >> (index % 30)) & 1) === 1);
          const sum = peers.reduce((total, { currentWeight }) => total + currentWeight, 0);
          assert.equal(sum, 0);
        }
      }),
    );
  });

  it('leaves it so to the last bit while weights are some sixteenths of themselves', () => {
    const pick = fc.record({
      mask: fc.nat(),
      changed: fc.nat(),
      sixteenths: fc.integer({ min: 1, max: 16 }),
    });
    fc.assert(
      fc.property(weights, fc.array(pick, { maxLength: 200 }), (each, picks) => {
        const peers = peersOf(each);
        for (const { mask, changed, sixteenths } of picks) {
          const peer = peers[changed % peers.length];
          if (peer !== undefined) peer.effectiveWeight = ((each[peer.index] ?? 0) * sixteenths) / 16;
          pickNext(peers, ({ index }) => ((mask >> (index % 30)) & 1) === 1);
          assert.equal(
            peers.reduce((total, { currentWeight }) => total + currentWeight, 0),
            0,
          );
        }
      }),
    );
  });

  it('never picks a peer that is not eligible', () => {
    fc.assert(
      fc.property(weights, fc.nat(), (each, banned) => {
        const peers = peersOf(each);
        const out = banned % each.length;
        for (let pick = 0; pick < 40; pick++)
          assert.notEqual(pickNext(peers, ({ index }) => index !== out)?.index, out);
      }),
    );
  });
});
