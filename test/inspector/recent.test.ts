/** Which event of its machine a change of a backend's state is put down to. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Fact } from '../../src/actors/events.ts';
import { createRecent, noteRecent } from '../../src/io/inspector/history/recent.ts';
import { backend, coreConfig, ended, given, probeFailed, received } from '../support/core.ts';

describe('the last transition of a machine', () => {
  it('is the lifting of an ejection where it was the other backend that fell', () => {
    const outlier = { consecutiveFailures: 1 };
    const scene = given(coreConfig({ backends: [backend('a'), backend('b')], health: { fall: 1 }, outlier }));
    const { core } = scene.balancer;
    const recent = createRecent(core);
    let seq = 0;
    const take = (fact: Fact) => {
      seq += 1;
      noteRecent(recent, { v: 1, seq, at: 2_000_000, fact, decisions: scene.when(fact) }, core);
    };
    take(received(1));
    take({ type: 'socket.opened', backend: 'a', socket: 1 });
    take(ended(1, 1, true, 500));
    assert.equal(recent.transitions.get('a')?.event, 'request.failed');
    take(probeFailed('b'));
    assert.equal(recent.transitions.get('a')?.event, 'ejection.lifted');
    assert.equal(recent.transitions.get('b')?.event, 'probe.failed');
  });
});
