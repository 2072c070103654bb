/** Clients that attack by being slow: what they can hold is bounded, and a bystander is served as ever. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, it } from 'node:test';
import { startTestGateway, type TestConfig, type TestGateway } from '../support/gateway.ts';
import { listenOnLoopback } from '../support/listen.ts';
import { type Backend, type Records, startBackend } from './backend.ts';
import { startBystander } from './bystander.ts';

const skip = process.platform === 'linux' ? false : 'needs the loopback of Linux';
const ATTACKER = '127.66.0.1';
const CLIENTS = 60;
/** What one address may have. */
const LIMIT = 20;
const TRICKLE_MS = 20;
const SLOW = { headersTimeoutMs: 300, bodyIdleTimeoutMs: 300, idleReaderTimeoutMs: 300 };

type Scene = { readonly gateway: TestGateway; complaints: string[] };

/** Runs `attack` while a bystander asks, who must not notice; afterwards nothing may be left. */
async function attacked(
  config: TestConfig,
  attack: (scene: Scene) => Promise<void>,
  startedBackend?: Backend,
): Promise<void> {
  const complaints: string[] = [];
  const complain = (what: string) => complaints.push(what);
  const records: Records = { seen: new Map(), prepared: new Map(), given: new Map(), complain };
  const backend = startedBackend ?? (await startBackend('a', records));
  const gateway = await startTestGateway({ ...config, backends: [backend] });
  const bystander = startBystander({ port: gateway.port, number: 0, seed: 1, complain });
  try {
    await attack({ gateway, complaints });
  } finally {
    await bystander.leave();
    await gateway.gateway.stop();
    await backend.close();
  }
  assert.deepEqual(complaints, []);
  assert.ok(bystander.answered > 20, `only ${bystander.answered} requests of a bystander were answered`);
  for (const { pool, requests } of gateway.gateway.balancer.backends()) {
    assert.deepEqual([requests.inFlight, pool.leased, pool.queued], [0, 0, 0]);
  }
}

/** Opens connections from one address. @returns them, and what resolves when the last is closed */
function connectMany(port: number): { sockets: net.Socket[]; closed: Promise<unknown> } {
  const sockets = Array.from({ length: CLIENTS }, () =>
    net.connect({ port, host: '127.0.0.1', localAddress: ATTACKER }).on('error', () => {}),
  );
  // Not by `once`, which fails when the connection does.
  const closed = sockets.map((socket) => new Promise<void>((done) => socket.once('close', () => done())));
  return { sockets, closed: Promise.all(closed) };
}

/** Sends a byte each moment until the connection is closed. */
function trickle(socket: net.Socket, text: string): void {
  let at = 0;
  const timer = setInterval(() => {
    if (socket.writable) socket.write(text[at % text.length] ?? '');
    at += 1;
  }, TRICKLE_MS);
  socket.once('close', () => clearInterval(timer));
}

async function openConnections({ adminUrl }: TestGateway): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  return Number(/^reprise_client_connections (\d+)$/m.exec(text)?.[1]);
}

describe('a bystander is served and nothing piles up while', { skip }, () => {
  const server = { ...SLOW, maxConnectionsPerAddress: LIMIT };

  it('heads come a byte at a time (slowloris)', () =>
    attacked({ server }, async ({ gateway }) => {
      const { sockets, closed } = connectMany(gateway.port);
      for (const socket of sockets)
        trickle(socket, `GET /v1/x HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(9999)}`);
      for (const socket of sockets) socket.resume();
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      const open = await openConnections(gateway);
      assert.ok(open <= LIMIT + 1, `${open} connections are open`);
      await closed;
    }));

  it('bodies come a byte at a time, and then not at all', () =>
    attacked({ server, retry: { bufferBytes: 1000 }, pool: { size: 4 } }, async ({ gateway }) => {
      const { sockets, closed } = connectMany(gateway.port);
      for (const socket of sockets) {
        socket.resume();
        socket.write(`POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n${'x'.repeat(500)}`);
      }
      await closed;
      const { pool } = gateway.gateway.balancer.backends()[0] ?? {};
      assert.ok(pool !== undefined && pool.opened <= 4, 'a body that is not there yet keeps no backend busy');
    }));

  it('long answers are not read', async () => {
    const backend = await startLongAnswers();
    const config = { server: { ...server, sendBufferBytes: 65_536 }, pool: { size: LIMIT + 4 } };
    await attacked(
      config,
      async ({ gateway }) => {
        const before = process.memoryUsage().arrayBuffers;
        const { sockets, closed } = connectMany(gateway.port);
        for (const socket of sockets) {
          socket.pause();
          socket.write('GET /v1/long HTTP/1.1\r\nHost: a\r\n\r\n');
        }
        await gateway.fact('response.started', LIMIT);
        const grown = process.memoryUsage().arrayBuffers - before;
        assert.ok(
          grown < 64 * 1024 * 1024,
          `${grown} bytes more are held, of ${LIMIT * LONG_BYTES} that were sent`,
        );
        await gateway.fact('client.aborted', LIMIT);
        for (const socket of sockets) socket.resume();
        await closed;
      },
      backend,
    );
  });
});

const LONG_BYTES = 32 * 1024 * 1024;

/** Answers with the same long text to those who ask for it, and with an echo of nothing but the address to others. */
async function startLongAnswers(): Promise<Backend> {
  const records: Records = { seen: new Map(), prepared: new Map(), given: new Map(), complain: () => {} };
  const echo = await startBackend('a', records);
  const piece = Buffer.alloc(LONG_BYTES, 'l');
  const server = net.createServer((socket) => {
    const relay = net.connect(echo.port, '127.0.0.1');
    for (const each of [socket, relay])
      each.on('error', () => {}).once('close', () => [socket, relay].map((s) => s.destroy()));
    relay.pipe(socket);
    socket.on('data', (data) => {
      if (!data.includes('/v1/long')) relay.write(data);
      else {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${LONG_BYTES}\r\n\r\n`);
        socket.write(piece);
      }
    });
  });
  const port = await listenOnLoopback(server);
  return {
    name: 'a',
    port,
    connections: echo.connections,
    async close() {
      server.close();
      await echo.close();
    },
  };
}
