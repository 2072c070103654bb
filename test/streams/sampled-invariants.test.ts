/** A look at the core now and then: what it finds, and that it does not look more often than it should. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Subject } from 'rxjs';
import { selectorOf } from '../../src/actors/core.ts';
import type { Entry } from '../../src/actors/events.ts';
import { type Sample, sampleInvariants } from '../../src/streams/sampled-invariants.ts';
import { coreConfig, given } from '../support/core.ts';
import { entryOf } from './support.ts';

/** What is found at entries that come at these times, the selector being wrong on the first backend's health. */
function samplesAt(...times: readonly number[]): Sample[] {
  const { core } = given(coreConfig()).balancer;
  const [peer] = selectorOf(core).peers;
  assert.ok(peer);
  peer.healthy = false;
  const entries$ = new Subject<Entry>();
  const samples: Sample[] = [];
  sampleInvariants(entries$, core).subscribe((sample) => samples.push(sample));
  for (const at of times) entries$.next(entryOf({ type: 'timer.fired', timer: 'sweep' }, [], at));
  return samples;
}

describe('a sample of the invariants', () => {
  it('tells what is wrong with the core', () => {
    assert.deepEqual(samplesAt(0), [{ seq: 1, breaches: ["the selector is wrong on a's health"] }]);
  });

  it('is taken once a second at most', () => {
    assert.equal(samplesAt(0, 1, 500, 999, 1000, 1001, 2500, 3000).length, 3);
  });
});
