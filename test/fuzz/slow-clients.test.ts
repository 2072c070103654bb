/** Clients that attack by being slow: what they can hold is bounded, and a bystander is served as ever. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestGateway, type TestConfig, type TestGateway } from '../support/gateway.ts';
import { listenOnLoopback } from '../support/listen.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { type Backend, type Records, startBackend } from './backend.ts';
import { type Bystander, startBystander } from './bystander.ts';

const skip = process.platform === 'linux' ? false : 'needs the loopback of Linux';
const ATTACKER = '127.66.0.1';
const CLIENTS = 60;
/** Connections that a bystander may have: one, and one that it has left. */
const BYSTANDERS = 2;
/** What one address may have. */
const LIMIT = 20;
const TRICKLE_MS = 20;
/** How soon who was cut off or refused comes again. */
const AGAIN_MS = 50;
/** Longer than a busy machine keeps a bystander waiting, who is held to them as well. */
const SLOW = { headersTimeoutMs: 1_500, bodyIdleTimeoutMs: 1_500, idleReaderTimeoutMs: 1_500 };

type Scene = { readonly gateway: TestGateway; readonly bystander: Bystander };

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
    await attack({ gateway, bystander });
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

function connectOne(port: number): net.Socket {
  return net.connect({ port, host: '127.0.0.1', localAddress: ATTACKER }).on('error', () => {});
}

/** Opens connections from one address. @returns them, and what resolves when the last is closed */
function connectMany(port: number): { sockets: net.Socket[]; closed: Promise<unknown> } {
  const sockets = Array.from({ length: CLIENTS }, () => connectOne(port));
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

async function figure({ adminUrl }: TestGateway, name: string): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  return Number(new RegExp(`^reprise_${name} (\\d+)$`, 'm').exec(text)?.[1]);
}

const openConnections = (gateway: TestGateway) => figure(gateway, 'client_connections');
const refusedConnections = (gateway: TestGateway) =>
  figure(gateway, 'client_connections_refused_total\\{limit="address"\\}');

/** Looks again and again until it is so. */
async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    assert.ok(performance.now() < deadline, `waited in vain for ${what}`);
    await sleep(TRICKLE_MS);
  }
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
      assert.ok(open <= LIMIT + BYSTANDERS, `${open} connections are open`);
      await closed;
    }));

  it('heads come a byte at a time, and whoever is cut off comes again', () =>
    attacked({ server }, async ({ gateway, bystander }) => {
      let isOver = false;
      let came = 0;
      const again = async () => {
        while (!isOver) {
          const socket = connectOne(gateway.port).resume();
          came += 1;
          trickle(socket, `GET /v1/x HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(9999)}`);
          await new Promise<void>((done) => socket.once('close', () => done()));
          await sleep(AGAIN_MS);
        }
      };
      const clients = Array.from({ length: CLIENTS }, again);
      let most = 0;
      const hasSeenEnough = async () => {
        most = Math.max(most, await openConnections(gateway));
        return came > 5 * CLIENTS && bystander.answered > 50;
      };
      await until(hasSeenEnough, 'clients that come again').finally(() => {
        isOver = true;
      });
      await Promise.all(clients);
      assert.ok(most > BYSTANDERS && most <= LIMIT + BYSTANDERS, `${most} connections were open`);
      assert.ok((await refusedConnections(gateway)) >= CLIENTS - LIMIT, 'the others were refused');
      // What they held is free again.
      const socket = connectOne(gateway.port);
      socket.write('GET /v1/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      const [answer] = await once(socket, 'data');
      assert.match(String(answer), /^HTTP\/1\.1 200 /);
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

  it('long answers are read just fast enough that nobody is cut off', async () => {
    const backend = await startLongAnswers();
    // Nobody is to be cut off here, on a busy machine either.
    const limits = { ...server, headersTimeoutMs: 60_000, idleReaderTimeoutMs: 1_000 };
    const config = { server: { ...limits, sendBufferBytes: 65_536 }, pool: { size: LIMIT + 4 } };
    await attacked(
      config,
      async ({ gateway, bystander }) => {
        const before = process.memoryUsage().arrayBuffers;
        const { sockets, closed } = connectMany(gateway.port);
        for (const socket of sockets) {
          sip(socket);
          socket.write('GET /v1/long HTTP/1.1\r\nHost: a\r\n\r\n');
        }
        await gateway.fact('response.started', LIMIT);
        await until(async () => (await refusedConnections(gateway)) === CLIENTS - LIMIT, 'refusals');
        const from = { answered: bystander.answered, at: performance.now() };
        const isLongAgo = () => performance.now() > from.at + 2 * limits.idleReaderTimeoutMs;
        await until(() => isLongAgo() && bystander.answered > from.answered + 50, 'a bystander');
        assert.ok((await openConnections(gateway)) >= LIMIT, 'who reads is not cut off');
        assert.equal(gateway.entries.filter(({ fact }) => fact.type === 'client.aborted').length, 0);
        const grown = process.memoryUsage().arrayBuffers - before;
        assert.ok(grown < 64 * 1024 * 1024, `${grown} bytes more are held`);
        for (const socket of sockets) socket.destroy();
        await closed;
        await gateway.fact('client.aborted', LIMIT);
      },
      backend,
    );
  });
});

/** Reads one piece each moment. */
function sip(socket: net.Socket): void {
  socket.on('data', () => socket.pause());
  const timer = setInterval(() => socket.resume(), TRICKLE_MS);
  socket.once('close', () => clearInterval(timer));
}

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
