/** Backends behind TLS: who they are is verified, always, and what is wrong is said with what to do about it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { type Certificate, createAuthority, createCertificate } from '../support/certificates.ts';
import type { TestBackend } from '../support/gateway.ts';
import { listenOnLoopback } from '../support/listen.ts';
import { connectRaw } from '../support/raw-client.ts';
import { failuresOf, withGateway } from './support/gateway.ts';
import { requestText } from './support/requests.ts';
import { responsesOf } from './support/responses.ts';

const folder = mkdtempSync(join(tmpdir(), 'reprise-tls-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const authority = createAuthority();
const caFile = join(folder, 'ca.pem');
writeFileSync(caFile, `Made for a test.\n${createAuthority('Another').cert}\n${authority.cert}`);

const DAY_MS = 86_400_000;

/** A backend that tells which name it was asked for and how often it was connected to. */
async function startTlsBackend(certificate: Certificate) {
  let connections = 0;
  const server = createServer({ cert: certificate.cert, key: certificate.key }, (request, response) => {
    request.resume();
    const { servername } = request.socket as TLSSocket;
    response.end(JSON.stringify({ servername }));
  });
  server.on('secureConnection', () => {
    connections += 1;
  });
  server.on('upgrade', (_request, socket) => {
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst ',
    );
    socket.pipe(socket);
  });
  const port = await listenOnLoopback(server);
  return {
    ...({ protocol: 'https', port, name: 'gpu' } as const),
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function ask(backend: TestBackend, tls: { caFile: string }) {
  let result = { status: 0, body: '', failures: 0 };
  await withGateway({ backends: [backend], upstream: { tls }, health: { fall: 1000 } }, async (gateway) => {
    using client = await connectRaw(gateway.port);
    client.send(requestText());
    const { status, body } = await responsesOf(client).next();
    result = { status, body, failures: failuresOf(gateway) };
  });
  return result;
}

describe('a backend with https', () => {
  it('is spoken to when its certificate is signed by an authority of upstream.tls.caFile', async () => {
    await using backend = await startTlsBackend(createCertificate({ names: ['127.0.0.1'], by: authority }));
    const { status, body, failures } = await ask(backend, { caFile });
    assert.deepEqual([status, failures], [200, 0], body);
    assert.deepEqual(JSON.parse(body), { servername: false }, 'an address is no server name (RFC 6066 §3)');
  });

  it('is told the name it is asked for, and must have it in its certificate (RFC 6066 §3)', async () => {
    await using backend = await startTlsBackend(createCertificate({ names: ['localhost'], by: authority }));
    const { status, body } = await ask({ ...backend, host: 'localhost' }, { caFile });
    assert.equal(status, 200, body);
    assert.deepEqual(JSON.parse(body), { servername: 'localhost' });
  });

  it('keeps its connection for the next request', async () => {
    await using backend = await startTlsBackend(createCertificate({ names: ['127.0.0.1'], by: authority }));
    const config = { backends: [backend], upstream: { tls: { caFile } } };
    await withGateway(config, async (gateway) => {
      using client = await connectRaw(gateway.port);
      const responses = responsesOf(client);
      await gateway.fact('probe.succeeded');
      const before = backend.connections;
      for (let turn = 0; turn < 3; turn += 1) {
        client.send(requestText({ body: 'x'.repeat(100_000), method: 'POST' }));
        assert.equal((await responses.next()).status, 200);
      }
      assert.equal(backend.connections, before + 1);
    });
  });

  it('is probed with the same trust', async () => {
    await using backend = await startTlsBackend(createCertificate({ names: ['127.0.0.1'], by: authority }));
    await withGateway({ backends: [backend], upstream: { tls: { caFile } } }, async (gateway) => {
      await gateway.fact('probe.succeeded');
    });
    await withGateway({ backends: [backend] }, async (gateway) => {
      const { fact } = await gateway.fact('probe.failed');
      assert.equal('reason' in fact && fact.reason, 'certUntrusted');
    });
  });

  const past = { notBefore: new Date(Date.now() - 9 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) };
  const faults: [string, Certificate, string, RegExp][] = [
    [
      'has expired',
      createCertificate({ names: ['127.0.0.1'], by: authority, ...past }),
      'certExpired',
      /renew it on the backend/,
    ],
    [
      'is for another name',
      createCertificate({ names: ['gpu.test'], by: authority }),
      'certWrongName',
      /configure the backend by a name/,
    ],
    [
      'is signed by itself',
      createCertificate({ names: ['127.0.0.1'] }),
      'certUntrusted',
      /in upstream\.tls\.caFile/,
    ],
    [
      'is signed by an authority that is not trusted',
      createCertificate({ names: ['127.0.0.1'], by: createAuthority('Stranger') }),
      'certUntrusted',
      /in upstream\.tls\.caFile/,
    ],
  ];
  for (const [what, certificate, word, advice] of faults) {
    it(`whose certificate ${what} gets no request, and the error says what to do`, async () => {
      await using backend = await startTlsBackend(certificate);
      const { status, body } = await ask(backend, { caFile });
      assert.equal(status, 502, body);
      const { error } = JSON.parse(body);
      assert.equal(error.code, 'backend_unreachable');
      assert.match(error.message, new RegExp(`^Backend gpu could not be reached \\(${word}: `));
      assert.match(error.message, advice);
    });
  }

  it('that is signed by itself is trusted when its own certificate is the authority', async () => {
    const certificate = createCertificate({ names: ['127.0.0.1'] });
    const file = join(folder, 'self.pem');
    writeFileSync(file, certificate.cert);
    await using backend = await startTlsBackend(certificate);
    const { status, body } = await ask(backend, { caFile: file });
    assert.equal(status, 200, body);
  });

  it('that does not speak TLS is told apart', async () => {
    const server = createHttpServer((_request, response) => response.end());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const { status, body } = await ask({ protocol: 'https', port, name: 'gpu' }, { caFile });
    server.close();
    assert.equal(status, 502, body);
    assert.match(body, /Backend gpu could not be reached \(tls: .*speaks TLS/);
  });
});

describe('a reload', () => {
  it('with another authority counts from the next connection on', async () => {
    await using backend = await startTlsBackend(createCertificate({ names: ['127.0.0.1'], by: authority }));
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      const responses = responsesOf(client);
      client.send(requestText());
      assert.equal((await responses.next()).status, 502);
      const outcome = await gateway.reconfigure({ backends: [backend], upstream: { tls: { caFile } } });
      assert.deepEqual(outcome.ok && outcome.changed, ['upstream.tls.caFile']);
      client.send(requestText());
      assert.equal((await responses.next()).status, 200);
    });
  });
});

describe('a WebSocket to a backend behind TLS', () => {
  it('is a tunnel like any other, with what came together with its 101', async () => {
    await using backend = await startTlsBackend(createCertificate({ names: ['127.0.0.1'], by: authority }));
    await withGateway({ backends: [backend], upstream: { tls: { caFile } } }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      const headers = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
      client.send(requestText({ target: '/v1/realtime', headers }));
      await client.until(/\r\n\r\nfirst $/);
      const echo = 'x'.repeat(100_000);
      client.send(echo);
      await client.until((text) => text.endsWith(`first ${echo}`));
    });
  });
});
