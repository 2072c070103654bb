/** A mistake in the core of a running gateway: it is told of and counted, and requests are served. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { selectorOf } from '../../src/actors/core.ts';
import { scrape, seriesOf } from '../metrics/support.ts';
import { heardLogger } from '../support/event-log.ts';
import { startFleet } from '../support/fleet.ts';
import { startTestGateway } from '../support/gateway.ts';

const BREACHES = 'reprise_invariant_breaches_total';

describe('a breach of what must always hold', () => {
  it('is logged and counted, and costs no request', async () => {
    const { logger, lines } = heardLogger();
    await using fleet = await startFleet(2);
    await using gateway = await startTestGateway(
      { backends: fleet.mocks, health: { intervalMs: 50 } },
      { log: logger },
    );
    await gateway.fact('probe.succeeded');
    assert.equal(seriesOf(await scrape(gateway.adminUrl)).get(BREACHES), 0);
    const [peer] = selectorOf(gateway.gateway.balancer.core).peers;
    assert.ok(peer);
    peer.healthy = false;
    const isTold = () => lines.some((line) => line.includes("the selector is wrong on a's health"));
    for (let count = 1; !isTold(); count += 1) await gateway.fact('probe.succeeded', count);
    assert.ok((seriesOf(await scrape(gateway.adminUrl)).get(BREACHES) ?? 0) > 0);
    assert.equal((await fetch(`${gateway.url}/v1/models`)).status, 200);
  });
});
