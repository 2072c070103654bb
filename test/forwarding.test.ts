/** The whole path once: a request goes through the gateway to a mock and back. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startMock } from '../mock/server.ts';
import { startTestGateway } from './support/gateway.ts';

describe('forwarding', () => {
  it('passes a request and its answer through', async () => {
    await using mock = await startMock({ name: 'm' });
    await using gateway = await startTestGateway({ backends: [mock] });
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': 'req-7' },
      body: JSON.stringify({ model: 'x', messages: [] }),
    });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('x-reprise-backend'), 'm');
    assert.equal(response.headers.get('x-request-id'), 'req-7');
    assert.match(await response.text(), /"object":"chat.completion"/);
  });
});
