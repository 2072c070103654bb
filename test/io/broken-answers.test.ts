/**
 * Answers that their backend breaks off: what the client has got must not look complete. Each framing has its own
 * way to say so; where it has none, the connection is reset.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startMock } from '../../mock/server.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { factTypes, failuresOf, withGateway } from './support/gateway.ts';
import { startCannedBackend, startRawBackend } from './support/raw-backend.ts';
import { chatText, chunk, LAST_CHUNK, type RequestParts, requestText } from './support/requests.ts';
import { responsesOf, valuesIn } from './support/responses.ts';

type Break = 'FIN' | 'RST';

function breakOff({ socket }: RawClient, how: Break): void {
  if (how === 'FIN') socket.end();
  else socket.resetAndDestroy();
}

/**
 * Has a backend send the beginning of an answer, lets the client see that, and breaks the answer off.
 *
 * @returns what the client has received when its connection is closed
 */
async function brokenOff(
  begun: string,
  how: Break,
  parts: RequestParts = {},
): Promise<{ text: string; wasReset: boolean }> {
  await using backend = await startRawBackend((peer) => peer.send(begun));
  await using spare = await startMock();
  const backends = [{ port: backend.port, name: 'bad', weight: 1000 }, spare];
  let result = { text: '', wasReset: false };
  await withGateway({ backends }, async (gateway) => {
    using client = await connectRaw(gateway.port);
    client.send(requestText(parts));
    const lastPiece = begun.trimEnd().slice(-3);
    await client.until((text) => text.includes(lastPiece));
    breakOff(await backend.connection(1), how);
    result = await client.closed();
    const ofResponses = factTypes(gateway).filter((type) => type.startsWith('response.'));
    assert.deepEqual(ofResponses, ['response.started', 'response.failed']);
    assert.equal(failuresOf(gateway), 1);
    assert.equal(spare.counters.total, 0, 'no second backend is asked');
  });
  return result;
}

const BREAKS: readonly Break[] = ['FIN', 'RST'];

describe('an answer broken off by its backend', () => {
  for (const how of BREAKS) {
    it(`with ${how} within its length is cut (RFC 9112 §6.3)`, async () => {
      const { text } = await brokenOff('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello abc', how);
      assert.match(text, /\r\nContent-Length: 100\r\n/);
      assert.match(text, /\r\n\r\nhello abc$/);
    });

    it(`with ${how} between chunks lacks the last chunk (RFC 9112 §8)`, async () => {
      const head =
        'HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n';
      const { text } = await brokenOff(`${head}5\r\n{"a"}`, how);
      assert.match(text, /\r\n\r\n5\r\n\{"a"\}\r\n$/);
    });

    it(`with ${how} is reset for a client of HTTP/1.0, which knows no chunks`, async () => {
      const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
      const { text, wasReset } = await brokenOff(`${head}${chunk('hello xyz')}`, how, { version: '1.0' });
      assert.match(text, /\r\n\r\nhello xyz$/);
      assert.equal(wasReset, true, 'a FIN would say that this was all');
    });
  }

  it('with RST before the end that only closing could tell is not passed on as complete (RFC 9112 §8)', async () => {
    const { text } = await brokenOff('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhello abc', 'RST');
    assert.match(text, /\r\n9\r\nhello abc\r\n$/);
  });

  it('with RST before such an end is reset for a client of HTTP/1.0', async () => {
    const begun = 'HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello abc';
    const { wasReset } = await brokenOff(begun, 'RST', { version: '1.0' });
    assert.equal(wasReset, true);
  });

  it('by a bad chunk size is cut', async () => {
    await using backend = await startRawBackend((peer) => {
      peer.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('hello')}zz\r\nbad\r\n`);
    });
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText());
      const { text } = await client.closed();
      assert.match(text, /5\r\nhello\r\n$/);
      assert.equal(failuresOf(gateway), 1);
    });
  });

  it('by silence is cut once it has lasted too long', async () => {
    await using mock = await startMock({ script: { fault: 'hang-after=2' } });
    await withGateway({ backends: [mock], upstream: { idleTimeoutMs: 100 } }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText({ target: '/v1/chat/completions', body: '{}' }));
      const { text } = await client.closed();
      assert.match(text, /^HTTP\/1\.1 200 /);
      await mock.aborted(1);
      assert.equal(failuresOf(gateway), 1);
    });
  });

  it('is cut in its turn on a pipelined connection, and the answers before it are whole', async () => {
    await using slow = await startRawBackend(() => {}, 'slow');
    await withGateway({ backends: [slow], pool: { size: 2 } }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText() + requestText());
      const [first, second] = [await slow.connection(1), await slow.connection(2)];
      second.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('second')}`);
      await gateway.fact('response.started');
      second.socket.resetAndDestroy();
      await gateway.fact('response.failed');
      first.send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst');
      const responses = responsesOf(client);
      assert.equal((await responses.next()).body, 'first');
      const { text } = await responses.rest();
      assert.match(text, /6\r\nsecond\r\n$/);
    });
  });
});

describe('an event stream broken off by its backend', () => {
  const SSE =
    'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n';

  for (const fault of ['reset-after=3', 'cut-after=3'] as const) {
    it(`ends with an error event and without [DONE], and its connection goes on (${fault})`, async () => {
      await using mock = await startMock({ name: 'm', script: { nextFaults: [fault] } });
      await withGateway({ backends: [mock] }, async (gateway) => {
        using client = await connectRaw(gateway.port);
        const responses = responsesOf(client);
        client.send(chatText());
        const { body, framing } = await responses.next();
        assert.equal(framing, 'chunked');
        assert.doesNotMatch(body, /\[DONE\]/);
        const events = body.split('\n\n').filter((event) => event !== '');
        const { error } = JSON.parse(events.at(-1)?.replace(/^data: /, '') ?? '');
        assert.equal(error.code, 'backend_broke_off');
        assert.equal(error.type, 'server_error');
        assert.match(error.message, /^Backend m broke off/);
        assert.equal(failuresOf(gateway), 1);
        client.send(chatText());
        assert.match((await responses.next()).body, /\[DONE\]/);
      });
    });
  }

  it('within an event has that one ended, so that the error stands alone', async () => {
    await using backend = await startRawBackend((peer) => {
      peer.send(`${SSE.replace('text/event-stream', 'Text/Event-Stream')}\r\n${chunk('data: {"half')}`);
    });
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(chatText());
      await client.until(/half/);
      breakOff(await backend.connection(1), 'RST');
      const { body } = await responsesOf(client).next();
      assert.match(body, /^data: \{"half\n\ndata: \{"error":\{.*\}\}\n\n$/);
    });
  });

  it('that is compressed is cut, as nothing can be appended to it', async () => {
    const { text } = await brokenOff(`${SSE}Content-Encoding: gzip\r\n\r\n${chunk('zipped123')}`, 'RST');
    assert.match(text, /\r\nzipped123\r\n$/);
  });

  it('that has a length is cut, as nothing fits behind it', async () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 99\r\n\r\n';
    const { text } = await brokenOff(`${head}data: 1\n\n`, 'FIN');
    assert.match(text, /\r\n\r\ndata: 1\n\n$/);
  });
});

describe('an answer in a transfer coding', () => {
  for (const coding of [
    'gzip, chunked',
    'chunked,',
    'identity',
    '\u00a0chunked',
    'chunked, chunked',
    'chunked\r\nTransfer-Encoding: x',
  ]) {
    it(`that was not asked for (${JSON.stringify(coding)}) is refused, and its socket is not used again (RFC 9112 §6.1)`, async () => {
      await using backend = await startRawBackend((peer) =>
        peer.send(
          Buffer.from(
            `HTTP/1.1 200 OK\r\nTransfer-Encoding: ${coding}\r\n\r\n${chunk('coded')}${LAST_CHUNK}`,
            'latin1',
          ),
        ),
      );
      await withGateway({ backends: [backend] }, async (gateway) => {
        using client = await connectRaw(gateway.port);
        client.send(requestText());
        const { status, body } = await responsesOf(client).next();
        assert.equal(status, 502);
        assert.match(body, /backend_failed/);
        await (await backend.connection(1)).closed();
        assert.equal(failuresOf(gateway), 1);
      });
    });
  }
});

describe('an answer with trailers that speak of the connection', () => {
  for (const trailer of ['Connection: close', 'Transfer-Encoding: chunked', 'Keep-Alive: timeout=1']) {
    it(`(${trailer}) is whole, and they count for nothing (RFC 9110 §6.5.1)`, async () => {
      const answer = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('all')}0\r\n${trailer}\r\n\r\n`;
      await using backend = await startCannedBackend(answer);
      await withGateway({ backends: [backend] }, async (gateway) => {
        using client = await connectRaw(gateway.port);
        const responses = responsesOf(client);
        for (let round = 1; round <= 2; round += 1) {
          client.send(requestText());
          const { body, trailers } = await responses.next();
          assert.deepEqual([body, trailers], ['all', []]);
        }
        assert.equal(backend.connections.length, 1);
        assert.equal(failuresOf(gateway), 0);
      });
    });
  }
});

describe('an answer in chunks from a backend of HTTP/1.0', () => {
  it('is read as such, and its socket is not used again (RFC 9112 §6.1)', async () => {
    const answer = `HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('all')}${LAST_CHUNK}`;
    await using backend = await startRawBackend((peer) => peer.send(answer));
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText());
      assert.equal((await responsesOf(client).next()).body, 'all');
      await (await backend.connection(1)).closed();
      assert.equal(failuresOf(gateway), 0);
    });
  });
});

describe('an answer that is not as long as it says', () => {
  const answers = (bytes: string) => startRawBackend((peer) => void peer.socket.end(bytes));

  it('but shorter is cut, and its socket is not used again', async () => {
    await using backend = await answers('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort');
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText());
      assert.match((await client.closed()).text, /Content-Length: 9\r\n[\s\S]*\r\n\r\nshort$/);
      assert.equal(failuresOf(gateway), 1);
      assert.equal(gateway.gateway.balancer.backends()[0]?.pool.total, 0);
    });
  });

  it('but longer ends where it says, and its socket is not used again', async () => {
    await using backend = await startRawBackend((peer) =>
      peer.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlong and more'),
    );
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText());
      const response = await responsesOf(client).next();
      assert.equal(response.body, 'long');
      assert.deepEqual(valuesIn(response, 'content-length'), ['4']);
      await (await backend.connection(1)).closed();
      assert.equal(gateway.gateway.balancer.backends()[0]?.pool.total, 0);
    });
  });

  it('but in chunks with something behind the last is whole, and its socket is not used again', async () => {
    await using backend = await startRawBackend((peer) =>
      peer.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('all')}${LAST_CHUNK}junk`),
    );
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText());
      assert.equal((await responsesOf(client).next()).body, 'all');
      await (await backend.connection(1)).closed();
      assert.equal(gateway.gateway.balancer.backends()[0]?.pool.total, 0);
    });
  });
});
