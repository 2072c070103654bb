/** What operators and reports are shown of a core. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { poolOf } from '../../src/actors/core.ts';
import { backend, coreConfig, given } from '../support/core.ts';

describe('the backends of a core', () => {
  it('are told without one that a fact has left half made, as an altered log can', () => {
    const { balancer } = given(coreConfig({ backends: [backend('a'), backend('b'), backend('c')] }));
    poolOf(balancer.core).backends.delete('a');
    balancer.core.backends.delete('b');
    assert.deepEqual(
      balancer.backends().map(({ id }) => id),
      ['c'],
    );
  });
});
