/**
 * Every fault, as the wire shows it: how many tokens came, and whether the socket ended with a FIN, a reset or not.
 */
import assert from 'node:assert/strict';
import { Agent, get } from 'node:http';
import { test } from 'node:test';
import { type FaultText, parseFault } from '../../mock/faults.ts';
import { startMock } from '../../mock/server.ts';
import { chatBody, postJson, rawRequest, requestText, type SocketEnd, tokensIn } from './support.ts';

const CHAT = '/v1/chat/completions';

type BreakCase = { fault: FaultText; end: SocketEnd; tokens: number };

const BREAKS: readonly BreakCase[] = [
  { fault: 'reset-after=0', end: 'reset', tokens: 0 },
  { fault: 'reset-after=3', end: 'reset', tokens: 3 },
  { fault: 'cut-after=0', end: 'fin', tokens: 0 },
  { fault: 'cut-after=3', end: 'fin', tokens: 3 },
];

for (const { fault, end, tokens } of BREAKS) {
  test(`${fault} sends ${tokens} tokens of a stream, then ends the socket with ${end}`, async () => {
    await using mock = await startMock({ script: { fault, tokenCount: 10 } });
    const answer = await rawRequest(mock, requestText('POST', CHAT, chatBody({ stream: true })));
    assert.match(answer.text, /^HTTP\/1\.1 200 /);
    assert.equal(tokensIn(answer.text), tokens);
    assert.doesNotMatch(answer.text, /\[DONE\]/);
    assert.doesNotMatch(answer.text, /\r\n0\r\n\r\n$/, 'the final chunk must be missing');
    assert.equal(answer.end, end);
    assert.equal(mock.requests[0]?.outcome, 'broken');
  });
}

test('a break later than the last piece leaves the stream whole', async () => {
  await using mock = await startMock({ script: { fault: 'reset-after=99', tokenCount: 2 } });
  const answer = await postJson(mock, CHAT, chatBody({ stream: true }));
  assert.match(await answer.text(), /\[DONE\]\n\n$/);
});

test('an unstreamed body is broken off short of its Content-Length', async () => {
  await using mock = await startMock({ script: { fault: 'cut-after=2' } });
  const answer = await rawRequest(mock, requestText('POST', CHAT, chatBody()));
  const [head = '', body = ''] = answer.text.split('\r\n\r\n');
  const length = Number(/Content-Length: (\d+)/.exec(head)?.[1]);
  // 2 of 8 parts.
  assert.equal(body.length, 2 * Math.ceil(length / 8));
  assert.equal(answer.end, 'fin');
});

test('hang answers nothing and keeps the socket open', async () => {
  await using mock = await startMock({ script: { fault: 'hang' } });
  const abort = new AbortController();
  const answer = fetch(`${mock.url}/v1/models`, { signal: abort.signal });
  const failed = assert.rejects(answer);
  await mock.received(1);
  assert.equal(mock.connections.open, 1);
  abort.abort();
  await failed;
  await mock.aborted(1);
});

test('hang-after sends its tokens and then nothing', async () => {
  await using mock = await startMock({ script: { fault: 'hang-after=2' } });
  const request = requestText('POST', CHAT, chatBody({ stream: true }));
  const answer = await rawRequest(mock, request, (text) => tokensIn(text) === 2);
  assert.equal(answer.end, 'open');
  await mock.aborted(1);
});

for (const [fault, end] of [
  ['reset', 'reset'],
  ['close', 'fin'],
] as const) {
  test(`${fault} ends the socket with ${end} before a byte of an answer`, async () => {
    await using mock = await startMock({ script: { fault } });
    assert.deepEqual(await rawRequest(mock, requestText('GET', '/v1/models')), { text: '', end });
  });
}

test('garbage is not HTTP', async () => {
  await using mock = await startMock({ script: { fault: 'garbage' } });
  const answer = await rawRequest(mock, requestText('GET', '/v1/models'));
  assert.match(answer.text, /this is not HTTP/);
  assert.doesNotMatch(answer.text, /HTTP\/1/);
  assert.equal(answer.end, 'fin');
});

test('early-status answers before the body has come', async () => {
  await using mock = await startMock({ script: { fault: 'early-status=413' } });
  const head = `POST ${CHAT} HTTP/1.1\r\nHost: mock\r\nContent-Length: 1000000\r\n\r\n`;
  const answer = await rawRequest(mock, head, (text) => text.endsWith('}'));
  assert.match(answer.text, /^HTTP\/1\.1 413 /);
  assert.equal(mock.requests[0]?.received, false);
});

test('no-read leaves a large body in the pipe', async () => {
  await using mock = await startMock({ script: { fault: 'no-read' } });
  const abort = new AbortController();
  const body = new Uint8Array(32 * 1024 * 1024);
  const answer = fetch(`${mock.url}/v1/blob`, { method: 'POST', body, signal: abort.signal });
  const failed = assert.rejects(answer);
  await mock.until(() => mock.counters.total === 1);
  assert.equal(mock.requests[0]?.received, false);
  abort.abort();
  await failed;
});

test('drip sends an intact stream byte by byte', async () => {
  await using mock = await startMock({ name: 'm', script: { fault: 'drip=0', tokenCount: 2 } });
  const answer = await rawRequest(
    mock,
    requestText('POST', CHAT, chatBody({ stream: true }), ['Connection: close']),
  );
  const body = answer.text.slice(answer.text.indexOf('\r\n\r\n') + 4);
  // Each byte is an HTTP chunk of its own.
  assert.match(body, /^(1\r\n[\s\S]\r\n)+0\r\n\r\n$/);
  const joined = body.replaceAll(/1\r\n([\s\S])\r\n/g, '$1');
  assert.equal(tokensIn(joined), 2);
});

test('every third request meets the fault', async () => {
  await using mock = await startMock({ script: { fault: 'status=500', faultEvery: 3 } });
  const statuses: number[] = [];
  for (let i = 0; i < 7; i++) statuses.push((await fetch(`${mock.url}/v1/models`)).status);
  assert.deepEqual(statuses, [200, 200, 500, 200, 200, 500, 200]);
});

test('the next faults are met one each, in order', async () => {
  await using mock = await startMock({ script: { nextFaults: ['status=503', null, 'status=418'] } });
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) statuses.push((await fetch(`${mock.url}/v1/models`)).status);
  assert.deepEqual(statuses, [503, 200, 418, 200]);
  assert.deepEqual(mock.script.nextFaults, []);
});

test('a fault for reused sockets spares the first request of each', async () => {
  await using mock = await startMock({ script: { fault: 'close', faultOnReusedSocket: true } });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const fetchOnce = () =>
    new Promise((resolve, reject) => {
      get(`${mock.url}/v1/models`, { agent }, (answer) => {
        answer.resume().once('end', () => resolve(answer.statusCode));
      }).once('error', reject);
    });
  assert.equal(await fetchOnce(), 200);
  await assert.rejects(fetchOnce(), { code: 'ECONNRESET', message: 'socket hang up' });
  assert.equal(mock.requests[1]?.onReusedSocket, true);
  assert.equal(await fetchOnce(), 200);
  agent.destroy();
});

test('a request can ask for its own fault', async () => {
  await using mock = await startMock();
  const headers = { 'X-Mock-Fault': 'status=502' };
  assert.equal((await postJson(mock, CHAT, chatBody(), headers)).status, 502);
  assert.equal((await postJson(mock, CHAT, chatBody())).status, 200);
});

test('a fault that is none is answered with 400 and the grammar', async () => {
  await using mock = await startMock();
  const answer = await postJson(mock, CHAT, chatBody(), { 'X-Mock-Fault': 'explode' });
  assert.equal(answer.status, 400);
  assert.match(await answer.text(), /reset-after=N/);
});

test('what is not written as a fault parses to null', () => {
  const wrong = [
    '',
    'hang=1',
    'reset-after',
    'status',
    'status=99',
    'drip',
    'hang,retry-after=1',
    'cut-after=-1',
  ];
  assert.deepEqual(
    wrong.map((text) => parseFault(text)),
    wrong.map(() => null),
  );
  assert.deepEqual(parseFault(' status=503,retry-after=0 '), { kind: 'status', status: 503, retryAfterS: 0 });
});
