/** HTTP/1.x as well-behaved clients speak it, old and new: versions, persistence, pipelining, expectations. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connectRaw } from '../support/raw-client.ts';
import { withGateway } from './support/gateway.ts';
import { startRawBackend } from './support/raw-backend.ts';
import { chatText, chunk, LAST_CHUNK, requestText } from './support/requests.ts';
import { responsesOf, valuesIn } from './support/responses.ts';
import { assertRefused, talking } from './support/talking.ts';

describe('a client of HTTP/1.0', () => {
  it('is answered and its connection is closed (RFC 9112 §9.3)', () =>
    talking(async ({ client, responses }) => {
      client.send(requestText({ version: '1.0' }));
      const response = await responses.next();
      assert.equal(response.framing, 'length');
      assert.deepEqual(valuesIn(response, 'connection'), ['close']);
      assert.deepEqual(await responses.rest(), { text: '', wasReset: false });
    }));

  it('keeps its connection when it asks for that and the length is known (RFC 9112 §9.3)', () =>
    talking(async ({ client, responses }) => {
      for (let turn = 0; turn < 3; turn += 1) {
        client.send(requestText({ version: '1.0', headers: ['Connection: keep-alive'] }));
        assert.deepEqual(valuesIn(await responses.next(), 'connection'), ['keep-alive']);
      }
    }));

  it('gets a stream without chunks, whose end is the close (RFC 9112 §6.1)', () =>
    talking(async ({ client, responses }) => {
      client.send(chatText({}, { version: '1.0', headers: ['Connection: keep-alive'] }));
      const { framing, body } = await responses.next();
      assert.equal(framing, 'close');
      assert.match(body, /^data: .*[\s\S]*data: \[DONE\]\n\n$/);
    }));

  it('gets a stream that has a Trailer header without that', async () => {
    await using backend = await startRawBackend((peer) =>
      peer.send(
        `HTTP/1.1 200 OK\r\nTrailer: X\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('hi')}${LAST_CHUNK}`,
      ),
    );
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText({ version: '1.0' }));
      assert.equal((await responsesOf(client).next()).body, 'hi');
    });
  });

  it('may name the host in its target alone (RFC 9112 §3.2.2)', () =>
    talking(async ({ client, responses, mock }) => {
      client.send('GET http://models.test/v1/models HTTP/1.0\r\n\r\n');
      assert.equal((await responses.next()).status, 200);
      assert.deepEqual(valuesIn({ headers: mock.requests[0]?.rawHeaders ?? [] }, 'host'), ['models.test']);
    }));

  it('needs no Host (RFC 9112 §3.2)', () =>
    talking(async ({ client, responses, mock }) => {
      client.send('GET /v1/models HTTP/1.0\r\n\r\n');
      assert.equal((await responses.next()).status, 200);
      assert.deepEqual(valuesIn({ headers: mock.requests[0]?.rawHeaders ?? [] }, 'host'), [
        `127.0.0.1:${mock.port}`,
      ]);
    }));

  it('is not told to continue (RFC 9110 §10.1.1)', () =>
    talking(async ({ client, responses }) => {
      client.send(chatText({ stream: false }, { version: '1.0', headers: ['Expect: 100-continue'] }));
      assert.equal((await responses.next()).status, 200);
      assert.doesNotMatch(client.text, /100 Continue/);
    }));
});

describe('a persistent connection', () => {
  it('is closed behind the answer when the client asks for that (RFC 9112 §9.6)', () =>
    talking(async ({ client, responses }) => {
      client.send(requestText({ headers: ['Connection: close'] }));
      assert.deepEqual(valuesIn(await responses.next(), 'connection'), ['close']);
      assert.deepEqual(await responses.rest(), { text: '', wasReset: false });
    }));

  it('has pipelined requests answered in their order, however they end (RFC 9112 §9.3.2)', async () => {
    await using backend = await startRawBackend();
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      const paths = ['/v1/0', '/v1/1', '/v1/2', '/v1/3'];
      client.send(paths.map((target) => requestText({ target })).join(''));
      for (const number of [4, 3, 2, 1]) {
        const peer = await backend.connection(number);
        const path = / (\S+) /.exec(peer.text)?.[1] ?? '';
        peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`);
        await gateway.fact('response.ended', 5 - number);
      }
      const responses = responsesOf(client);
      for (const path of paths) assert.equal((await responses.next()).body, path);
    });
  });

  it('has a pipelined stream wait for its turn, whole', () =>
    talking(async ({ client, responses, mock }) => {
      mock.set({ tokenCount: 2000 });
      client.send(chatText() + requestText({ target: '/nope' }) + chatText() + requestText());
      assert.match((await responses.next()).body, /\[DONE\]/);
      assertRefused(await responses.next(), 404, 'not_found');
      const { body } = await responses.next();
      assert.equal(body.split('"delta":{"content":').length, 2001);
      assert.match(body, /\[DONE\]\n\n$/);
      assert.equal((await responses.next()).status, 200);
    }));

  it('outlives answers of the gateway itself', () =>
    talking(async ({ client, responses }) => {
      for (const target of ['/health', '/', '/nope', '/v1/models']) {
        client.send(requestText({ target }));
        assert.deepEqual(valuesIn(await responses.next(), 'connection'), ['keep-alive']);
      }
    }));

  it('takes empty lines before a request (RFC 9112 §2.2)', () =>
    talking(async ({ client, responses }) => {
      for (let turn = 0; turn < 2; turn += 1) {
        client.send(`\r\n\r\n${requestText()}`);
        assert.equal((await responses.next()).status, 200);
      }
    }));

  it('takes a request that comes byte by byte', () =>
    talking(async ({ client, responses }) => {
      for (const byte of chatText({ stream: false })) client.send(byte);
      assert.equal((await responses.next()).status, 200);
    }));

  it('serves a request that asks for another protocol as what it is, and ends behind it (RFC 9110 §7.8)', () =>
    talking(async ({ client, responses }) => {
      client.send(requestText({ headers: ['Connection: Upgrade', 'Upgrade: h2c'] }));
      const response = await responses.next();
      assert.equal(response.status, 200);
      assert.deepEqual(valuesIn(response, 'connection'), ['close']);
      assert.deepEqual(await responses.rest(), { text: '', wasReset: false });
    }));
});

describe('Expect (RFC 9110 §10.1.1)', () => {
  it('100-continue is answered before the body is sent, and not passed on', () =>
    talking(async ({ client, responses, mock }) => {
      const body = '{"messages":[]}';
      client.send(
        requestText({
          ...{ target: '/v1/chat/completions', method: 'POST' },
          headers: [`Content-Length: ${body.length}`, 'Expect: 100-Continue'],
        }),
      );
      await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
      client.send(body);
      assert.equal((await responses.next()).status, 200);
      assert.deepEqual(valuesIn({ headers: mock.requests[0]?.rawHeaders ?? [] }, 'expect'), []);
      client.send(requestText());
      assert.equal((await responses.next()).status, 200);
    }));

  it('100-continue is answered in its turn behind another answer, even if the body came unasked', async () => {
    const answer = (content: string) =>
      `HTTP/1.1 200 OK\r\nContent-Length: ${content.length}\r\n\r\n${content}`;
    await using backend = await startRawBackend((peer, number) => {
      let answered = number === 1 ? 1 : 0;
      const look = () => {
        const asked = peer.text.match(/ HTTP\/1\.1\r\n/g)?.length ?? 0;
        for (; answered < asked; answered += 1) peer.send(answer('later'));
      };
      peer.socket.on('data', look);
      look();
    });
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText());
      const first = await backend.connection(1);
      client.send(requestText({ headers: ['Expect: 100-continue'], body: 'unasked' }));
      // Another's whole course, so that the second request has had the time for its own.
      using other = await connectRaw(gateway.port);
      other.send(requestText());
      await responsesOf(other).next();
      first.send(answer('first'));
      const responses = responsesOf(client);
      assert.equal((await responses.next()).body, 'first');
      assert.equal((await responses.next()).body, 'later');
      assert.match(client.text, /first[\s\S]*100 Continue[\s\S]*later/);
    });
  });

  it('100-continue is not answered where the request is refused anyway', () =>
    talking(async ({ client, responses }) => {
      client.send(
        requestText({
          target: '/nope',
          method: 'POST',
          headers: ['Content-Length: 5', 'Expect: 100-continue'],
        }),
      );
      assertRefused(await responses.next(), 404, 'not_found');
      assert.doesNotMatch(client.text, /100 Continue/);
      assert.deepEqual(await responses.rest(), { text: '', wasReset: false });
    }));

  it('of anything else is refused with 417', () =>
    talking(async ({ client, responses }) => {
      client.send(requestText({ headers: ['Expect: a-miracle'] }));
      assertRefused(await responses.next(), 417, 'expectation_failed');
    }));
});
