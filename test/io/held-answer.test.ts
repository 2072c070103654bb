/** An answer that is held back: nothing of it goes on before the core has spoken, whenever that is. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { holdAnswer } from '../../src/io/held-answer.ts';

function held() {
  const heard: string[] = [];
  const answer = holdAnswer(7, () => heard.push('head'));
  const keep = (what: string) => answer.keep(() => heard.push(what));
  return { heard, answer, keep };
}

describe('an answer that is held back', () => {
  it('goes on in its order once it is passed', () => {
    const { heard, answer, keep } = held();
    keep('data');
    keep('end');
    assert.deepEqual(heard, []);
    answer.pass();
    assert.deepEqual(heard, ['head', 'data', 'end']);
  });

  it('goes on once, however often it is passed', () => {
    const { heard, answer, keep } = held();
    keep('data');
    answer.pass();
    answer.pass();
    assert.deepEqual(heard, ['head', 'data']);
  });

  it('is never heard of once it is discarded, nor is what follows', () => {
    const { heard, answer, keep } = held();
    keep('data');
    answer.discard();
    keep('failure');
    answer.pass();
    assert.deepEqual(heard, []);
  });

  it('is told under the lease it came over', () => {
    assert.equal(held().answer.lease, 7);
  });
});
