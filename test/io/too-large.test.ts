/** 413: a body above `server.maxBodyBytes` is refused, and the client gets to see that (RFC 9110 §15.5.14). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { type Mock, startMock } from '../../mock/server.ts';
import type { TestConfig, TestGateway } from '../support/gateway.ts';
import { connectRaw, type RawClient, rawOver } from '../support/raw-client.ts';
import { factTypes, failuresOf, withGateway } from './support/gateway.ts';
import { startRawBackend } from './support/raw-backend.ts';
import { chunk, requestText } from './support/requests.ts';
import { type RawResponse, responsesOf, valuesIn } from './support/responses.ts';

const MAX_BYTES = 256 * 1024;
const BUFFER_BYTES = 64 * 1024;
const PIECE = 'x'.repeat(16 * 1024);
const target = '/v1/unknown';
const chunked = ['Transfer-Encoding: chunked'];

async function refused(
  use: (client: RawClient, gateway: TestGateway, mock: Mock) => Promise<void>,
  config: TestConfig = {},
): Promise<void> {
  await using mock = await startMock();
  const limits = { server: { maxBodyBytes: MAX_BYTES }, retry: { bufferBytes: BUFFER_BYTES } };
  await withGateway({ backends: [mock], ...limits, ...config }, async (gateway) => {
    using client = await connectRaw(gateway.port);
    await use(client, gateway, mock);
    assert.equal(failuresOf(gateway), 0, 'the backend is not to blame');
  });
}

function assertTooLarge(response: RawResponse): void {
  assert.equal(response.status, 413);
  assert.match(response.body, /"code":"body_too_large"/);
  assert.match(response.body, new RegExp(`longer than the ${MAX_BYTES} bytes allowed`));
  assert.deepEqual(valuesIn(response, 'connection'), ['close']);
}

describe('a body that is too large', () => {
  it('is refused by its announced length alone, before any of it is read (RFC 9110 §8.6)', () =>
    refused(async (client, gateway, mock) => {
      client.send(requestText({ target, method: 'POST', headers: [`Content-Length: ${MAX_BYTES + 1}`] }));
      assertTooLarge(await responsesOf(client).next());
      assert.deepEqual(factTypes(gateway), []);
      assert.equal(mock.counters.total, 0);
    }));

  it('is refused without a 100 when the client waits for one (RFC 9110 §10.1.1)', () =>
    refused(async (client) => {
      const headers = [`Content-Length: ${MAX_BYTES + 1}`, 'Expect: 100-continue'];
      client.send(requestText({ target, method: 'POST', headers }));
      assertTooLarge(await responsesOf(client).next());
      assert.doesNotMatch(client.text, /100 Continue/);
    }));

  it('is let in at exactly the limit', () =>
    refused(async (client, _, mock) => {
      client.send(requestText({ target, body: 'x'.repeat(MAX_BYTES) }));
      assert.equal((await responsesOf(client).next()).status, 404);
      assert.equal(mock.requests[0]?.bodyBytes, MAX_BYTES);
    }));

  it('is refused while it is buffered, and no backend hears of it', () =>
    refused(
      async (client, gateway, mock) => {
        client.send(requestText({ target, method: 'POST', headers: chunked }));
        for (let sent = 0; sent <= MAX_BYTES; sent += PIECE.length) client.send(chunk(PIECE));
        assertTooLarge(await responsesOf(client).next());
        assert.deepEqual(factTypes(gateway), []);
        assert.equal(mock.counters.total, 0);
      },
      { retry: { bufferBytes: 2 * MAX_BYTES } },
    ));

  it('is refused while it streams to a backend, which is left at once', () =>
    refused(async (client, gateway, mock) => {
      client.send(requestText({ target, method: 'POST', headers: chunked }));
      for (let sent = 0; sent <= BUFFER_BYTES; sent += PIECE.length) client.send(chunk(PIECE));
      await mock.until(() => mock.counters.inFlight === 1);
      for (let sent = 0; sent <= MAX_BYTES; sent += PIECE.length) client.send(chunk(PIECE));
      assertTooLarge(await responsesOf(client).next());
      await mock.aborted(1);
      assert.deepEqual(factTypes(gateway).slice(0, 3), [
        'request.received',
        'socket.opened',
        'client.aborted',
      ]);
      const { fact } = await gateway.fact('client.aborted');
      assert.ok(fact.type === 'client.aborted' && fact.because === 'bodyTooLarge');
    }));

  it('is cut off when the backend has begun to answer already', async () => {
    await using backend = await startRawBackend((peer) => {
      peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n');
    });
    await refused(
      async (client) => {
        // An id of ours, since one drawn at random may hold the digits that are looked for.
        client.send(requestText({ target, method: 'POST', headers: [...chunked, 'X-Request-ID: early'] }));
        for (let sent = 0; sent <= BUFFER_BYTES; sent += PIECE.length) client.send(chunk(PIECE));
        await client.until(/early/);
        for (let sent = 0; sent <= MAX_BYTES; sent += PIECE.length) client.send(chunk(PIECE));
        const { text } = await client.closed();
        assert.doesNotMatch(text, /413|\r\n0\r\n\r\n/);
      },
      { backends: [backend] },
    );
  });
});

describe('the answer 413', () => {
  it('is seen whole by a client that goes on sending, and ends with a FIN (RFC 9112 §9.6)', () =>
    refused(async (_, gateway) => {
      // Half-open, so that the end of the answer does not keep this client from sending on.
      const socket = connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true });
      using client = rawOver(socket);
      client.send(requestText({ target, method: 'POST', headers: ['Content-Length: 20000000'] }));
      for (let sent = 0; sent < 20_000_000 - PIECE.length; sent += PIECE.length) {
        if (!socket.write(PIECE)) await once(socket, 'drain');
      }
      if (!socket.readableEnded) await once(socket, 'end');
      socket.end();
      const { text, wasReset } = await client.closed();
      assert.equal(wasReset, false);
      assert.match(text, /^HTTP\/1\.1 413 [\s\S]*"body_too_large","param":null\}\}$/);
    }));

  it('is the last one on its connection, whatever is pipelined behind it', () =>
    refused(async (client, _, mock) => {
      const body = `${chunk('x'.repeat(MAX_BYTES + 1))}0\r\n\r\n`;
      client.send(requestText({ target, method: 'POST', headers: chunked, body }) + requestText());
      const responses = responsesOf(client);
      assertTooLarge(await responses.next());
      assert.deepEqual(await responses.rest(), { text: '', wasReset: false });
      assert.equal(
        mock.requests.some(({ method }) => method === 'GET'),
        false,
      );
    }));

  it('keeps its place behind the answers before it', () =>
    refused(async (client) => {
      const large = requestText({ target, method: 'POST', headers: [`Content-Length: ${MAX_BYTES + 1}`] });
      client.send(requestText() + large);
      const responses = responsesOf(client);
      assert.equal((await responses.next()).status, 200);
      assertTooLarge(await responses.next());
    }));

  it('leaves room for the next request on another connection at once', () =>
    refused(
      async (client, gateway) => {
        client.send(requestText({ target, method: 'POST', headers: chunked }));
        for (let sent = 0; sent <= MAX_BYTES; sent += PIECE.length) client.send(chunk(PIECE));
        assertTooLarge(await responsesOf(client).next());
        using other = await connectRaw(gateway.port);
        other.send(requestText());
        assert.equal((await responsesOf(other).next()).status, 200);
      },
      { pool: { size: 1 } },
    ));
});
