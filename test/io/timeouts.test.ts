/** Each wait has its own limit, its own code, and ends when it says. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { startMock } from '../../mock/server.ts';
import type { TestBackend, TestConfig, TestGateway } from '../support/gateway.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { silentPort } from './support/addresses.ts';
import { factTypes, failuresOf, withGateway } from './support/gateway.ts';
import { startRawBackend } from './support/raw-backend.ts';
import { chatText, chunk, requestText } from './support/requests.ts';
import { responsesOf } from './support/responses.ts';

const LIMIT_MS = 150;
/** How late it may be on a machine that is busy with other tests; no other limit is as short as the one that is tried. */
const LATE_MS = 2000;
/** For what must not reach its limit: a quarter of it is waited each time, and the rest is for a busy machine. */
const LONG_LIMIT_MS = 2000;
const SSE_HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';

type Wait = { client: RawClient; gateway: TestGateway };

/** Requires that `wait` takes the limit and hardly more. */
async function takesTheLimit(wait: () => Promise<unknown>, limitMs = LIMIT_MS): Promise<void> {
  const begun = performance.now();
  await wait();
  const tookMs = performance.now() - begun;
  assert.ok(tookMs > limitMs - 2 && tookMs < limitMs + LATE_MS, `it took ${tookMs} ms`);
}

async function waiting(
  backend: TestBackend,
  config: TestConfig,
  use: (wait: Wait) => Promise<void>,
): Promise<void> {
  await withGateway({ backends: [backend], ...config }, async (gateway) => {
    using client = await connectRaw(gateway.port);
    await use({ client, gateway });
  });
}

function codeOf(body: string): string {
  return JSON.parse(body).error.code;
}

describe('a backend', () => {
  it('that takes no connection ends the wait after upstream.connectTimeoutMs', async () => {
    await using silent = await silentPort();
    await waiting(silent, { upstream: { connectTimeoutMs: LIMIT_MS } }, async ({ client }) => {
      await takesTheLimit(async () => {
        client.send(chatText());
        const { status, body } = await responsesOf(client).next();
        assert.deepEqual([status, codeOf(body)], [504, 'backend_connect_timeout']);
      });
    });
  });

  it('that does not begin its answer ends the wait after upstream.headersTimeoutMs', async () => {
    await using backend = await startRawBackend();
    await waiting(backend, { upstream: { headersTimeoutMs: LIMIT_MS } }, async ({ client }) => {
      await takesTheLimit(async () => {
        client.send(chatText());
        const { status, body } = await responsesOf(client).next();
        assert.deepEqual([status, codeOf(body)], [504, 'backend_headers_timeout']);
      });
      await (await backend.connection(1)).closed();
    });
  });

  it('that falls silent in a stream ends it after upstream.idleTimeoutMs, with an error event', async () => {
    await using backend = await startRawBackend();
    await waiting(backend, { upstream: { idleTimeoutMs: LIMIT_MS } }, async ({ client }) => {
      client.send(chatText());
      const peer = await backend.connection(1);
      await takesTheLimit(async () => {
        peer.send(SSE_HEAD + chunk('data: 1\n\n'));
        const { body } = await responsesOf(client).next();
        assert.match(body, /^data: 1\n\n\n\ndata: \{.*"code":"backend_idle_timeout".*\}\n\n$/);
      });
      await peer.closed();
    });
  });

  it('that falls silent in an answer whose end only closing tells is cut off, and the gateway lives on', async () => {
    await using backend = await startRawBackend((peer) => peer.send('HTTP/1.1 200 OK\r\n\r\nhalf'));
    await waiting(backend, { upstream: { idleTimeoutMs: LIMIT_MS } }, async ({ client, gateway }) => {
      client.send(chatText());
      const { text } = await client.closed();
      assert.match(text, /half\r\n$/, 'the end of the answer was told');
      await (await backend.connection(1)).closed();
      const failed = await gateway.fact('response.failed');
      assert.equal(failed.fact.type === 'response.failed' && failed.fact.reason, 'idleTimeout');
    });
  });

  it('may take longer in all than either limit, as long as it goes on', async () => {
    await using backend = await startRawBackend((peer) => peer.send(SSE_HEAD));
    const upstream = { idleTimeoutMs: LONG_LIMIT_MS, headersTimeoutMs: LONG_LIMIT_MS };
    await waiting(backend, { upstream }, async ({ client }) => {
      client.send(chatText());
      const peer = await backend.connection(1);
      for (let turn = 0; turn < 6; turn += 1) {
        await setTimeout(LONG_LIMIT_MS / 4);
        peer.send(chunk(`data: ${turn}\n\n`));
        await client.until((text) => text.includes(`data: ${turn}`));
      }
      peer.send('0\r\n\r\n');
      assert.match((await responsesOf(client).next()).body, /data: 5\n\n$/);
    });
  });

  it('is given its full time for each request on a kept connection', async () => {
    await using mock = await startMock();
    const upstream = { headersTimeoutMs: LONG_LIMIT_MS, idleTimeoutMs: 2 * LONG_LIMIT_MS };
    await waiting(mock, { upstream }, async ({ client }) => {
      const responses = responsesOf(client);
      client.send(requestText());
      assert.equal((await responses.next()).status, 200);
      await setTimeout(LONG_LIMIT_MS * 0.5);
      mock.set({ fault: 'hang' });
      await takesTheLimit(async () => {
        client.send(chatText());
        assert.equal(codeOf((await responses.next()).body), 'backend_headers_timeout');
      }, LONG_LIMIT_MS);
      assert.equal(mock.requests.at(-1)?.onReusedSocket, true);
    });
  });

  it('is not blamed while the client has not sent all of its body', async () => {
    await using backend = await startRawBackend();
    const config = { upstream: { headersTimeoutMs: LONG_LIMIT_MS }, retry: { bufferBytes: 10 } };
    await waiting(backend, config, async ({ client, gateway }) => {
      const text = requestText({ target: '/v1/x', body: 'x'.repeat(1000) });
      client.send(text.slice(0, -500));
      const peer = await backend.connection(1);
      await setTimeout(1.2 * LONG_LIMIT_MS);
      client.send(text.slice(-500));
      await peer.until(/x{1000}$/);
      peer.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      assert.equal((await responsesOf(client).next()).status, 200);
      assert.equal(failuresOf(gateway), 0);
    });
  });

  it('that takes nothing of a body any more has used up upstream.headersTimeoutMs', async () => {
    await using backend = await startRawBackend(({ socket }) => socket.pause());
    const config = {
      ...{ upstream: { headersTimeoutMs: LIMIT_MS }, retry: { bufferBytes: 10 } },
      server: { maxBodyBytes: 100_000_000 },
    };
    await waiting(backend, config, async ({ client, gateway }) => {
      const length = 50_000_000;
      client.send(requestText({ target: '/v1/x', method: 'PUT', headers: [`Content-Length: ${length}`] }));
      client.socket.write(Buffer.alloc(length));
      const { body } = await responsesOf(client).next();
      assert.equal(codeOf(body), 'backend_headers_timeout');
      assert.equal(failuresOf(gateway), 1);
    });
  });
});

describe('a backend that is held back by a slow client', () => {
  it('is not timed, and is again once the client reads on', async () => {
    const piece = Buffer.alloc(256 * 1024, 'x');
    await using backend = await startRawBackend(({ socket, send }) => {
      send('HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n');
      // Until nothing more is taken; then it is silent.
      while (socket.write(piece) || socket.writableLength < 30_000_000);
    });
    await waiting(backend, { upstream: { idleTimeoutMs: LONG_LIMIT_MS } }, async ({ client, gateway }) => {
      client.socket.removeAllListeners('data');
      client.socket.pause();
      client.send(requestText());
      await gateway.fact('response.started');
      await setTimeout(1.5 * LONG_LIMIT_MS);
      assert.equal(factTypes(gateway).includes('response.failed'), false);
      client.socket.resume();
      await gateway.fact('response.failed');
    });
  });
});

describe('a client', () => {
  it('that does not finish the head of its request is answered 408 after server.headersTimeoutMs', async () => {
    await using mock = await startMock();
    await waiting(mock, { server: { headersTimeoutMs: LIMIT_MS } }, async ({ gateway }) => {
      await takesTheLimit(async () => {
        using client = await connectRaw(gateway.port);
        client.send('GET /v1/models HTTP/1.1\r\nHost: a\r\n');
        const { status, body } = await responsesOf(client).next();
        assert.deepEqual([status, codeOf(body)], [408, 'request_timeout']);
      });
    });
  });

  for (const [what, bufferBytes] of [
    ['held', 1000],
    ['streamed', 10],
  ] as const) {
    it(`that stops within a body that is ${what} is answered 408 after server.bodyIdleTimeoutMs`, async () => {
      await using backend = await startRawBackend();
      const server = { bodyIdleTimeoutMs: LIMIT_MS };
      await waiting(backend, { server, retry: { bufferBytes } }, async ({ client, gateway }) => {
        await takesTheLimit(async () => {
          client.send(requestText({ target: '/v1/x', body: 'x'.repeat(100) }).slice(0, -50));
          const { status, body } = await responsesOf(client).next();
          assert.deepEqual([status, codeOf(body)], [408, 'body_timeout']);
        });
        assert.equal((await client.closed()).wasReset, false);
        assert.equal(failuresOf(gateway), 0);
        const cut = gateway.entries.find(({ fact }) => fact.type === 'client.aborted')?.fact;
        const known = { type: 'client.aborted', request: 1, because: 'bodyTimeout' };
        assert.deepEqual(cut, what === 'held' ? undefined : known, 'a held body is not known to the core');
      });
    });
  }

  it('may take longer for its body in all, as long as it goes on', async () => {
    await using mock = await startMock();
    await waiting(mock, { server: { bodyIdleTimeoutMs: LONG_LIMIT_MS } }, async ({ client }) => {
      const body = JSON.stringify({ messages: [] });
      const text = requestText({ target: '/v1/chat/completions', body });
      client.send(text.slice(0, -6));
      for (const piece of text.slice(-6)) {
        await setTimeout(LONG_LIMIT_MS / 4);
        client.send(piece);
      }
      assert.equal((await responsesOf(client).next()).status, 200);
    });
  });

  it('that reads nothing of its answer is cut off after server.idleReaderTimeoutMs', async () => {
    await using backend = await startPourer();
    await waiting(backend, { server: { idleReaderTimeoutMs: LIMIT_MS } }, async ({ client, gateway }) => {
      client.socket.pause();
      client.send(requestText());
      await gateway.fact('response.started');
      const { fact } = await gateway.fact('client.aborted');
      assert.deepEqual(fact, { type: 'client.aborted', request: 1, because: 'idleReader' });
      await (await backend.connection(1)).closed();
      assert.equal(failuresOf(gateway), 0);
    });
  });

  it('that reads nothing of the end of its answer is cut off as well', async () => {
    // More than the kernel holds for it.
    const bytes = 40_000_000;
    await using backend = await startRawBackend((peer) => {
      peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n${'x'.repeat(bytes)}`);
    });
    const roomy = { idleReaderTimeoutMs: LIMIT_MS, sendBufferBytes: 2 * bytes };
    await waiting(backend, { server: roomy }, async ({ client, gateway }) => {
      client.socket.pause();
      client.send(requestText());
      await gateway.fact('response.ended');
      await setTimeout(LIMIT_MS + LATE_MS);
      client.socket.resume();
      const { text } = await client.closed();
      assert.ok(text.length < bytes, 'all of it came');
    });
  });

  it('that reads slowly, but reads, is left alone', async () => {
    await using backend = await startPourer();
    const config = { server: { idleReaderTimeoutMs: LONG_LIMIT_MS } };
    await waiting(backend, config, async ({ client, gateway }) => {
      const { socket } = client;
      client.send(requestText());
      for (let turn = 0; turn < 6; turn += 1) {
        socket.resume();
        const before = socket.bytesRead;
        while (socket.bytesRead < before + 8_000_000) await once(socket, 'data');
        socket.pause();
        await setTimeout(LONG_LIMIT_MS / 4);
      }
      assert.equal(factTypes(gateway).includes('client.aborted'), false);
      socket.destroy();
      await gateway.fact('client.aborted');
    });
  });
});

/** A backend that sends without end, as fast as it is taken. */
function startPourer() {
  const piece = Buffer.alloc(256 * 1024, 'x');
  return startRawBackend(({ socket, send }) => {
    send('HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n');
    const pour = () => {
      while (!socket.destroyed && socket.write(piece));
    };
    socket.on('drain', pour);
    pour();
  });
}
