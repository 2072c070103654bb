/** A gateway for one test, which must leave nothing behind: no lease, no request in line, no request without an end. */
import assert from 'node:assert/strict';
import type { Entry } from '../../../src/actors/events.ts';
import { startTestGateway, type TestConfig, type TestGateway } from '../../support/gateway.ts';

/**
 * Runs `use` against a gateway, and then requires that each request has ended once, that each lease was released
 * once, and that none is left.
 */
export async function withGateway(
  config: TestConfig,
  use: (gateway: TestGateway) => Promise<void>,
): Promise<void> {
  await using gateway = await startTestGateway(config);
  await use(gateway);
  await nothingLeft(gateway);
}

/** Resolves once no request is under way; rejects if that does not come to pass, or if the books are wrong. */
async function nothingLeft(gateway: TestGateway): Promise<void> {
  const isIdle = () => inFlight(gateway) === 0;
  if (!isIdle()) await gateway.entry((entry) => entry === gateway.entries.at(-1) && isIdle());
  for (const { pool, requests } of gateway.gateway.balancer.backends()) {
    assert.equal(requests.inFlight, 0, 'leases are left');
    assert.equal(pool.queued, 0, 'requests still wait');
  }
  assertBooks(gateway.entries);
}

function inFlight({ gateway }: TestGateway): number {
  const ofBackends = gateway.balancer.backends().map(({ pool, requests }) => requests.inFlight + pool.queued);
  return Math.max(0, ...ofBackends);
}

/** How many failures have been counted against all backends. */
export function failuresOf({ gateway }: TestGateway): number {
  return gateway.balancer.backends().reduce((sum, { requests }) => sum + requests.failed, 0);
}

/** The types of all facts so far, those of probes left out. */
export function factTypes({ entries }: TestGateway): string[] {
  return entries.map(({ fact }) => fact.type).filter((type) => !type.startsWith('probe.'));
}

function assertBooks(entries: readonly Entry[]): void {
  const begun = new Set<number>();
  const released = new Set<number>();
  for (const { seq, decisions } of entries) {
    for (const decision of decisions) {
      if (decision.type === 'socket.requested' || decision.type === 'lease.granted')
        begun.add(decision.lease);
      if (decision.type !== 'lease.released') continue;
      assert.ok(!released.has(decision.lease), `lease ${decision.lease} is released again at ${seq}`);
      released.add(decision.lease);
    }
  }
  assert.deepEqual([...begun].sort(), [...released].sort(), 'each lease is released');
}
