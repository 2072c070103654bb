/** Clients that come by TLS: which certificate they get, how it is renewed, and that all else is as without. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import tls from 'node:tls';
import { startMock } from '../../mock/server.ts';
import { type CertificateParts, createAuthority, createCertificate } from '../support/certificates.ts';
import type { TestConfig, TestGateway } from '../support/gateway.ts';
import { listenOnLoopback } from '../support/listen.ts';
import { connectRaw, type RawClient, rawOver } from '../support/raw-client.ts';
import { startStopwatch } from '../support/stopwatch.ts';
import { failuresOf, withGateway } from './support/gateway.ts';
import { startRawBackend } from './support/raw-backend.ts';
import { chatText, chunk, requestText } from './support/requests.ts';
import { responsesOf, valuesIn } from './support/responses.ts';

const folder = mkdtempSync(join(tmpdir(), 'reprise-tls-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const authority = createAuthority();
const CANCEL_MAX_MS = 50;
const SSE_HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';

/** Writes a certificate and its key, over those of the same name. */
function put(name: string, parts: Partial<CertificateParts> = {}) {
  const { cert, key } = createCertificate({ names: [`${name}.test`], by: authority, ...parts });
  const files = { certFile: join(folder, `${name}.pem`), keyFile: join(folder, `${name}.key`) };
  writeFileSync(files.certFile, cert + authority.cert);
  writeFileSync(files.keyFile, key);
  return files;
}

async function connectTls(port: number, options: tls.ConnectionOptions = {}) {
  const socket = tls.connect({
    port,
    host: '127.0.0.1',
    ca: authority.cert,
    servername: 'one.test',
    ...options,
  });
  await once(socket, 'secureConnect');
  return Object.assign(rawOver(socket), { tls: socket });
}

/** Stands between a client and the gateway, and keeps what the gateway sends over its one connection. */
async function startRelay(gatewayPort: number) {
  const received = Promise.withResolvers<Buffer>();
  const server = net.createServer((client) => {
    const gateway = net.connect(gatewayPort, '127.0.0.1');
    const pieces: Buffer[] = [];
    gateway.on('data', (piece: Buffer) => pieces.push(piece));
    for (const end of [client, gateway]) end.on('error', () => {});
    gateway.on('close', () => received.resolve(Buffer.concat(pieces)));
    client.pipe(gateway).pipe(client);
  });
  const port = await listenOnLoopback(server);
  return {
    port,
    received: received.promise,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}

const ALERT = 21;

/** The types of the records in a stream of TLS (RFC 5246 §6.2.1). */
function recordTypes(bytes: Buffer): number[] {
  const types: number[] = [];
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3))
    types.push(bytes.readUInt8(at));
  return types;
}

function nameOf(socket: tls.TLSSocket): string {
  return String(socket.getPeerX509Certificate()?.subject);
}

async function serving(config: TestConfig, use: (gateway: TestGateway) => Promise<void>): Promise<void> {
  await using mock = await startMock();
  const server = { tls: [put('one'), put('two', { names: ['two.test', '*.two.test'] })], ...config.server };
  await withGateway({ backends: [mock], ...config, server }, use);
}

describe('a client that comes by TLS', () => {
  it('is served, and its backend told so', async () => {
    await using mock = await startMock();
    await withGateway({ backends: [mock], server: { tls: [put('one')] } }, async (gateway) => {
      const { port } = gateway;
      using client = await connectTls(port);
      const responses = responsesOf(client);
      for (let turn = 0; turn < 2; turn += 1) {
        client.send(chatText());
        assert.match((await responses.next()).body, /\[DONE\]/);
      }
      const headers = mock.requests[0]?.rawHeaders ?? [];
      assert.deepEqual(valuesIn({ headers }, 'x-forwarded-proto'), ['https']);
      assert.deepEqual(valuesIn({ headers }, 'x-forwarded-for'), ['127.0.0.1']);
    });
  });

  const named: [string | undefined, string][] = [
    ['one.test', 'CN=one.test'],
    ['two.test', 'CN=two.test'],
    ['deep.two.test', 'CN=two.test'],
    ['unknown.test', 'CN=one.test'],
    [undefined, 'CN=one.test'],
  ];
  for (const [name, subject] of named) {
    it(`and asks for ${name ?? 'no name'} gets the certificate ${subject} (RFC 6066 §3)`, () =>
      serving({}, async ({ port }) => {
        const options = { checkServerIdentity: () => undefined };
        using client = await connectTls(port, { ...options, servername: name ?? '' });
        assert.equal(nameOf(client.tls), subject);
      }));
  }

  it('gets HTTP/1.1, whatever else it offers (RFC 7301)', () =>
    serving({}, async ({ port }) => {
      using client = await connectTls(port, { ALPNProtocols: ['h2', 'http/1.1'] });
      assert.equal(client.tls.alpnProtocol, 'http/1.1');
    }));

  it('by an old version of TLS is refused (RFC 8996)', () =>
    serving({}, async ({ port }) => {
      const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
      await assert.rejects(connectTls(port, old), /protocol version/);
      using client = await connectTls(port, { maxVersion: 'TLSv1.2' });
      assert.equal(client.tls.getProtocol(), 'TLSv1.2');
      assert.match(client.tls.getCipher().name, /^ECDHE-.*(?:GCM|POLY1305)/);
    }));

  it('does not disturb others when it does not speak TLS at all', () =>
    serving({}, async (gateway) => {
      using plain = await connectRaw(gateway.port);
      plain.send(requestText());
      const { text } = await plain.closed();
      assert.doesNotMatch(text, /HTTP/);
      using client = await connectTls(gateway.port);
      client.send(requestText());
      assert.equal((await responsesOf(client).next()).status, 200);
    }));

  const leavings: [string, (client: RawClient & { tls: tls.TLSSocket }) => void][] = [
    ['closes', (client) => client.tls.destroy()],
    ['says goodbye', (client) => client.tls.end()],
  ];
  for (const [how, leave] of leavings) {
    it(`and ${how} in the middle of a stream cancels the generation`, async () => {
      await using backend = await startRawBackend((peer) =>
        peer.send(`${SSE_HEAD}${chunk('data: token\n\n')}`),
      );
      await serving({ backends: [backend] }, async (gateway) => {
        using client = await connectTls(gateway.port);
        client.send(chatText());
        await client.until(/token/);
        const elapsedMs = startStopwatch();
        leave(client);
        await (await backend.connection(1)).closed();
        const tookMs = elapsedMs();
        assert.ok(tookMs < CANCEL_MAX_MS, `it took ${tookMs} ms`);
        await gateway.fact('client.aborted');
        assert.equal(failuresOf(gateway), 0);
      });
    });
  }

  for (const [what, isComplete] of [
    ['ends with a close_notify when it is complete', true],
    ['lacks one when it was broken off', false],
  ] as const) {
    it(`gets an answer whose end only closing tells, which ${what} (RFC 8446 §6.1)`, async () => {
      await using backend = await startRawBackend((peer) =>
        peer.send('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhello abc'),
      );
      await serving({ backends: [backend] }, async (gateway) => {
        await using relay = await startRelay(gateway.port);
        // The version before 1.3 does not hide of which kind a record is.
        using client = await connectTls(relay.port, { maxVersion: 'TLSv1.2' });
        client.send(requestText({ version: '1.0' }));
        await client.until(/abc$/);
        const { socket } = await backend.connection(1);
        if (isComplete) socket.end();
        else socket.resetAndDestroy();
        assert.equal(recordTypes(await relay.received).includes(ALERT), isComplete);
      });
    });
  }

  it('may open a WebSocket, to a backend by TLS as well', async () => {
    const { cert, key } = createCertificate({ names: ['127.0.0.1'], by: authority });
    const server = tls.createServer({ cert, key }, (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n');
        socket.pipe(socket);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const backend = {
      protocol: 'https',
      port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    } as const;
    const caFile = join(folder, 'ca.pem');
    writeFileSync(caFile, authority.cert);
    const config = { backends: [backend], upstream: { tls: { caFile } }, server: { tls: [put('one')] } };
    await withGateway(config, async (gateway) => {
      using client = await connectTls(gateway.port);
      client.send(requestText({ headers: ['Connection: upgrade', 'Upgrade: websocket'] }));
      await client.until(/^HTTP\/1\.1 101 /);
      client.send('there and back');
      await client.until(/there and back$/);
      client.tls.end();
      await client.closed();
      await gateway.fact('response.ended');
      assert.equal(failuresOf(gateway), 0);
    }).finally(() => server.close());
  });

  it('and reads nothing is cut off after server.idleReaderTimeoutMs', async () => {
    const piece = Buffer.alloc(256 * 1024, 'x');
    await using backend = await startRawBackend(({ socket, send }) => {
      send('HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n');
      const pour = () => {
        while (!socket.destroyed && socket.write(piece));
      };
      socket.on('drain', pour);
      pour();
    });
    const server = { idleReaderTimeoutMs: 150, tls: [put('one')] };
    await withGateway({ backends: [backend], server }, async (gateway) => {
      using client = await connectTls(gateway.port);
      client.tls.pause();
      client.send(requestText());
      await gateway.fact('client.aborted');
    });
  });
});

describe('a reload', () => {
  const trusting = { checkServerIdentity: () => undefined };

  it('with renewed files serves them to new connections, and keeps the open ones', async () => {
    await using backend = await startRawBackend((peer) =>
      peer.send(`${SSE_HEAD}${chunk('data: before\n\n')}`),
    );
    const config = { backends: [backend], server: { tls: [put('one')] } };
    await withGateway(config, async (gateway) => {
      using open = await connectTls(gateway.port);
      open.send(chatText());
      await open.until(/before/);
      const serial = open.tls.getPeerX509Certificate()?.serialNumber;
      put('one', { names: ['one.test', 'new.test'] });
      const outcome = await gateway.reconfigure(config);
      assert.deepEqual(outcome.ok && [outcome.changed, outcome.needRestart], [[], []]);
      for (const servername of ['new.test', '']) {
        using fresh = await connectTls(gateway.port, { ...trusting, servername });
        assert.notEqual(fresh.tls.getPeerX509Certificate()?.serialNumber, serial);
      }
      (await backend.connection(1)).send(`${chunk('data: after\n\n')}0\r\n\r\n`);
      assert.match((await responsesOf(open).next()).body, /before\n\ndata: after/);
    });
  });

  it('may add certificates and take others away', () =>
    serving({}, async (gateway) => {
      await gateway.reconfigure({ server: { tls: [put('three'), put('four')] } });
      using three = await connectTls(gateway.port, { ...trusting, servername: 'one.test' });
      assert.equal(nameOf(three.tls), 'CN=three.test');
      using four = await connectTls(gateway.port, { servername: 'four.test' });
      assert.equal(nameOf(four.tls), 'CN=four.test');
    }));

  it('to plain HTTP waits for a restart, and says so', () =>
    serving({}, async (gateway) => {
      const outcome = await gateway.reconfigure({});
      assert.deepEqual(outcome.ok && outcome.needRestart, ['server.tls']);
      using client = await connectTls(gateway.port);
      assert.equal(nameOf(client.tls), 'CN=one.test');
    }));
});
