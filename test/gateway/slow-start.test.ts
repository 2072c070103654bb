/** A backend that comes back takes up its work by degrees. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startFleet } from '../support/fleet.ts';
import { startTestGateway } from '../support/gateway.ts';

describe('slow start', () => {
  it('gives a backend that was drained a sixteenth at first, as /backends shows', async () => {
    await using fleet = await startFleet(2);
    await using gateway = await startTestGateway({
      backends: fleet.mocks,
      health: { slowStartMs: 600_000 },
      pool: { size: 32 },
    });
    await fetch(`${gateway.adminUrl}/backends/a/drain`, { method: 'POST' });
    const restored: unknown = await (
      await fetch(`${gateway.adminUrl}/backends/a/restore`, { method: 'POST' })
    ).json();
    assert.ok(typeof restored === 'object' && restored !== null && 'effectiveWeight' in restored);
    assert.equal(restored.effectiveWeight, 1 / 16);
    for (let round = 0; round < 34; round += 1) await (await fetch(`${gateway.url}/v1/models`)).text();
    assert.deepEqual(
      fleet.mocks.map(({ counters }) => counters.total),
      [2, 32],
    );
  });
});
