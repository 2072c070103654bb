/** Backends that trickle, send what they must not, or more than they say: none of it costs another client anything. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';
import { failuresOf, withGateway } from '../support/gateway.ts';
import { startRawBackend } from '../support/raw-backend.ts';
import { requestText } from '../support/requests.ts';
import { responsesOf } from '../support/responses.ts';

const BETWEEN_PIECES_MS = 20;
const HEADERS_TIMEOUT_MS = 150;

function repeat(peer: RawClient, text: string): void {
  const timer = setInterval(() => peer.send(text), BETWEEN_PIECES_MS);
  peer.socket.once('close', () => clearInterval(timer));
}

describe('the time for the head of an answer', () => {
  for (const [what, start, more] of [
    ['a head that comes a byte at a time', 'HTTP/1.1 200 OK\r\nX: ', 'a'],
    ['one 100 after the other', '', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ] as const) {
    it(`is not prolonged by ${what}`, async () => {
      await using backend = await startRawBackend((peer) => {
        peer.send(start);
        repeat(peer, more);
      });
      const upstream = { headersTimeoutMs: HEADERS_TIMEOUT_MS };
      await withGateway({ backends: [backend], upstream }, async (gateway) => {
        using client = await connectRaw(gateway.port);
        client.send(requestText());
        const { status, body } = await responsesOf(client).next();
        assert.equal(status, 504);
        assert.match(body, /backend_headers_timeout/);
      });
    });
  }

  it('begins anew with an interim answer, since that is a sign of work (RFC 9110 §15.2)', async () => {
    await using backend = await startRawBackend((peer) => {
      let count = 0;
      const timer = setInterval(() => {
        count += 1;
        if (count < 15) peer.send('HTTP/1.1 102 Processing\r\n\r\n');
        else peer.send('HTTP/1.1 204 No Content\r\n\r\n');
      }, BETWEEN_PIECES_MS);
      peer.socket.once('close', () => clearInterval(timer));
    });
    const upstream = { headersTimeoutMs: HEADERS_TIMEOUT_MS };
    await withGateway({ backends: [backend], upstream }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText());
      assert.equal((await responsesOf(client).next()).status, 204);
    });
  });
});

describe('a socket is not used again', () => {
  for (const [what, method, head] of [
    ['HEAD', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n'],
    ['204', 'GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['304', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 40\r\n\r\n'],
  ] as const) {
    it(`after ${what}, behind which a faulty backend might send a body (RFC 9112 §6.3)`, async () => {
      await using backend = await startRawBackend((peer) => peer.send(head));
      await withGateway({ backends: [backend] }, async (gateway) => {
        using client = await connectRaw(gateway.port);
        client.send(requestText({ method }));
        await responsesOf(client).next({ bodiless: true });
        await (await backend.connection(1)).closed();
        assert.equal(failuresOf(gateway), 0);
      });
    });
  }

  it('while a part of the request still waits in it', async () => {
    await using backend = await startRawBackend((peer) => {
      peer.socket.pause();
      peer.socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n');
    });
    const retry = { bufferBytes: 32 * 1024 * 1024 };
    await withGateway({ backends: [backend], retry }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText({ body: 'x'.repeat(24 * 1024 * 1024) }));
      assert.equal((await responsesOf(client).next()).status, 413);
      await gateway.fact('response.ended');
      assert.equal(gateway.gateway.balancer.backends()[0]?.pool.idle, 0);
    });
  });
});

describe('a fault', () => {
  it('together with the head of an answer leaves the client with that head, and no more', async () => {
    await using backend = await startRawBackend((peer) =>
      peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'),
    );
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText());
      const { text } = await client.closed();
      assert.match(text, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n$/);
    });
  });

  it('in the size of a chunk is told at once, also where it is a bare LF', async () => {
    await using backend = await startRawBackend((peer) =>
      peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nok\n0\n\n'),
    );
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText());
      await client.closed();
      const { fact } = await gateway.fact('response.failed');
      assert.ok(fact.type === 'response.failed' && fact.reason === 'badResponse');
    });
  });
});
