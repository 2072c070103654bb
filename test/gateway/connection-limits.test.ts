/** Limits on the connections of clients: what is too much is told so, and those who are connected notice nothing. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, it } from 'node:test';
import { startMock } from '../../mock/server.ts';
import { startTestGateway, type TestConfig, type TestGateway } from '../support/gateway.ts';
import { connectRaw, rawOver } from '../support/raw-client.ts';

const REQUEST = 'GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n';
/** Every address of 127.0.0.0/8 is there only on Linux. */
const skip = process.platform === 'linux' ? false : 'needs the loopback of Linux';

async function limited(
  server: NonNullable<TestConfig['server']>,
  use: (gateway: TestGateway) => Promise<void>,
): Promise<void> {
  await using mock = await startMock();
  await using gateway = await startTestGateway({ backends: [mock], server });
  await use(gateway);
}

async function figure(gateway: TestGateway, name: string): Promise<string | undefined> {
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  return new RegExp(`^reprise_${name} (.*)$`, 'm').exec(text)?.[1];
}

describe('a connection beyond the limit', () => {
  it('of all is answered with 503 and closed, and the others go on', () =>
    limited({ maxConnections: 2 }, async (gateway) => {
      using first = await connectRaw(gateway.port);
      using second = await connectRaw(gateway.port);
      second.send(REQUEST);
      await second.until(/200 OK/);
      using third = await connectRaw(gateway.port);
      third.send(REQUEST);
      const { text, wasReset } = await third.closed();
      assert.equal(wasReset, false);
      assert.match(text, /^HTTP\/1\.1 503 .*\r\nRetry-After: 1\r\n[\s\S]*"too_many_connections"[^}]*\}\}$/);
      first.send(REQUEST);
      await first.until(/200 OK/);
      assert.equal(await figure(gateway, 'client_connections'), '2');
      assert.equal(await figure(gateway, 'client_connections_refused_total\\{limit="all"\\}'), '1');
    }));

  it('of its address is answered with 429, and other addresses are served', { skip }, () =>
    limited({ maxConnectionsPerAddress: 1 }, async (gateway) => {
      using first = await connectRaw(gateway.port);
      using second = await connectRaw(gateway.port);
      assert.match((await second.closed()).text, /^HTTP\/1\.1 429 /);
      using other = rawOver(
        net.connect({ port: gateway.port, host: '127.0.0.1', localAddress: '127.0.0.9' }),
      );
      await once(other.socket, 'connect');
      other.send(REQUEST);
      await other.until(/200 OK/);
      first.send(REQUEST);
      await first.until(/200 OK/);
      assert.equal(await figure(gateway, 'client_connections_refused_total\\{limit="address"\\}'), '1');
    }),
  );

  it('is served again as soon as another has closed', () =>
    limited({ maxConnections: 1 }, async (gateway) => {
      for (let round = 0; round < 3; round += 1) {
        using client = await connectRaw(gateway.port);
        client.send(REQUEST.replace('Host', 'Connection: close\r\nHost'));
        assert.match((await client.closed()).text, /^HTTP\/1\.1 200 /);
      }
    }));

  it('counts from a reload on', () =>
    limited({}, async (gateway) => {
      using _first = await connectRaw(gateway.port);
      await gateway.reconfigure({ server: { maxConnections: 1 } });
      using second = await connectRaw(gateway.port);
      assert.match((await second.closed()).text, /^HTTP\/1\.1 503 /);
    }));

  it('is closed without a word where too many are being told already', () =>
    limited({ maxConnections: 1 }, async (gateway) => {
      using _first = await connectRaw(gateway.port);
      // They read nothing and keep their side open, so that each is waited for.
      const stubborn = Array.from({ length: 150 }, () =>
        net.connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {}),
      );
      // With them, and not behind them: whoever is told is not waited for longer than a moment.
      using last = rawOver(net.connect({ port: gateway.port, host: '127.0.0.1' }));
      assert.equal((await last.closed()).text, '');
      for (const socket of stubborn) socket.destroy();
    }));
});
