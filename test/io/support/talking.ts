/** A raw client in talk with a gateway before a mock, and what a refusal must look like. */
import assert from 'node:assert/strict';
import { type Mock, startMock } from '../../../mock/server.ts';
import type { TestConfig, TestGateway } from '../../support/gateway.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';
import { failuresOf, withGateway } from './gateway.ts';
import { type RawResponse, type ResponseReader, responsesOf, valuesIn } from './responses.ts';

export type Scene = { client: RawClient; responses: ResponseReader; gateway: TestGateway; mock: Mock };

/** Runs `use`, after which nothing may be left and no failure may have been counted. */
export async function talking(use: (scene: Scene) => Promise<void>, config: TestConfig = {}): Promise<void> {
  await using mock = await startMock();
  await withGateway({ backends: [mock], ...config }, async (gateway) => {
    using client = await connectRaw(gateway.port);
    await use({ client, responses: responsesOf(client), gateway, mock });
    assert.equal(failuresOf(gateway), 0, 'the backend is not to blame');
  });
}

/** Requires an error of the gateway's own, in OpenAI's shape. */
export function assertRefused(response: RawResponse, status = 400, code = 'bad_request'): void {
  assert.equal(response.status, status, response.body);
  const { error } = JSON.parse(response.body);
  const type = status < 500 ? 'invalid_request_error' : 'server_error';
  assert.deepEqual({ type: error.type, code: error.code, param: error.param }, { type, code, param: null });
  assert.deepEqual(valuesIn(response, 'content-type'), ['application/json']);
}
