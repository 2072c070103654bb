/** The official client of OpenAI's API, through the gateway. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import OpenAI from 'openai';
import { startFleet } from '../support/fleet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const hello = { model: 'mock', messages: [{ role: 'user' as const, content: 'hello' }] };

function clientOf({ url }: TestGateway): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: 'sk-test', maxRetries: 0 });
}

describe('the openai client', () => {
  it('gets a completion', async () => {
    await using fleet = await startFleet(1);
    await using gateway = await startTestGateway({ backends: fleet.mocks });
    const completion = await clientOf(gateway).chat.completions.create(hello);
    assert.match(completion.choices[0]?.message.content ?? '', /^a: /);
    assert.equal(fleet.mocks[0]?.requests[0]?.bodyText, JSON.stringify(hello));
  });

  it('gets a stream, token by token', async () => {
    await using fleet = await startFleet(1, { tokenCount: 5 });
    await using gateway = await startTestGateway({ backends: fleet.mocks });
    const stream = await clientOf(gateway).chat.completions.create({ ...hello, stream: true });
    const contents: string[] = [];
    for await (const chunk of stream) {
      const content = chunk.choices[0]?.delta.content;
      if (content) contents.push(content);
    }
    assert.equal(contents.length, 5);
  });

  it('that aborts a stream stops the generation', async () => {
    await using fleet = await startFleet(1, { tokenCount: 1000, tokenGapMs: 20 });
    await using gateway = await startTestGateway({ backends: fleet.mocks });
    const stream = await clientOf(gateway).chat.completions.create({ ...hello, stream: true });
    for await (const _ of stream) break;
    stream.controller.abort();
    await fleet.mocks[0]?.aborted(1);
    await gateway.fact('client.aborted');
    assert.equal(gateway.gateway.balancer.backends()[0]?.requests.inFlight, 0);
  });

  it('that aborts during prefill stops the generation', async () => {
    await using fleet = await startFleet(1, { firstTokenDelayMs: 60_000 });
    await using gateway = await startTestGateway({ backends: fleet.mocks });
    const abort = new AbortController();
    const answer = clientOf(gateway).chat.completions.create(hello, { signal: abort.signal });
    const outcome = assert.rejects(answer, OpenAI.APIUserAbortError);
    await fleet.mocks[0]?.received(1);
    abort.abort();
    await outcome;
    await fleet.mocks[0]?.aborted(1);
  });

  it('raises an error when the backend breaks off a stream', async () => {
    await using fleet = await startFleet(1, { fault: 'reset-after=2' });
    await using gateway = await startTestGateway({ backends: fleet.mocks });
    const stream = await clientOf(gateway).chat.completions.create({ ...hello, stream: true });
    await assert.rejects(async () => {
      for await (const _ of stream);
    }, /broke off its answer/);
  });

  it('raises its own error for each of ours', async () => {
    await using gateway = await startTestGateway({});
    await assert.rejects(clientOf(gateway).models.list(), (error) => {
      assert.ok(error instanceof OpenAI.InternalServerError);
      assert.deepEqual([error.status, error.code], [503, 'no_backend_configured']);
      return true;
    });
  });
});
