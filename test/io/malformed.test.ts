/** What is not HTTP, or not quite: refused cleanly, in its turn, and never passed on to a backend. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connectRaw } from '../support/raw-client.ts';
import { factTypes, failuresOf, withGateway } from './support/gateway.ts';
import { startRawBackend } from './support/raw-backend.ts';
import { chatText, chunk, LAST_CHUNK, requestText } from './support/requests.ts';
import { responsesOf, valuesIn } from './support/responses.ts';
import { assertRefused, talking } from './support/talking.ts';

/** What is sent, and how it is refused. None of it may reach a backend. */
const REFUSED: [string, string, number?, string?][] = [
  ['no Host (RFC 9112 §3.2)', 'GET /v1/models HTTP/1.1\r\n\r\n'],
  ['two Hosts (RFC 9112 §3.2)', requestText({ headers: ['Host: a', 'Host: b'] })],
  ['a Host that is none (RFC 9112 §3.2)', requestText({ headers: ['Host: a/b?c'] })],
  [
    'a Host that is none beside a target that names one (RFC 9112 §3.2)',
    requestText({ target: 'http://a.test/v1/x', headers: ['Host: a b'] }),
  ],
  ['no version at all (RFC 9112 §2.3)', 'GET /v1/models\r\nHost: a\r\n\r\n'],
  ['the version before all others (RFC 9112 §2.3)', 'GET /v1/models HTTP/0.9\r\nHost: a\r\n\r\n'],
  ['user information in the target (RFC 9110 §4.2.4)', requestText({ target: 'http://me@a.test/v1/models' })],
  [
    'both a length and chunks (RFC 9112 §6.1)',
    requestText({ headers: ['Content-Length: 5', 'Transfer-Encoding: chunked'], body: LAST_CHUNK }),
  ],
  [
    'both chunks and a length (RFC 9112 §6.1)',
    requestText({ headers: ['Transfer-Encoding: chunked', 'Content-Length: 5'], body: LAST_CHUNK }),
  ],
  [
    'two lengths (RFC 9112 §6.3)',
    requestText({ headers: ['Content-Length: 1', 'Content-Length: 2'], body: 'ab' }),
  ],
  ['a list of lengths (RFC 9112 §6.3)', requestText({ headers: ['Content-Length: 2, 2'], body: 'ab' })],
  ['a negative length (RFC 9112 §6.2)', requestText({ headers: ['Content-Length: -1'], body: '' })],
  ['a length with a sign (RFC 9110 §8.6)', requestText({ headers: ['Content-Length: +2'], body: 'ab' })],
  [
    'a length beyond all numbers (RFC 9110 §8.6)',
    requestText({ headers: ['Content-Length: 99999999999999999999'], body: 'ab' }),
  ],
  [
    'chunks in HTTP/1.0 (RFC 9112 §6.1)',
    requestText({ version: '1.0', headers: ['Transfer-Encoding: chunked'], body: LAST_CHUNK }),
  ],
  [
    'a coding behind the chunks (RFC 9112 §6.3)',
    requestText({ headers: ['Transfer-Encoding: chunked, gzip'], body: LAST_CHUNK }),
  ],
  [
    'a coding nobody knows (RFC 9112 §6.1)',
    requestText({ headers: ['Transfer-Encoding: gzip, chunked'], body: LAST_CHUNK }),
    ...([501, 'unsupported_transfer_coding'] as const),
  ],
  [
    'chunks twice (RFC 9112 §6.1)',
    requestText({ headers: ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], body: LAST_CHUNK }),
  ],
  ['lines that end in a bare LF (RFC 9112 §2.2)', 'GET /v1/models HTTP/1.1\nHost: a\n\n'],
  ['a bare CR within a header (RFC 9112 §2.2)', requestText({ headers: ['X-A: b\rX-C: d'] })],
  ['obsolete folding (RFC 9112 §5.2)', requestText({ headers: ['X-A: b', '  folded'] })],
  ['a space before the colon (RFC 9112 §5.1)', requestText({ headers: ['X-A : b'] })],
  ['a header without a colon (RFC 9112 §5)', requestText({ headers: ['X-A'] })],
  ['a header without a name (RFC 9112 §5)', requestText({ headers: [': b'] })],
  ['a zero byte in a header (RFC 9110 §5.5)', requestText({ headers: ['X-A: b\0c'] })],
  ['a space within the target (RFC 9112 §3.2)', 'GET /v1/ models HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a version of its own (RFC 9112 §2.3)', 'GET /v1/models HTTP/3.7\r\nHost: a\r\n\r\n'],
  ['a method nobody knows (RFC 9110 §9.1)', 'FROB /v1/models HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a method in lower case (RFC 9110 §9.1)', 'get /v1/models HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['garbage', 'how do you do?\r\n\r\n'],
  [
    'headers that are too long (RFC 6585 §5)',
    requestText({ headers: [`X: ${'x'.repeat(20_000)}`] }),
    431,
    'headers_too_large',
  ],
  [
    'a target that is too long (RFC 6585 §5)',
    requestText({ target: `/v1/${'x'.repeat(20_000)}` }),
    431,
    'headers_too_large',
  ],
  [
    'CONNECT (RFC 9110 §9.3.6)',
    requestText({ method: 'CONNECT', target: 'a.test:443' }),
    405,
    'method_not_allowed',
  ],
];

describe('a request is refused, and none reaches a backend,', () => {
  for (const [what, bytes, status, code] of REFUSED) {
    it(`for ${what}`, () =>
      talking(async ({ client, responses, gateway, mock }) => {
        client.send(Buffer.from(bytes, 'latin1'));
        assertRefused(await responses.next(), status, code);
        assert.equal(mock.counters.total, 0);
        assert.deepEqual(factTypes(gateway), []);
      }));
  }

  it('and its connection ends with a FIN, even if more garbage follows (RFC 9112 §9.6)', () =>
    talking(async ({ client, responses }) => {
      client.send('garbage\r\n\r\n');
      assertRefused(await responses.next());
      client.send('more garbage '.repeat(1000));
      client.send(requestText());
      assert.deepEqual(await responses.rest(), { text: '', wasReset: false });
    }));

  it('and nothing behind a doubtful Host is served (RFC 9112 §3.2)', () =>
    talking(async ({ client, responses, mock }) => {
      client.send(requestText({ headers: ['Host: a', 'Host: b'] }) + requestText());
      assertRefused(await responses.next());
      assert.deepEqual(await responses.rest(), { text: '', wasReset: false });
      assert.equal(mock.counters.total, 0);
    }));

  it('and CONNECT tells which methods are allowed (RFC 9110 §15.5.6)', () =>
    talking(async ({ client, responses }) => {
      client.send(requestText({ method: 'CONNECT', target: 'a.test:443' }));
      assert.match(valuesIn(await responses.next(), 'allow')[0] ?? '', /GET.*POST/);
      assert.deepEqual(await responses.rest(), { text: '', wasReset: false });
    }));

  it('and the preface of HTTP/2 finds no HTTP/2 (RFC 9113 §3.4)', () =>
    talking(async ({ client, gateway }) => {
      client.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
      await client.closed();
      assert.deepEqual(factTypes(gateway), []);
    }));
});

describe('a body that turns out to be garbage', () => {
  const head = requestText({ target: '/v1/x', method: 'POST', headers: ['Transfer-Encoding: chunked'] });

  for (const [what, bytes] of [
    ['a bad chunk size', 'zz\r\nhi\r\n'],
    ['a chunk longer than its size', '2\r\nhiho\r\n'],
    ['a size without an end of line', `${'1'.repeat(40)}\r\n`],
  ] as const) {
    it(`is refused with 400 for ${what} (RFC 9112 §7.1)`, () =>
      talking(async ({ client, responses, mock }) => {
        client.send(head + chunk('good') + bytes);
        assertRefused(await responses.next());
        client.send(requestText());
        assert.deepEqual(await responses.rest(), { text: '', wasReset: false });
        assert.equal(mock.counters.total, 0);
      }));
  }

  it('takes its request back from the backend that it streamed to', async () => {
    await using backend = await startRawBackend();
    await withGateway({ backends: [backend], retry: { bufferBytes: 10 } }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(head + chunk('x'.repeat(100)));
      const peer = await backend.connection(1);
      client.send('zz\r\nhi\r\n');
      assertRefused(await responsesOf(client).next());
      await peer.closed();
      assert.doesNotMatch(peer.text, /\r\n0\r\n/);
      const { fact } = await gateway.fact('client.aborted');
      assert.ok(fact.type === 'client.aborted' && fact.because === 'badRequest');
      assert.equal(failuresOf(gateway), 0);
    });
  });

  it('cuts the answer that has begun', async () => {
    await using backend = await startRawBackend((peer) =>
      peer.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('early')}`),
    );
    await withGateway({ backends: [backend], retry: { bufferBytes: 10 } }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(head + chunk('x'.repeat(100)));
      await client.until(/early/);
      client.send('zz\r\n');
      assert.match((await client.closed()).text, /early\r\n$/);
    });
  });
});

describe('garbage behind a request', () => {
  it('is refused in its turn, once the answer before it is whole', async () => {
    await using backend = await startRawBackend((peer) =>
      peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'),
    );
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(`${requestText()}garbage\r\n\r\n`);
      const peer = await backend.connection(1);
      client.send('and more garbage\r\n\r\n');
      for (const token of ['one', 'two', 'three']) {
        peer.send(chunk(token));
        await client.until((text) => text.includes(token));
      }
      peer.send(LAST_CHUNK);
      const responses = responsesOf(client);
      assert.equal((await responses.next()).body, 'onetwothree');
      assertRefused(await responses.next());
      assert.deepEqual(await responses.rest(), { text: '', wasReset: false });
    });
  });

  it('does not keep a client that leaves from being noticed', async () => {
    await using backend = await startRawBackend();
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(`${requestText()}garbage\r\n\r\n`);
      const peer = await backend.connection(1);
      client.socket.end();
      await peer.closed();
      await gateway.fact('client.aborted');
    });
  });

  it('is refused behind several pipelined answers', () =>
    talking(async ({ client, responses }) => {
      client.send(`${requestText()}${chatText()}${requestText()}\0\0\0\r\n\r\n`);
      assert.equal((await responses.next()).status, 200);
      assert.match((await responses.next()).body, /\[DONE\]/);
      assert.equal((await responses.next()).status, 200);
      assertRefused(await responses.next());
    }));

  it('and CONNECT behind a request do not corrupt its answer', async () => {
    await using backend = await startRawBackend((peer) =>
      peer.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun'),
    );
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText());
      await client.until(/begun/);
      client.send(requestText({ method: 'CONNECT', target: 'a.test:443' }));
      assert.match((await client.closed()).text, /begun$/);
      await gateway.fact('client.aborted');
    });
  });
});
