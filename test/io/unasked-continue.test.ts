/** A backend that sends `100 Continue` though nobody waits for it is answered for like any other (RFC 9110 §15.2). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { startMock } from '../../mock/server.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { factTypes, failuresOf, withGateway } from './support/gateway.ts';
import { startCannedBackend, startRawBackend } from './support/raw-backend.ts';
import { chunk, LAST_CHUNK, requestText } from './support/requests.ts';
import { type RawResponse, responsesOf } from './support/responses.ts';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
const FINAL = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';

/** Has a backend send the pieces, each in a turn of its own, and returns what the client was told. */
async function told(pieces: readonly string[], asked = requestText()) {
  let response: RawResponse | undefined;
  let text = '';
  let failures = 0;
  await using backend = await startRawBackend(async (peer) => {
    for (const piece of pieces) {
      peer.send(piece);
      await turn();
    }
  });
  await withGateway({ backends: [backend] }, async (gateway) => {
    using client = await connectRaw(gateway.port);
    client.send(asked);
    response = await responsesOf(client).next();
    text = client.text;
    failures = failuresOf(gateway);
  });
  assert.ok(response);
  return { ...response, text, failures };
}

describe('a 100 in front of an answer', () => {
  const ways: [string, readonly string[]][] = [
    ['in one piece with it', [CONTINUE + FINAL]],
    ['in a piece of its own', [CONTINUE, FINAL]],
    ['byte by byte', [...(CONTINUE + FINAL)]],
    ['with headers', [`HTTP/1.1 100 Continue\r\nX-A: b\r\nServer: c\r\n\r\n${FINAL}`]],
    ['of another version, without a reason', [`HTTP/1.0 100\r\n\r\n${FINAL}`]],
    ['three times', [CONTINUE.repeat(3) + FINAL]],
  ];
  for (const [how, pieces] of ways) {
    it(`is dropped, ${how}`, async () => {
      const { status, body, text, failures } = await told(pieces);
      assert.deepEqual([status, body, failures], [200, 'hi', 0]);
      assert.ok(text.startsWith('HTTP/1.1 200 '), text);
    });
  }

  it('is dropped among other interim answers, which are passed on', async () => {
    for (const pieces of [[CONTINUE + HINTS + CONTINUE + HINTS + FINAL], [HINTS, CONTINUE, HINTS, FINAL]]) {
      const { body, text } = await told(pieces);
      assert.equal(body, 'hi');
      assert.ok(text.startsWith(`${HINTS}${HINTS}HTTP/1.1 200 OK\r\n`), text);
    }
  });

  it('is dropped in front of each answer over a kept socket', async () => {
    await using backend = await startCannedBackend(CONTINUE + FINAL);
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      const responses = responsesOf(client);
      for (let count = 0; count < 3; count += 1) {
        client.send(requestText());
        assert.equal((await responses.next()).body, 'hi');
      }
      assert.equal(backend.connections.length, 1);
    });
  });

  it('is dropped while the body is still on its way', async () => {
    await using backend = await startRawBackend((peer) => peer.send(CONTINUE));
    await withGateway({ backends: [backend], retry: { bufferBytes: 10 } }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText({ method: 'POST', headers: ['Content-Length: 40'] }) + 'a'.repeat(20));
      const peer = await backend.connection(1);
      await peer.until(/a{20}$/);
      client.send('b'.repeat(20));
      await peer.until(/b{20}$/);
      peer.send(FINAL);
      assert.equal((await responsesOf(client).next()).body, 'hi');
    });
  });

  it('and what looks like one in a body leaves the body as it is', async () => {
    const whole = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk(CONTINUE)}`;
    const { body } = await told([whole, chunk(CONTINUE) + LAST_CHUNK]);
    assert.equal(body, CONTINUE + CONTINUE);
    const closing = await told([
      `HTTP/1.1 200 OK\r\nContent-Length: ${2 * CONTINUE.length}\r\n\r\n`,
      CONTINUE,
      CONTINUE,
    ]);
    assert.equal(closing.body, CONTINUE + CONTINUE);
  });

  it('does not keep a WebSocket from being agreed to', async () => {
    const agreed = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n';
    await using backend = await startRawBackend((peer) => peer.send(`${CONTINUE}${agreed}${CONTINUE}`));
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText({ headers: ['Connection: Upgrade', 'Upgrade: websocket'] }));
      // What comes behind is not HTTP, whatever it looks like.
      await client.until((text) => text.startsWith('HTTP/1.1 101 ') && text.endsWith(CONTINUE));
      client.socket.end();
      await (await backend.connection(1)).closed();
    });
  });
});

describe('a 100 without an answer', () => {
  const ends: [string, (peer: RawClient) => void][] = [
    ['alone', (peer) => peer.socket.end(CONTINUE)],
    ['that is not whole', (peer) => peer.socket.end('HTTP/1.1 100 Con')],
    ['whose lines do not end as they have to', (peer) => peer.send(`HTTP/1.1 100 Continue\n\n${FINAL}`)],
    [
      'that is too long',
      (peer) => peer.send(`HTTP/1.1 100 Continue\r\nX: ${'x'.repeat(20_000)}\r\n\r\n${FINAL}`),
    ],
  ];
  for (const [how, end] of ends) {
    it(`${how} is a bad response, and no other backend is asked`, async () => {
      await using bad = await startRawBackend(end, 'bad');
      await using good = await startMock();
      const backends = [{ ...bad, weight: 1000 }, good];
      await withGateway({ backends }, async (gateway) => {
        using client = await connectRaw(gateway.port);
        client.send(requestText());
        assert.equal((await responsesOf(client).next()).status, 502);
        assert.equal(failuresOf(gateway), 1);
        assert.equal(factTypes(gateway).filter((type) => type === 'response.failed').length, 1);
      });
    });
  }

  it('between two answers ends its socket', async () => {
    await using backend = await startRawBackend((peer, number) =>
      peer.send(number === 1 ? FINAL : CONTINUE + FINAL),
    );
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      const responses = responsesOf(client);
      client.send(requestText());
      assert.equal((await responses.next()).body, 'hi');
      const peer = await backend.connection(1);
      peer.send(CONTINUE);
      await peer.closed();
      client.send(requestText());
      assert.equal((await responses.next()).body, 'hi');
      assert.equal(backend.connections.length, 2);
    });
  });
});
