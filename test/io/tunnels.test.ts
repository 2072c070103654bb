/** WebSockets: a request that takes a lease like any other, and becomes a tunnel if its backend agrees. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { startMock } from '../../mock/server.ts';
import type { Fact } from '../../src/actors/events.ts';
import type { TestConfig, TestGateway } from '../support/gateway.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { startStopwatch } from '../support/stopwatch.ts';
import { echoWebSocket } from '../support/websocket-server.ts';
import { factTypes, failuresOf, withGateway } from './support/gateway.ts';
import { type RawBackend, startRawBackend } from './support/raw-backend.ts';
import { chatText, requestText } from './support/requests.ts';
import { responsesOf, valuesIn } from './support/responses.ts';
import { assertRefused } from './support/talking.ts';

const CANCEL_MAX_MS = 50;
const ASKING = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];
const ASKED = requestText({ target: '/v1/realtime?model=m', headers: ASKING });
const AGREED =
  'HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nconnection: upgrade\r\nX-Of: backend\r\n\r\n';

type Scene = { gateway: TestGateway; backend: RawBackend; client: RawClient; peer: RawClient };

/** Brings a tunnel about, through which nothing has gone yet. */
async function tunnelling(use: (scene: Scene) => Promise<void>, config: TestConfig = {}): Promise<void> {
  await using backend = await startRawBackend((peer) => peer.send(AGREED));
  await withGateway({ backends: [backend], ...config }, async (gateway) => {
    using client = await connectRaw(gateway.port);
    client.send(ASKED);
    await client.until(/\r\n\r\n$/);
    await use({ gateway, backend, client, peer: await backend.connection(1) });
  });
}

function onlyFact<Type extends Fact['type']>(
  { entries }: TestGateway,
  type: Type,
): Extract<Fact, { type: Type }> {
  const found = entries
    .map(({ fact }) => fact)
    .filter((fact): fact is Extract<Fact, { type: Type }> => fact.type === type);
  assert.equal(found.length, 1, `${type} comes once`);
  return found[0] ?? assert.fail();
}

describe('a WebSocket', () => {
  it('works for a client as it would without the gateway (RFC 6455)', async () => {
    await using backend = await startRawBackend(echoWebSocket);
    await withGateway({ backends: [backend] }, async (gateway) => {
      const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/v1/realtime`);
      await once(socket, 'open');
      for (const message of ['hello', 'x'.repeat(1000), 'y'.repeat(100_000)]) {
        socket.send(message);
        const [{ data }] = await once(socket, 'message');
        assert.equal(data, message);
      }
      socket.close(1000);
      const [{ wasClean, code }] = await once(socket, 'close');
      assert.deepEqual([wasClean, code], [true, 1000]);
      const { status, reusable, bytes } = await gateway
        .fact('response.ended')
        .then(() => onlyFact(gateway, 'response.ended'));
      assert.deepEqual([status, reusable], [101, false]);
      assert.equal(bytes, 7 + 1004 + 100_010 + 4, 'each frame of the backend is counted');
      assert.equal(failuresOf(gateway), 0);
    });
  });

  it('is asked for and granted in words that reach the other side', () =>
    tunnelling(async ({ client, peer, gateway }) => {
      assert.match(peer.text, /^GET \/v1\/realtime\?model=m HTTP\/1\.1\r\n/);
      assert.match(peer.text, /\r\nconnection: upgrade\r\nupgrade: websocket\r\n/i);
      assert.match(peer.text, /\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n/);
      assert.match(peer.text, /\r\nX-Forwarded-For: 127\.0\.0\.1\r\n/);
      assert.match(client.text, /^HTTP\/1\.1 101 Switching Protocols\r\nX-Of: backend\r\nX-Request-ID: /);
      assert.match(client.text, /\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n/);
      assert.deepEqual(
        factTypes(gateway).filter((type) => !type.startsWith('socket')),
        ['request.received', 'response.started'],
      );
      assert.equal(onlyFact(gateway, 'response.started').status, 101);
      assert.equal(gateway.gateway.balancer.backends()[0]?.requests.inFlight, 1);
      client.socket.destroy();
    }));

  it('has bytes that come early from either side passed on, in order', async () => {
    await using backend = await startRawBackend((peer) => peer.send(`${AGREED}early bird`));
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(`${ASKED}first,`);
      client.send('second,');
      await client.until(/early bird$/);
      const peer = await backend.connection(1);
      client.send('third');
      await peer.until(/\r\n\r\nfirst,second,third$/);
      client.socket.destroy();
    });
  });

  it('is held back on both sides while the other is slow, and loses nothing', () =>
    tunnelling(async ({ client, peer }) => {
      const total = 40_000_000;
      for (const [from, to] of [
        [client, peer],
        [peer, client],
      ] as const) {
        to.socket.removeAllListeners('data');
        to.socket.pause();
        const piece = Buffer.alloc(100_000, 'x');
        let sent = 0;
        let received = 0;
        const pour = () => {
          while (sent < total && from.socket.write(piece)) sent += piece.length;
        };
        from.socket.on('drain', pour);
        pour();
        for (let quiet = 0, before = -1; quiet < 200; quiet = sent === before ? quiet + 1 : 0) {
          before = sent;
          await setImmediate();
        }
        assert.ok(sent < total, 'all was taken though nobody read');
        to.socket.on('data', (bytes: Buffer) => {
          received += bytes.length;
        });
        to.socket.resume();
        while (received < total) await once(to.socket, 'data');
        from.socket.removeAllListeners('drain');
      }
      client.socket.destroy();
    }));
});

/** Long enough that what is to be done within it is, on a busy machine too. */
const IN_TIME_MS = 2_000;

describe('the end of a tunnel', () => {
  it('that the client closes reaches the backend at once', () =>
    tunnelling(async ({ gateway, client, peer }) => {
      const elapsedMs = startStopwatch();
      client.socket.destroy();
      await peer.closed();
      const tookMs = elapsedMs();
      assert.ok(tookMs < CANCEL_MAX_MS, `it took ${tookMs} ms`);
      await gateway.fact('response.ended');
      assert.equal(failuresOf(gateway), 0);
    }));

  it('that the client resets is its leaving', () =>
    tunnelling(async ({ gateway, client, peer }) => {
      client.socket.resetAndDestroy();
      await gateway.fact('client.aborted');
      await peer.closed();
      assert.equal(failuresOf(gateway), 0);
    }));

  it('that the backend closes reaches the client, after all that was sent', () =>
    tunnelling(async ({ gateway, client, peer }) => {
      peer.socket.end('last words');
      const { text, wasReset } = await client.closed();
      assert.match(text, /last words$/);
      assert.equal(wasReset, false);
      await gateway.fact('response.ended');
      const { bytes, chunks, reusable } = onlyFact(gateway, 'response.ended');
      assert.deepEqual({ bytes, chunks, reusable }, { bytes: 10, chunks: 1, reusable: false });
    }));

  it('that the backend resets is a failure of it, and the client is cut', () =>
    tunnelling(async ({ gateway, client, peer }) => {
      peer.socket.resetAndDestroy();
      await client.closed();
      await gateway.fact('response.failed');
      assert.equal(onlyFact(gateway, 'response.failed').reason, 'reset');
      assert.equal(failuresOf(gateway), 1);
    }));

  it('on one side leaves the other direction open while it is in use', () =>
    tunnelling(async ({ gateway, client, peer }) => {
      peer.socket.removeAllListeners('end');
      const ended = once(peer.socket, 'end');
      client.socket.end('request');
      await peer.until(/request$/);
      await ended;
      peer.socket.write('answer');
      await client.until(/answer$/);
      peer.socket.end();
      await gateway.fact('response.ended');
      assert.equal(failuresOf(gateway), 0);
    }));

  it('comes when both sides are silent for upstream.tunnelIdleTimeoutMs', () =>
    tunnelling(
      async ({ gateway, client, peer }) => {
        await Promise.all([client.closed(), peer.closed()]);
        await gateway.fact('response.ended');
        assert.equal(failuresOf(gateway), 0);
      },
      { upstream: { tunnelIdleTimeoutMs: 100 } },
    ));

  it('comes with the end of the gateway, after server.shutdownTimeoutMs', () =>
    tunnelling(
      async ({ gateway, client, peer }) => {
        const stopped = gateway.gateway.stop();
        client.send('still here');
        await peer.until(/still here$/);
        assert.equal(await stopped, 1, 'one request was cut off');
        assert.equal((await client.closed()).wasReset, false);
      },
      { server: { shutdownTimeoutMs: IN_TIME_MS } },
    ));

  it('does not keep the gateway from ending, though a side does not read what it has been sent', () =>
    tunnelling(
      async ({ gateway, client, peer }) => {
        client.socket.removeAllListeners('data');
        client.socket.pause();
        peer.socket.on('error', () => {});
        const piece = Buffer.alloc(100_000, 'x');
        while (peer.socket.write(piece) || peer.socket.writableLength < 10_000_000) await setImmediate();
        assert.equal(await gateway.gateway.stop(), 1);
      },
      { server: { shutdownTimeoutMs: 100 } },
    ));

  it('comes when its backend drains, after the same time', () =>
    tunnelling(
      async ({ gateway, backend, client }) => {
        await fetch(`${gateway.adminUrl}/backends/${backend.name}/drain`, { method: 'POST' });
        await client.closed();
        await gateway.fact('response.ended');
        assert.equal(gateway.gateway.balancer.backends()[0]?.state, 'drained');
      },
      { server: { shutdownTimeoutMs: 100 } },
    ));

  it('does not come when its backend is restored in time', () =>
    tunnelling(
      async ({ gateway, backend, client, peer }) => {
        await using other = await startMock();
        await fetch(`${gateway.adminUrl}/backends/${backend.name}/drain`, { method: 'POST' });
        await fetch(`${gateway.adminUrl}/backends/${backend.name}/restore`, { method: 'POST' });
        await gateway.reconfigure({ backends: [backend, other], server: { shutdownTimeoutMs: IN_TIME_MS } });
        await fetch(`${gateway.adminUrl}/backends/${other.name}/drain`, { method: 'POST' });
        await new Promise((resolve) => setTimeout(resolve, 1.2 * IN_TIME_MS));
        client.send('still here');
        await peer.until(/still here$/);
        client.socket.destroy();
      },
      { server: { shutdownTimeoutMs: IN_TIME_MS } },
    ));
});

describe('a WebSocket that is refused', () => {
  it('by its backend gets the answer as it is, and the connection is closed', async () => {
    const answer =
      'HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 99\r\nContent-Length: 3\r\n\r\nno!';
    await using backend = await startRawBackend((peer) => peer.send(answer));
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(ASKED);
      const responses = responsesOf(client);
      const response = await responses.next();
      assert.deepEqual([response.status, response.body], [426, 'no!']);
      assert.deepEqual(valuesIn(response, 'sec-websocket-version'), ['99']);
      assert.deepEqual(valuesIn(response, 'connection'), ['close']);
      assert.deepEqual(await responses.rest(), { text: '', wasReset: false });
      assert.equal(onlyFact(gateway, 'response.ended').status, 426);
      assert.equal(failuresOf(gateway), 0);
    });
  });

  it('by a long answer has that held back while the client is slow', async () => {
    const bytes = 30_000_000;
    await using backend = await startRawBackend((peer) =>
      peer.send(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${bytes}\r\n\r\n${'x'.repeat(bytes)}`),
    );
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.socket.removeAllListeners('data');
      client.socket.pause();
      client.send(ASKED);
      await gateway.fact('response.started');
      for (let turn = 0; turn < 300; turn += 1) await setImmediate();
      assert.equal(factTypes(gateway).includes('response.ended'), false);
      client.socket.resume();
      while (client.socket.bytesRead < bytes) await once(client.socket, 'data');
      await gateway.fact('response.ended');
    });
  });

  it('by a long answer that its client does not read is cut off like any other', async () => {
    const bytes = 30_000_000;
    await using backend = await startRawBackend((peer) =>
      peer.send(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${bytes}\r\n\r\n${'x'.repeat(bytes)}`),
    );
    const server = { idleReaderTimeoutMs: 150 };
    await withGateway({ backends: [backend], server }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.socket.removeAllListeners('data');
      client.socket.pause();
      client.send(ASKED);
      const { fact } = await gateway.fact('client.aborted');
      assert.deepEqual(fact, { type: 'client.aborted', request: 1, because: 'idleReader' });
    });
  });

  it('by the gateway gets an error of the usual form', async () => {
    await withGateway({}, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(ASKED);
      assertRefused(await responsesOf(client).next(), 503, 'no_backend_configured');
      await client.closed();
      using lost = await connectRaw(gateway.port);
      lost.send(requestText({ target: '/nope', headers: ASKING }));
      assertRefused(await responsesOf(lost).next(), 404, 'not_found');
      await lost.closed();
    });
  });

  for (const [what, answer] of [
    ['for another protocol', AGREED.replace('WebSocket', 'smtp')],
    ['for none', AGREED.replace('upgrade: WebSocket\r\n', '')],
  ] as const) {
    it(`by a 101 ${what} is a failure of its backend`, async () => {
      await using backend = await startRawBackend((peer) => peer.send(answer));
      await withGateway({ backends: [backend] }, async (gateway) => {
        using client = await connectRaw(gateway.port);
        client.send(ASKED);
        assertRefused(await responsesOf(client).next(), 502, 'backend_failed');
        await (await backend.connection(1)).closed();
        assert.equal(failuresOf(gateway), 1);
      });
    });
  }
});

describe('a request for a WebSocket', () => {
  it('that is not answered when the gateway ends is cut off like any other', async () => {
    await using backend = await startRawBackend();
    await withGateway({ backends: [backend], server: { shutdownTimeoutMs: 100 } }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(ASKED);
      await backend.connection(1);
      assert.equal(await gateway.gateway.stop(), 1, 'one request was cut off');
      await client.closed();
      await gateway.fact('client.aborted');
    });
  });

  it('is tried on another backend when its first is lost before it answers', async () => {
    await using bad = await startMock({ script: { fault: 'reset' } });
    await using good = await startRawBackend((peer) => peer.send(AGREED), 'good');
    const backends = [{ port: bad.port, name: 'bad', weight: 1000 }, good];
    await withGateway({ backends }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(ASKED);
      await client.until(/X-Reprise-Backend: good\r\n/);
      client.socket.destroy();
      await gateway.fact('response.ended');
    });
  });

  const leavings: [string, (client: RawClient) => void][] = [
    ['closes', ({ socket }) => socket.destroy()],
    ['resets', ({ socket }) => socket.resetAndDestroy()],
  ];
  for (const [how, leave] of leavings) {
    it(`whose client ${how} before it is answered takes it back`, async () => {
      await using backend = await startRawBackend();
      await withGateway({ backends: [backend] }, async (gateway) => {
        using client = await connectRaw(gateway.port);
        client.send(ASKED);
        const peer = await backend.connection(1);
        const elapsedMs = startStopwatch();
        leave(client);
        await peer.closed();
        const tookMs = elapsedMs();
        assert.ok(tookMs < CANCEL_MAX_MS, `it took ${tookMs} ms`);
        await gateway.fact('client.aborted');
        assert.equal(failuresOf(gateway), 0);
      });
    });
  }

  const notThese: [string, string][] = [
    ['with another method', chatText({ stream: false }, { headers: ASKING })],
    ['of HTTP/1.0', ASKED.replace('HTTP/1.1', 'HTTP/1.0').replace('/v1/realtime', '/v1/models')],
    ['for another protocol', requestText({ headers: ['Connection: Upgrade', 'Upgrade: h2c'] })],
    ['without Connection', requestText({ headers: ['Upgrade: websocket'] })],
  ];
  for (const [what, text] of notThese) {
    it(`${what} is served as what it is (RFC 9110 §7.8)`, async () => {
      await using mock = await startMock();
      await withGateway({ backends: [mock] }, async (gateway) => {
        using client = await connectRaw(gateway.port);
        client.send(text);
        assert.equal((await responsesOf(client).next()).status, 200);
        assert.deepEqual(valuesIn({ headers: mock.requests[0]?.rawHeaders ?? [] }, 'upgrade'), []);
      });
    });
  }

  it('behind another request on the same connection is served as what it is', async () => {
    await using backend = await startRawBackend();
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText() + ASKED);
      for (const number of [1, 2]) {
        const peer = await backend.connection(number);
        peer.send(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${number}`);
      }
      const responses = responsesOf(client);
      assert.equal((await responses.next()).body, '1');
      assert.equal((await responses.next()).body, '2');
    });
  });
});
