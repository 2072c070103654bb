/** The end of a gateway: what is in flight has its time, and what is cut off then is on record as ended. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startRawBackend } from '../io/support/raw-backend.ts';
import { requestText } from '../io/support/requests.ts';
import { startTestGateway } from '../support/gateway.ts';
import { connectRaw } from '../support/raw-client.ts';

describe('the end of the gateway', () => {
  it('gives back the leases of the requests that it cuts off, before it is recorded', async () => {
    await using backend = await startRawBackend();
    await using gateway = await startTestGateway({
      backends: [backend],
      server: { shutdownTimeoutMs: 100 },
    });
    using waiting = await connectRaw(gateway.port);
    waiting.send(requestText());
    using pipelined = await connectRaw(gateway.port);
    pipelined.send(requestText() + requestText());
    await backend.connection(3);
    assert.equal(await gateway.gateway.stop(), 3);
    const facts = gateway.entries.map(({ fact }) => fact.type);
    assert.deepEqual(facts.slice(facts.indexOf('gateway.stopping')), [
      'gateway.stopping',
      ...['client.aborted', 'client.aborted', 'client.aborted'],
      'listener.closed',
    ]);
    assert.equal(gateway.gateway.balancer.backends()[0]?.requests.inFlight, 0);
  });

  it('does not wait for a connection that has asked for nothing', async () => {
    await using gateway = await startTestGateway({ server: { shutdownTimeoutMs: 60_000 } });
    using silent = await connectRaw(gateway.port);
    assert.equal(await gateway.gateway.stop(), 0);
    await silent.closed();
  });
});
