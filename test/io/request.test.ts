/** What a backend gets of a request: the request line, the headers and the body, as the client sent them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Mock, startMock } from '../../mock/server.ts';
import { connectRaw } from '../support/raw-client.ts';
import { failuresOf, withGateway } from './support/gateway.ts';
import { startCannedBackend } from './support/raw-backend.ts';
import { chunk, LAST_CHUNK, type RequestParts, requestText } from './support/requests.ts';
import { type RawResponse, responsesOf, valuesIn } from './support/responses.ts';

const KIB = 1024;
const BUFFER_BYTES = 64 * KIB;

type Seen = {
  readonly response: RawResponse;
  readonly method: string;
  readonly url: string;
  headers: string[];
};

/** Sends one request through a gateway of its own to a mock, and says what the mock saw of it. */
async function forward(parts: RequestParts, look: (seen: Seen, mock: Mock) => void): Promise<void> {
  await using mock = await startMock({ name: 'm' });
  await withGateway({ backends: [mock], retry: { bufferBytes: BUFFER_BYTES } }, async (gateway) => {
    using client = await connectRaw(gateway.port);
    client.send(requestText(parts));
    const response = await responsesOf(client).next({ bodiless: parts.method === 'HEAD' });
    const [request] = mock.requests;
    assert.ok(request, `the request did not reach the backend: ${client.text}`);
    look({ response, method: request.method, url: request.url, headers: [...request.rawHeaders] }, mock);
    assert.equal(failuresOf(gateway), 0);
  });
}

/** The headers without those that the gateway sets and those that are set for this hop. */
function asClientSentThem(headers: readonly string[]): string[] {
  const notTheirs = /^(connection|host|content-length|x-forwarded-.*|x-real-ip|x-request-id)$/i;
  return headers.filter((_, index) => !notTheirs.test(headers[index - (index % 2)] ?? ''));
}

describe('the request line reaches the backend', () => {
  for (const target of [
    '/v1/models?a=1&b=%20c%2Fd',
    '/v1/%E2%9C%93/a%2Fb//c/./d/../e',
    '/v1/models?x=1?y=2??',
    '/v1//double//slashes/',
    '/v1/models?',
    '/v1/%zz%',
    '/v1/models?q=\'"{}|^`\\<>',
    '/api/tags;v=1',
  ]) {
    it(`with the target ${target} as it came`, () =>
      forward({ target }, (seen) => assert.equal(seen.url, target)));
  }

  for (const method of ['GET', 'DELETE', 'PUT', 'PATCH', 'OPTIONS', 'HEAD', 'PROPFIND', 'QUERY', 'TRACE']) {
    it(`with the method ${method} as it came (RFC 9110 §9.1)`, () =>
      forward({ method }, (seen) => assert.equal(seen.method, method)));
  }

  it('in origin form when it came in absolute form, whose host goes before Host (RFC 9112 §3.2.2)', () =>
    forward({ target: 'http://models.test:81/v1/models?a=b' }, ({ url, headers }) => {
      assert.equal(url, '/v1/models?a=b');
      assert.deepEqual(valuesIn({ headers }, 'host'), ['models.test:81']);
    }));
});

describe('the headers of a request', () => {
  it('keep their order, case and repeats (RFC 9110 §5.3)', () => {
    const headers = [
      'aCCept: a',
      'X-One: 1',
      'x-two:   2  ',
      'X-One: 3',
      'Cookie: a=b',
      'Cookie: c=d',
      'X-Empty:',
    ];
    return forward({ headers }, (seen) => {
      assert.deepEqual(asClientSentThem(seen.headers), [
        ...['aCCept', 'a', 'X-One', '1', 'x-two', '2', 'X-One', '3'],
        ...['Cookie', 'a=b', 'Cookie', 'c=d', 'X-Empty', ''],
      ]);
    });
  });

  it('keep bytes beyond ASCII as they are (RFC 9110 §5.5)', async () => {
    await using mock = await startMock();
    await withGateway({ backends: [mock] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(Buffer.from(requestText({ headers: ['X-Name: caf\xe9 \xc3\xa9'] }), 'latin1'));
      await responsesOf(client).next();
      const [request] = mock.requests;
      assert.deepEqual(valuesIn({ headers: request?.rawHeaders ?? [] }, 'x-name'), ['caf\xe9 \xc3\xa9']);
    });
  });

  it('keep Host, even if Connection names it', () =>
    forward({ headers: ['Host: models.test:8443', 'Connection: host'] }, ({ headers }) => {
      assert.deepEqual(valuesIn({ headers }, 'host'), ['models.test:8443']);
    }));

  it('lose what concerns one hop, and what Connection names (RFC 9110 §7.6.1)', () =>
    forward(
      {
        headers: [
          ...['Connection: X-Hop, keep-alive', 'X-Hop: 1', 'connection: x-second , close', 'X-SECOND: 2'],
          ...[
            'Keep-Alive: timeout=5',
            'Proxy-Connection: keep-alive',
            'Proxy-Authorization: Basic eA==',
            'TE: trailers',
          ],
          ...['Upgrade: h2c', 'X-End: 3'],
        ],
      },
      ({ headers }) => assert.deepEqual(asClientSentThem(headers), ['X-End', '3']),
    ));

  it('gain where the request came from', () =>
    forward({}, ({ headers }) => {
      assert.deepEqual(valuesIn({ headers }, 'x-forwarded-for'), ['127.0.0.1']);
      assert.deepEqual(valuesIn({ headers }, 'x-forwarded-proto'), ['http']);
      assert.deepEqual(valuesIn({ headers }, 'x-real-ip'), ['127.0.0.1']);
    }));

  it('have the client appended to X-Forwarded-For, repeated lines joined in order', () =>
    forward(
      { headers: ['X-Forwarded-For: 10.0.0.1, 10.0.0.2', 'x-forwarded-for: 10.0.0.3'] },
      ({ headers }) =>
        assert.deepEqual(valuesIn({ headers }, 'x-forwarded-for'), [
          '10.0.0.1, 10.0.0.2, 10.0.0.3, 127.0.0.1',
        ]),
    ));

  it('do not let a client speak for the gateway', () =>
    forward({ headers: ['X-Real-IP: 10.0.0.1', 'X-Forwarded-Proto: https'] }, ({ headers }) => {
      assert.deepEqual(valuesIn({ headers }, 'x-real-ip'), ['127.0.0.1']);
      assert.deepEqual(valuesIn({ headers }, 'x-forwarded-proto'), ['http']);
    }));

  it('all come through, however many there are', async () => {
    const headers = Array.from({ length: 1500 }, (_, index) => `h${index}:`);
    await using backend = await startCannedBackend('HTTP/1.1 204 No Content\r\n\r\n');
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText({ headers }));
      await responsesOf(client).next();
      const { text } = await backend.connection(1);
      assert.equal(text.match(/^h\d+: ?\r$/gm)?.length, 1500);
    });
  });

  it('come through as long as they may be', () => {
    const value = 'v'.repeat(15 * KIB);
    return forward({ headers: [`X-Long: ${value}`] }, ({ headers }) =>
      assert.deepEqual(valuesIn({ headers }, 'x-long'), [value]),
    );
  });
});

describe('X-Request-ID', () => {
  it('is kept when it is sane, and is on the answer once', () =>
    forward({ headers: ['x-request-id: Req:7/a.b+c=@d-e_f'] }, ({ headers, response }) => {
      assert.deepEqual(valuesIn({ headers }, 'x-request-id'), ['Req:7/a.b+c=@d-e_f']);
      assert.deepEqual(valuesIn(response, 'x-request-id'), ['Req:7/a.b+c=@d-e_f']);
    }));

  for (const [what, value] of [
    ['empty', ''],
    ['too long', 'x'.repeat(129)],
    ['a list', 'a, b'],
    ['with spaces', 'a b'],
    ['with quotes', '"a"'],
  ]) {
    it(`is replaced when it is ${what}`, () =>
      forward({ headers: [`X-Request-ID: ${value}`] }, ({ headers, response }) => {
        const [id] = valuesIn({ headers }, 'x-request-id');
        assert.match(id ?? '', /^[\da-f]{32}$/);
        assert.deepEqual(valuesIn(response, 'x-request-id'), [id]);
      }));
  }
});

describe('a request body', () => {
  const large = 'x'.repeat(3 * BUFFER_BYTES);
  const bodies = [
    ['of no bytes', ''],
    ['of one byte', '1'],
    ['of exactly the buffer', 'y'.repeat(BUFFER_BYTES)],
    ['of one byte more than the buffer', 'z'.repeat(BUFFER_BYTES + 1)],
    ['that streams', large],
  ] as const;
  const echoed = { target: '/v1/unknown' };

  for (const [what, body] of bodies) {
    it(`${what} arrives with its length (RFC 9112 §6.2)`, () =>
      forward({ ...echoed, method: 'POST', body }, ({ headers }, { requests: [request] }) => {
        assert.equal(request?.bodyBytes, body.length);
        assert.equal(request?.bodyText, body.slice(0, 16 * KIB));
        assert.deepEqual(valuesIn({ headers }, 'content-length'), [String(body.length)]);
      }));

    it(`${what} arrives when it is chunked (RFC 9112 §7.1)`, () => {
      const content = (body === '' ? '' : chunk(body)) + LAST_CHUNK;
      const headers = ['Transfer-Encoding: chunked'];
      return forward({ ...echoed, headers, method: 'POST', body: content }, (_, { requests: [request] }) => {
        assert.equal(request?.bodyBytes, body.length);
        assert.equal(request?.bodyText, body.slice(0, 16 * KIB));
      });
    });
  }

  for (const method of ['GET', 'DELETE', 'OPTIONS', 'PUT', 'QUERY', 'PROPFIND']) {
    for (const body of ['{}', large]) {
      it(`of ${body.length} bytes arrives with ${method} (RFC 9110 §9.3.1)`, () =>
        forward({ ...echoed, method, body }, (seen, { requests: [request] }) => {
          assert.equal(seen.method, method);
          assert.equal(request?.bodyBytes, body.length);
        }));
    }
  }

  it('arrives without its chunk extensions and trailers (RFC 9112 §7.1.1)', () => {
    const body = `2;ext="v"\r\nhi\r\n0\r\nX-Trailer: t\r\n\r\n`;
    return forward(
      { ...echoed, method: 'POST', headers: ['Transfer-Encoding: Chunked'], body },
      (_, { requests: [request] }) => assert.equal(request?.bodyText, 'hi'),
    );
  });

  it('leaves the connection usable for the next request, streamed or not', async () => {
    await using mock = await startMock();
    await withGateway({ backends: [mock], retry: { bufferBytes: 10 } }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      const responses = responsesOf(client);
      for (const body of ['1', 'x'.repeat(100), '2']) {
        client.send(requestText({ target: '/v1/unknown', body }));
        assert.equal((await responses.next()).status, 404);
      }
      assert.deepEqual(
        mock.requests.map(({ bodyBytes }) => bodyBytes),
        [1, 100, 1],
      );
    });
  });
});

describe('what is not for a backend', () => {
  const cases: [string, RequestParts, number, RegExp][] = [
    ['an unknown path', { target: '/v2/models' }, 404, /"code":"not_found","param":null/],
    ['a path with two leading slashes', { target: '//v1/models' }, 404, /not_found/],
    ['an unknown path with a body', { target: '/nope', body: '{}' }, 404, /invalid_request_error/],
    ['the asterisk form (RFC 9112 §3.2.4)', { method: 'OPTIONS', target: '*' }, 404, /not_found/],
    ['a method other than GET on the gateway itself', { target: '/health', body: '{}' }, 404, /not_found/],
    ['its own health', { target: '/health?x' }, 200, /"status":"ok"/],
    ['its own index', { target: '/' }, 200, /"name":"reprise"/],
    ['its own index in absolute form', { target: 'http://a.test?q' }, 200, /"name":"reprise"/],
  ];
  for (const [what, parts, status, body] of cases) {
    it(`is answered by the gateway: ${what}`, async () => {
      await using mock = await startMock();
      await withGateway({ backends: [mock] }, async (gateway) => {
        using client = await connectRaw(gateway.port);
        client.send(requestText({ ...parts, headers: ['X-Request-ID: own'] }));
        const response = await responsesOf(client).next();
        assert.equal(response.status, status);
        assert.match(response.body, body);
        assert.deepEqual(valuesIn(response, 'content-type'), ['application/json']);
        assert.deepEqual(valuesIn(response, 'x-request-id'), ['own']);
        assert.deepEqual(valuesIn(response, 'x-reprise-backend'), []);
        assert.equal(mock.counters.total, 0);
      });
    });
  }
});
