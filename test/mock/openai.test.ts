/**
 * The official OpenAI client talks to the mock: whatever it accepts, a real client behind the gateway accepts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';
import { embeddingOf } from '../../mock/embeddings.ts';
import { type Mock, startMock } from '../../mock/server.ts';

const MESSAGES = [{ role: 'user' as const, content: 'hello' }];

function clientOf(mock: Mock): OpenAI {
  return new OpenAI({ baseURL: `${mock.url}/v1`, apiKey: 'unused', maxRetries: 0 });
}

test('a plain chat completion names the mock and counts its tokens', async () => {
  await using mock = await startMock({ name: 'mock-a', script: { tokenCount: 4 } });
  const answer = await clientOf(mock).chat.completions.create({ model: 'tiny', messages: MESSAGES });
  assert.equal(answer.object, 'chat.completion');
  assert.equal(answer.model, 'tiny');
  assert.equal(answer.choices[0]?.message.content, 'mock-a: the quick brown');
  assert.equal(answer.choices[0]?.finish_reason, 'stop');
  assert.equal(answer.usage?.completion_tokens, 4);
});

test('a streamed chat completion gives the role, each token, the finish reason and the usage, in that order', async () => {
  await using mock = await startMock({ name: 'mock-b', script: { tokenCount: 3 } });
  const stream = await clientOf(mock).chat.completions.create({
    model: 'tiny',
    messages: MESSAGES,
    stream: true,
    stream_options: { include_usage: true },
  });
  const seen: unknown[] = [];
  for await (const chunk of stream) {
    assert.equal(chunk.object, 'chat.completion.chunk');
    const choice = chunk.choices[0];
    if (!choice) seen.push(chunk.usage?.completion_tokens);
    else if (choice.delta.role) seen.push(choice.delta.role);
    else seen.push(choice.finish_reason ?? choice.delta.content);
  }
  // 3 tokens were scripted, so the usage says 3.
  assert.deepEqual(seen, ['assistant', 'mock-b:', ' the', ' quick', 'stop', 3]);
});

test('a stream without include_usage carries no usage', async () => {
  await using mock = await startMock({ script: { tokenCount: 1 } });
  const stream = await clientOf(mock).chat.completions.create({
    model: 'm',
    messages: MESSAGES,
    stream: true,
  });
  for await (const chunk of stream) assert.equal(chunk.usage ?? null, null);
});

test('max_tokens below the scripted count cuts the answer with finish_reason length', async () => {
  await using mock = await startMock({ name: 'm', script: { tokenCount: 10 } });
  const answer = await clientOf(mock).chat.completions.create({
    model: 'm',
    messages: MESSAGES,
    max_tokens: 2,
  });
  assert.equal(answer.choices[0]?.message.content, 'm: the');
  assert.equal(answer.choices[0]?.finish_reason, 'length');
});

test('a client that aborts a stream is recorded as an abort', async () => {
  await using mock = await startMock({ script: { fault: 'hang-after=2' } });
  const stream = await clientOf(mock).chat.completions.create({
    model: 'm',
    messages: MESSAGES,
    stream: true,
  });
  let tokens = 0;
  for await (const chunk of stream) {
    if (chunk.choices[0]?.delta.content) tokens++;
    if (tokens === 2) break;
  }
  const record = await mock.aborted(1);
  assert.equal(record.url, '/v1/chat/completions');
  assert.equal(mock.counters.aborted, 1);
  assert.equal(mock.counters.inFlight, 0);
});

test('a client that aborts during prefill, when no byte flows, is recorded as an abort', async () => {
  await using mock = await startMock({ script: { firstTokenDelayMs: 60_000 } });
  const abort = new AbortController();
  const answer = clientOf(mock).chat.completions.create(
    { model: 'm', messages: MESSAGES, stream: true },
    { signal: abort.signal },
  );
  const failed = assert.rejects(answer, OpenAI.APIUserAbortError);
  await mock.received(1);
  abort.abort();
  await failed;
  await mock.aborted(1);
});

test('text completions work, plain and streamed', async () => {
  await using mock = await startMock({ name: 'mock-c', script: { tokenCount: 3 } });
  const client = clientOf(mock);
  const plain = await client.completions.create({ model: 'm', prompt: 'x' });
  assert.equal(plain.choices[0]?.text, 'mock-c: the quick');
  let streamed = '';
  for await (const chunk of await client.completions.create({ model: 'm', prompt: 'x', stream: true })) {
    streamed += chunk.choices[0]?.text ?? '';
  }
  assert.equal(streamed, 'mock-c: the quick');
});

test('embeddings depend on the input alone, as floats and as base64', async () => {
  await using mock = await startMock();
  const client = clientOf(mock);
  const floats = await client.embeddings.create({ model: 'm', input: ['a', 'b'], encoding_format: 'float' });
  assert.deepEqual(
    floats.data.map((item) => item.embedding),
    [embeddingOf('a', 8), embeddingOf('b', 8)],
  );
  const encoded = await client.embeddings.create({ model: 'm', input: 'a' });
  assert.deepEqual([...(encoded.data[0]?.embedding ?? [])], embeddingOf('a', 8));
  assert.notDeepEqual(embeddingOf('a', 8), embeddingOf('b', 8));
});

test('the model list names the mock as owner', async () => {
  await using mock = await startMock({ name: 'mock-d' });
  const models = await clientOf(mock).models.list();
  assert.equal(models.data[0]?.owned_by, 'mock-d');
});

test('a scripted 429 reaches the client as a rate limit with Retry-After', async () => {
  await using mock = await startMock({ script: { fault: 'status=429,retry-after=7' } });
  const answer = clientOf(mock).chat.completions.create({ model: 'm', messages: MESSAGES });
  await assert.rejects(answer, (error) => {
    assert.ok(error instanceof OpenAI.RateLimitError);
    assert.equal(error.headers.get('retry-after'), '7');
    return true;
  });
});
