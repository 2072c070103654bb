/** What a client gets of a backend's answer: the status line, the headers, the body and its framing. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { startMock } from '../../mock/server.ts';
import { connectRaw } from '../support/raw-client.ts';
import { failuresOf, withGateway } from './support/gateway.ts';
import { startCannedBackend, startRawBackend } from './support/raw-backend.ts';
import { chunk, LAST_CHUNK, type RequestParts, requestText } from './support/requests.ts';
import { type RawResponse, responsesOf, valuesIn } from './support/responses.ts';

const latin1 = (text: string) => Buffer.from(text, 'latin1');

/** Sends one request to a gateway before a backend that answers these bytes, and looks at what comes back. */
async function answered(
  bytes: string,
  look: (response: RawResponse, text: string) => void,
  parts: RequestParts & { closes?: boolean } = {},
): Promise<void> {
  await using backend = await startCannedBackend(latin1(bytes), { closes: parts.closes ?? false });
  await withGateway({ backends: [backend] }, async (gateway) => {
    using client = await connectRaw(gateway.port);
    client.send(requestText(parts));
    look(await responsesOf(client).next({ bodiless: parts.method === 'HEAD' }), client.text);
    assert.equal(failuresOf(gateway), 0);
  });
}

/** The headers as the backend sent them: those of the gateway and of this hop left out. */
function asBackendSentThem({ headers }: RawResponse): string[] {
  const notTheirs = /^(x-request-id|x-reprise-backend|date|connection|keep-alive)$/i;
  return headers.filter((_, index) => !notTheirs.test(headers[index - (index % 2)] ?? ''));
}

describe('the status line of an answer', () => {
  for (const line of ['200 OK', '200 Fine by me', '418 ', '299 Odd', '500 Internal Server Error', '599 x']) {
    it(`comes as the backend sent it: ${line} (RFC 9112 §4)`, () =>
      answered(`HTTP/1.1 ${line}\r\nContent-Length: 2\r\n\r\nhi`, ({ statusLine, body }) => {
        assert.equal(statusLine, `HTTP/1.1 ${line}`);
        assert.equal(body, 'hi');
      }));
  }

  it('comes with a reason beyond ASCII (RFC 9112 §4: obs-text)', () =>
    answered('HTTP/1.1 200 \xe2\x9c\x93 gut\r\nContent-Length: 0\r\n\r\n', ({ statusLine }) =>
      assert.equal(statusLine, 'HTTP/1.1 200 \xe2\x9c\x93 gut'),
    ));

  it('comes without characters that may not be sent in a reason', () =>
    answered('HTTP/1.1 200 a\x01b\0c\r\nContent-Length: 2\r\n\r\nhi', ({ statusLine, body }) => {
      assert.equal(statusLine, 'HTTP/1.1 200 a b c');
      assert.equal(body, 'hi');
    }));

  it('says HTTP/1.1 even if the backend speaks HTTP/1.0 (RFC 9110 §6.2)', () =>
    answered('HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi', ({ statusLine }) =>
      assert.equal(statusLine, 'HTTP/1.1 200 OK'),
    ));
});

describe('the headers of an answer', () => {
  const answerWith = (lines: readonly string[]) =>
    `${['HTTP/1.1 200 OK', 'Content-Length: 0', ...lines].join('\r\n')}\r\n\r\n`;

  it('keep their order, case and repeats, cookies included (RFC 6265 §3)', () =>
    answered(
      answerWith(['Set-Cookie: a=1', 'x-B: 2', 'Set-Cookie: c=3', 'X-b: 4', 'X-Empty: ']),
      (response) =>
        assert.deepEqual(asBackendSentThem(response), [
          ...[
            'Content-Length',
            '0',
            'Set-Cookie',
            'a=1',
            'x-B',
            '2',
            'Set-Cookie',
            'c=3',
            'X-b',
            '4',
            'X-Empty',
            '',
          ],
        ]),
    ));

  it('lose what concerns one hop, and what Connection names (RFC 9110 §7.6.1)', () =>
    answered(
      answerWith([
        ...['Connection: x-hop, keep-alive', 'X-Hop: 1', 'Keep-Alive: timeout=9', 'Upgrade: h2c'],
        ...['Proxy-Authenticate: Basic', 'Proxy-Connection: keep-alive', 'X-End: 1'],
      ]),
      (response) => {
        assert.deepEqual(asBackendSentThem(response), ['Content-Length', '0', 'X-End', '1']);
        assert.deepEqual(valuesIn(response, 'keep-alive'), ['timeout=75']);
      },
    ));

  it('have the names of the request and of the backend once, whatever the backend says', () =>
    answered(
      answerWith(['X-Request-ID: theirs', 'X-Reprise-Backend: other', 'x-request-id: theirs too']),
      (response) => {
        assert.deepEqual(valuesIn(response, 'x-request-id'), ['mine']);
        assert.deepEqual(valuesIn(response, 'x-reprise-backend'), ['raw']);
      },
      { headers: ['X-Request-ID: mine'] },
    ));

  it('keep bytes beyond ASCII as they are (RFC 9110 §5.5)', () =>
    answered(answerWith(['X-Name: caf\xe9 \xc3\xa9']), (response) =>
      assert.deepEqual(valuesIn(response, 'x-name'), ['caf\xe9 \xc3\xa9']),
    ));

  for (const name of ['caf\xe9.txt', 'caf\xc3\xa9.txt']) {
    it(`keep a file name beyond ASCII, before and behind the length: ${name} (RFC 6266 §4.3)`, async () => {
      const disposition = `Content-Disposition: attachment; filename="${name}"`;
      for (const lines of [
        ['Content-Length: 2', disposition],
        [disposition, 'Content-Length: 2'],
      ]) {
        await answered(`HTTP/1.1 200 OK\r\n${lines.join('\r\n')}\r\n\r\nhi`, (response) =>
          assert.deepEqual(valuesIn(response, 'content-disposition'), [`attachment; filename="${name}"`]),
        );
      }
    });
  }

  it('come through as long as they may be', () => {
    const value = 'v'.repeat(15 * 1024);
    return answered(answerWith([`X-Long: ${value}`]), (response) =>
      assert.deepEqual(valuesIn(response, 'x-long'), [value]),
    );
  });

  it('keep the Date of the backend (RFC 9110 §6.6.1)', () => {
    const date = 'Tue, 15 Nov 1994 08:12:31 GMT';
    return answered(answerWith([`Date: ${date}`]), (response) =>
      assert.deepEqual(valuesIn(response, 'date'), [date]),
    );
  });
});

describe('an answer without content', () => {
  const head = { method: 'HEAD' };

  it('to HEAD keeps the length of what GET would get (RFC 9110 §9.3.2)', () =>
    answered(
      'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n',
      (response, text) => {
        assert.deepEqual(valuesIn(response, 'content-length'), ['1234']);
        assert.match(text, /\r\n\r\n$/);
      },
      head,
    ));

  it('to HEAD may lack a length, and keeps the connection', async () => {
    await using backend = await startCannedBackend('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      const responses = responsesOf(client);
      for (let turn = 0; turn < 3; turn += 1) {
        client.send(requestText(head));
        assert.equal((await responses.next({ bodiless: true })).status, 200);
      }
    });
  });

  for (const line of ['204 No Content', '304 Not Modified']) {
    it(`${line} has none (RFC 9110 §15)`, () =>
      answered(`HTTP/1.1 ${line}\r\nETag: "x"\r\n\r\n`, (response, text) => {
        assert.deepEqual(asBackendSentThem(response), ['ETag', '"x"']);
        assert.match(text, /\r\n\r\n$/);
      }));
  }

  it('204 has no length either, and its socket is not used again (RFC 9110 §8.6)', async () => {
    await using backend = await startCannedBackend(
      'HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\nLink: <a>\r\n\r\n' +
        'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello',
    );
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      const responses = responsesOf(client);
      for (const number of [1, 2]) {
        client.send(requestText());
        const response = await responses.next();
        assert.deepEqual(asBackendSentThem(response), ['X-A', 'b']);
        assert.equal(backend.connections.length, number);
      }
      assert.doesNotMatch(client.text, /Content-Length/);
      assert.match(client.text, /103 Early Hints\r\nLink: <a>\r\n/);
      assert.equal(failuresOf(gateway), 0);
    });
  });

  it('304 keeps its length, and the next answer is in its place (RFC 9110 §15.4.5)', async () => {
    await using mock = await startMock();
    await withGateway({ backends: [mock] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      const responses = responsesOf(client);
      mock.set({ extraHeaders: [['Content-Length', '10']], nextFaults: ['status=304'] });
      client.send(requestText());
      assert.deepEqual(valuesIn(await responses.next(), 'content-length'), ['10']);
      mock.set({ extraHeaders: [] });
      client.send(requestText());
      assert.equal((await responses.next()).status, 200);
    });
  });

  it('with a Trailer header it can have no trailers for is passed on without', async () => {
    for (const [line, parts] of [
      ['204 No Content', {}],
      ['200 OK', head],
    ] as const) {
      await answered(
        `HTTP/1.1 ${line}\r\nTrailer: X-End\r\n\r\n`,
        (response) => assert.deepEqual(valuesIn(response, 'trailer'), []),
        parts,
      );
    }
  });
});

describe('the framing of an answer', () => {
  it('keeps its length (RFC 9112 §6.2)', () =>
    answered('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', ({ framing, body }) =>
      assert.deepEqual({ framing, body }, { framing: 'length', body: 'hello' }),
    ));

  it('has no length of its own when it comes in chunks (RFC 9112 §7.1)', () =>
    answered(
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('hel')}${chunk('lo')}${LAST_CHUNK}`,
      ({ framing, body }) => assert.deepEqual({ framing, body }, { framing: 'chunked', body: 'hello' }),
    ));

  it('is chunked towards the client when the backend ends it by closing (RFC 9112 §6.3)', async () => {
    for (const version of ['1.0', '1.1']) {
      await answered(
        `HTTP/${version} 200 OK\r\n\r\nhello`,
        ({ framing, body }) => assert.deepEqual({ framing, body }, { framing: 'chunked', body: 'hello' }),
        { closes: true },
      );
    }
  });

  it('carries trailers, less those that frame a message (RFC 9110 §6.5)', () =>
    answered(
      'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n' +
        '2\r\nhi\r\n0\r\nX-Sum: 1\r\nHost: other\r\nConnection: close\r\nx-sum: 2\r\n\r\n',
      (response) => {
        assert.deepEqual(valuesIn(response, 'trailer'), ['X-Sum']);
        assert.deepEqual(response.trailers, ['X-Sum', '1', 'x-sum', '2']);
      },
    ));

  it('is refused when length and chunks are both there (RFC 9112 §6.3)', async () => {
    await using backend = await startCannedBackend(
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n',
    );
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText());
      const response = await responsesOf(client).next();
      assert.equal(response.status, 502);
      assert.match(response.body, /"code":"backend_failed"/);
    });
  });

  it('is not disturbed by what a backend sends behind it, which no later request gets', async () => {
    await using backend = await startRawBackend((peer, number) => {
      const behind = number === 1 ? 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison' : '';
      peer.send(`HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright${behind}`);
    });
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      const responses = responsesOf(client);
      for (let turn = 0; turn < 2; turn += 1) {
        client.send(requestText());
        assert.equal((await responses.next()).body, 'right');
      }
      assert.equal(backend.connections.length, 2);
    });
  });
});

describe('answers before the final one (RFC 9110 §15.2)', () => {
  const hints =
    'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n' +
    'HTTP/1.1 102 Processing\r\n\r\n';
  const passed = 'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n';
  const final = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-End: 1\r\n\r\nhi';

  it('are passed on, less what concerns one hop, and disturb nothing', () =>
    answered(hints + final, (response, text) => {
      assert.deepEqual(asBackendSentThem(response), ['Content-Length', '2', 'X-End', '1']);
      assert.equal(response.body, 'hi');
      assert.ok(text.startsWith(`${passed}HTTP/1.1 200 OK\r\n`), text);
    }));

  it('are passed on when they come, and not with the final one', async () => {
    await using backend = await startRawBackend((peer) => peer.send(hints));
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText());
      await client.until(/102 Processing\r\n\r\n$/);
      (await backend.connection(1)).send(final);
      assert.equal((await responsesOf(client).next()).body, 'hi');
    });
  });

  it('are kept from a client of HTTP/1.0', () =>
    answered(hints + final, (_, text) => assert.match(text, /^HTTP\/1\.1 200 OK\r\n/), { version: '1.0' }));

  it('come in their turn on a pipelined connection', async () => {
    await using backend = await startRawBackend();
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText() + requestText());
      const [first, second] = [await backend.connection(1), await backend.connection(2)];
      second.send(hints + final);
      await gateway.fact('response.ended');
      first.send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst');
      const text = await client.until(/hi$/);
      assert.match(text, /first(?=HTTP\/1\.1 103)/);
      assert.ok(text.includes(`first${passed}HTTP/1.1 200 OK\r\n`), text);
    });
  });

  it('without end do not pile up for a client that does not read', async () => {
    // Long ones, since it is their number that takes time; in all they are more than two kernels hold for a connection.
    const hint = `HTTP/1.1 103 Early Hints\r\nLink: </${'a'.repeat(2000)}>; rel=preload\r\n\r\n`;
    const many = hint.repeat(100);
    const turns = 100;
    await using backend = await startRawBackend(({ socket, send }) => {
      for (let turn = 0; turn < turns; turn += 1) send(many);
      socket.write(final);
    });
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.socket.pause();
      client.send(requestText());
      // Its head and its end are one, since they come in one piece.
      await gateway.fact('response.ended');
      client.socket.resume();
      // Not by what has been received, which is long to search again with every piece.
      for (let end = ''; end !== 'hi'; ) {
        const [piece]: Buffer[] = await once(client.socket, 'data');
        end = `${end}${piece?.toString('latin1')}`.slice(-2);
      }
      assert.ok(client.socket.bytesRead < many.length * turns, 'all of them were kept');
    });
  });
});

describe('an answer that comes before the request has been sent in full', () => {
  it('is passed on, and the connection serves the next request (RFC 9112 §9.3)', async () => {
    await using mock = await startMock({ script: { nextFaults: ['early-status=401'] } });
    await withGateway({ backends: [mock], retry: { bufferBytes: 1000 } }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      const responses = responsesOf(client);
      const body = 'x'.repeat(200_000);
      const text = requestText({ target: '/v1/unknown', body });
      client.send(text.slice(0, 100_000));
      assert.equal((await responses.next()).status, 401);
      client.send(text.slice(100_000) + requestText());
      assert.equal((await responses.next()).status, 200);
      assert.equal(failuresOf(gateway), 0);
    });
  });

  it('leaves no timer behind for the rest of it, once the client has gone', async () => {
    await using mock = await startMock({ script: { nextFaults: ['early-status=401'] } });
    await withGateway({ backends: [mock], retry: { bufferBytes: 1000 } }, async (gateway) => {
      await gateway.fact('probe.succeeded');
      const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
      const before = timers();
      using client = await connectRaw(gateway.port);
      client.send(requestText({ target: '/v1/unknown', body: 'x'.repeat(200_000) }).slice(0, 100_000));
      assert.equal((await responsesOf(client).next()).status, 401);
      client.socket.destroy();
      // Sooner than the timers would end by themselves.
      for (const begun = performance.now(); performance.now() < begun + 1000 && timers() > before; )
        await setImmediate();
      assert.equal(timers(), before);
    });
  });
});
