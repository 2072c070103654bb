/**
 * The mock itself: its endpoints, its records, its slots, its sockets, and its commands.
 */
import assert from 'node:assert/strict';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { BLOCK_BYTES, createBlobCheck } from '../../mock/blob.ts';
import { startMock } from '../../mock/server.ts';
import { chatBody, postJson, rawRequest, requestText, tokensIn } from './support.ts';

const CHAT = '/v1/chat/completions';

test('the health endpoint answers and is not among the requests', async () => {
  await using mock = await startMock({ name: 'm' });
  const answer = await fetch(`${mock.url}/health`);
  assert.equal(answer.headers.get('x-mock'), 'm');
  assert.deepEqual(await answer.json(), { status: 'ok' });
  assert.equal(mock.counters.probes, 1);
  assert.equal(mock.counters.total, 0);
});

test('health follows its own script', async () => {
  await using mock = await startMock({ script: { health: 503, fault: 'hang' } });
  assert.equal((await fetch(`${mock.url}/health`)).status, 503);
  mock.set({ health: 'reset' });
  assert.equal((await rawRequest(mock, requestText('GET', '/health'))).end, 'reset');
  mock.set({ health: 'hang' });
  const hanging = assert.rejects(fetch(`${mock.url}/health`));
  await mock.until(() => mock.counters.probes === 3);
  await mock.close();
  await hanging;
});

test('an unknown path is 404 and broken JSON is 400, both in the shape of an OpenAI error', async () => {
  await using mock = await startMock();
  const unknown = await fetch(`${mock.url}/v2/nothing`);
  const broken = await postJson(mock, CHAT, '{"model":');
  assert.deepEqual([unknown.status, broken.status], [404, 400]);
  for (const answer of [unknown, broken]) {
    const { error } = JSON.parse(await answer.text());
    assert.deepEqual(Object.keys(error), ['message', 'type', 'code', 'param']);
  }
});

test('an Ollama chat streams NDJSON unless asked not to, and lists its tags', async () => {
  await using mock = await startMock({ name: 'm', script: { tokenCount: 3 } });
  const streamed = await (await postJson(mock, '/api/chat', chatBody())).text();
  const lines = streamed
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map((line) => [line.message.content, line.done]),
    [
      ['m:', false],
      [' the', false],
      [' quick', false],
      ['', true],
    ],
  );
  const whole = JSON.parse(await (await postJson(mock, '/api/chat', chatBody({ stream: false }))).text());
  assert.equal(whole.message.content, 'm: the quick');
  const tags = JSON.parse(await (await fetch(`${mock.url}/api/tags`)).text());
  assert.equal(tags.models[0].name, 'mock-model');
});

test('a request is recorded as it came', async () => {
  await using mock = await startMock({ keepBodyBytes: 10 });
  await rawRequest(mock, requestText('POST', `${CHAT}?a=1`, chatBody(), ['x-ODD: 1', 'X-odd: 2']), Boolean);
  const record = await mock.completed(1);
  assert.equal(record.method, 'POST');
  assert.equal(record.url, `${CHAT}?a=1`);
  assert.deepEqual(record.rawHeaders.slice(2, 6), ['x-ODD', '1', 'X-odd', '2']);
  assert.equal(record.bodyBytes, chatBody().length);
  assert.equal(record.bodyText, chatBody().slice(0, 10));
  assert.equal(record.onReusedSocket, false);
});

test('only so many requests are kept, and counters go on', async () => {
  await using mock = await startMock({ keepRequests: 2 });
  for (let i = 0; i < 5; i++) await (await fetch(`${mock.url}/v1/models`)).text();
  await mock.completed(5);
  assert.deepEqual(
    mock.requests.map((record) => record.number),
    [4, 5],
  );
  assert.equal(mock.counters.total, 5);
  await assert.rejects(
    mock.until(() => false, 1),
    /waited 1 ms in vain/,
  );
});

test('with one slot the second request waits for the first, and the third leaves the line when its client does', async () => {
  await using mock = await startMock({ script: { slots: 1, nextFaults: ['hang-after=0'] } });
  const [first, third] = [new AbortController(), new AbortController()];
  const send = (signal?: AbortSignal) =>
    fetch(`${mock.url}${CHAT}`, { method: 'POST', body: chatBody(), ...(signal && { signal }) });
  const holding = send(first.signal).then((answer) => answer.text());
  const held = assert.rejects(holding);
  await mock.received(1);
  const second = send();
  await mock.received(2);
  const left = assert.rejects(send(third.signal));
  await mock.received(3);
  assert.deepEqual([mock.slots.busy, mock.slots.waiting], [1, 2]);
  third.abort();
  await left;
  await mock.aborted(3);
  assert.equal(mock.slots.waiting, 1);
  first.abort();
  await held;
  assert.equal((await second).status, 200);
});

test('scripted response headers keep their order, case and repeats', async () => {
  const extraHeaders = [
    ['Set-Cookie', 'a=1'],
    ['x-ODD', 'y'],
    ['Set-Cookie', 'b=2'],
  ] as const;
  await using mock = await startMock({ script: { extraHeaders, connectionClose: true } });
  const answer = await rawRequest(mock, requestText('GET', '/v1/models'));
  assert.match(answer.text, /Set-Cookie: a=1\r\nx-ODD: y\r\nSet-Cookie: b=2\r\nConnection: close\r\n/);
  assert.equal(answer.end, 'fin');
});

test('idle sockets are closed after the scripted time, with a hint only when asked', async () => {
  await using mock = await startMock({ script: { keepAliveTimeoutMs: 20 } });
  const silent = await rawRequest(mock, requestText('GET', '/v1/models'));
  assert.equal(silent.end, 'fin');
  assert.doesNotMatch(silent.text, /Keep-Alive:/);
  mock.set({ keepAliveHintMs: 7000 });
  assert.match((await rawRequest(mock, requestText('GET', '/v1/models'))).text, /Keep-Alive: timeout=7\r\n/);
});

test('a mock that stopped listening refuses new sockets, serves open ones and comes back on its port', async () => {
  await using mock = await startMock();
  const { port } = mock;
  const agent = new Agent({ keepAlive: true });
  const fetchOnce = () =>
    new Promise<number | undefined>((resolve, reject) => {
      const options = { host: mock.host, port, path: '/v1/models', agent };
      get(options, (answer: IncomingMessage) => {
        answer.resume().once('end', () => resolve(answer.statusCode));
      }).once('error', reject);
    });
  await fetchOnce();
  await mock.stopListening();
  assert.equal(mock.listening, false);
  assert.equal(await fetchOnce(), 200);
  assert.equal(mock.connections.opened, 1);
  const refused = connect(port, mock.host);
  await assert.rejects(new Promise((_, reject) => refused.once('error', reject)), { code: 'ECONNREFUSED' });
  await mock.listen();
  assert.equal(mock.port, port);
  assert.equal((await fetch(`${mock.url}/v1/models`)).status, 200);
  agent.destroy();
});

test('refuseForMs comes to an end by itself', async () => {
  await using mock = await startMock();
  mock.set({ refuseForMs: 10 });
  assert.equal(mock.listening, false);
  await mock.until(() => mock.listening);
  assert.equal((await fetch(`${mock.url}/v1/models`)).status, 200);
});

test('close drops what is in flight, and the mock can be started again', async () => {
  await using mock = await startMock({ script: { fault: 'hang' } });
  const dropped = assert.rejects(fetch(`${mock.url}/v1/models`));
  await mock.received(1);
  await mock.close();
  await dropped;
  assert.equal(mock.connections.open, 0);
  await mock.listen();
  mock.set({ fault: null });
  assert.equal((await fetch(`${mock.url}/v1/models`)).status, 200);
});

test('starting on a taken port rejects with EADDRINUSE', async () => {
  await using mock = await startMock();
  await assert.rejects(startMock({ port: mock.port }), { code: 'EADDRINUSE' });
});

test('a running mock takes a script over HTTP, and refuses a wrong one with all its problems', async () => {
  await using mock = await startMock();
  const taken = await postJson(mock, '/mock/script', '{"tokenCount":2,"fault":"status=500"}');
  assert.equal(taken.status, 200);
  assert.equal(mock.script.tokenCount, 2);
  assert.equal((await fetch(`${mock.url}/v1/models`)).status, 500);
  const refused = await postJson(mock, '/mock/script', '{"tokenCount":-1,"fault":"x","nonsense":1}');
  assert.equal(refused.status, 400);
  const text = await refused.text();
  for (const key of ['tokenCount', 'fault', 'nonsense']) assert.match(text, new RegExp(`${key}: `));
  assert.equal(mock.script.tokenCount, 2);
  const state = JSON.parse(await (await fetch(`${mock.url}/mock`)).text());
  assert.equal(state.script.tokenCount, 2);
  assert.equal(state.counters.total, 1);
});

test('a request can bring its own script', async () => {
  await using mock = await startMock({ script: { tokenCount: 9 } });
  const headers = { 'X-Mock-Script': '{"tokenCount":2}' };
  const own = await (await postJson(mock, CHAT, chatBody({ stream: true }), headers)).text();
  const usual = await (await postJson(mock, CHAT, chatBody({ stream: true }))).text();
  assert.deepEqual([tokensIn(own), tokensIn(usual)], [2, 9]);
});

test('the gap between tokens is kept', async () => {
  await using mock = await startMock({ script: { tokenCount: 4, tokenGapMs: 15, firstTokenDelayMs: 15 } });
  const startMs = performance.now();
  const text = await (await postJson(mock, CHAT, chatBody({ stream: true }))).text();
  assert.equal(tokensIn(text), 4);
  // 15 ms before the first of 4 tokens, and 3 gaps, and each of the last piece; timers may fire 1 ms early.
  assert.ok(performance.now() - startMs >= 4 * 14);
});

test('early headers come before the first token', async () => {
  await using mock = await startMock({ script: { earlyHeaders: true, firstTokenDelayMs: 60_000 } });
  const answer = await postJson(mock, CHAT, chatBody({ stream: true }));
  assert.equal(answer.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  await answer.body?.cancel();
  await mock.aborted(1);
});

test('a large blob arrives byte for byte', async () => {
  await using mock = await startMock();
  const bytes = 64 * 1024 * 1024 + 17;
  const response = await new Promise<IncomingMessage>((resolve) => {
    get(`${mock.url}/v1/blob`, { headers: { 'X-Mock-Body-Bytes': bytes } }, resolve);
  });
  const check = createBlobCheck();
  for await (const chunk of response) check.update(chunk);
  assert.equal(check.bytes, bytes);
  assert.equal(response.headers['content-length'], String(bytes));
});

test('a blob check names the first wrong byte', () => {
  const check = createBlobCheck();
  assert.throws(() => check.update(Buffer.alloc(BLOCK_BYTES)), /differs at byte 8/);
});
