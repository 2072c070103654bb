/**
 * Kept sockets that their backend closes, at whatever moment and with or without notice: no client may notice.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MockScript } from '../../mock/script.ts';
import { startMock } from '../../mock/server.ts';
import type { TestGateway } from '../support/gateway.ts';
import { connectRaw } from '../support/raw-client.ts';
import { startStopwatch } from '../support/stopwatch.ts';
import { factTypes, withGateway } from './support/gateway.ts';
import { startCannedBackend, startRawBackend } from './support/raw-backend.ts';
import { chatText, requestText } from './support/requests.ts';
import { responsesOf, valuesIn } from './support/responses.ts';

const ROUNDS = 300;

/** Requests one after the other over one connection, each of which must be answered with 200. */
async function serveAll(gateway: TestGateway, text: string, rounds = ROUNDS): Promise<void> {
  using client = await connectRaw(gateway.port);
  const responses = responsesOf(client);
  for (let round = 0; round < rounds; round += 1) {
    client.send(text);
    const response = await responses.next();
    assert.equal(response.status, 200, `round ${round}: ${response.body}`);
  }
}

const answerWith = (hint: string) => `HTTP/1.1 200 OK\r\nKeep-Alive: ${hint}\r\nContent-Length: 2\r\n\r\nok`;

const SCRIPTS: [string, Partial<MockScript>][] = [
  ['closes idle sockets after a millisecond', { keepAliveTimeoutMs: 1 }],
  ['closes idle sockets after two milliseconds', { keepAliveTimeoutMs: 2 }],
  ['says that it closes each socket (RFC 9112 §9.6)', { connectionClose: true }],
  ['closes each socket at its second request', { fault: 'close', faultOnReusedSocket: true }],
  ['resets each socket at its second request', { fault: 'reset', faultOnReusedSocket: true }],
  ['announces that it keeps sockets for a second only', { keepAliveHintMs: 1000, keepAliveTimeoutMs: 1 }],
];

describe(`${ROUNDS} requests in a row have no error when a backend`, () => {
  for (const [what, script] of SCRIPTS) {
    it(what, async () => {
      await using mock = await startMock({ script });
      await withGateway({ backends: [mock] }, async (gateway) => {
        await serveAll(gateway, chatText({ stream: false }));
        assert.equal(mock.counters.completed, ROUNDS);
      });
    });
  }

  it('closes its socket right behind each answer, without notice', async () => {
    await using backend = await startRawBackend((peer) =>
      peer.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
    );
    await withGateway({ backends: [backend] }, (gateway) => serveAll(gateway, requestText()));
  });

  it('resets its socket right behind each answer, without notice', async () => {
    await using backend = await startRawBackend((peer) =>
      peer.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', () =>
        peer.socket.resetAndDestroy(),
      ),
    );
    await withGateway({ backends: [backend] }, (gateway) => serveAll(gateway, requestText(), 100));
  });
});

describe('a body that can be sent only once', () => {
  it('never meets a kept socket', async () => {
    await using mock = await startMock({ script: { fault: 'close', faultOnReusedSocket: true } });
    await withGateway({ backends: [mock], retry: { bufferBytes: 10 } }, (gateway) =>
      serveAll(gateway, chatText({ stream: false }), 50),
    );
    assert.equal(
      mock.requests.some(({ onReusedSocket }) => onReusedSocket),
      false,
    );
  });
});

describe('a kept socket', () => {
  it('that its backend closes leaves the pool at once', async () => {
    await using mock = await startMock();
    await withGateway({ backends: [mock] }, async (gateway) => {
      await serveAll(gateway, requestText(), 1);
      assert.equal(gateway.gateway.balancer.backends()[0]?.pool.idle, 1);
      await mock.close();
      await gateway.fact('socket.closed');
      assert.equal(gateway.gateway.balancer.backends()[0]?.pool.idle, 0);
    });
  });

  it('is not kept after an answer to HTTP/1.0 or with Connection: close (RFC 9112 §9.3)', async () => {
    for (const head of ['HTTP/1.0 200 OK', 'HTTP/1.1 200 OK\r\nConnection: close']) {
      await using backend = await startRawBackend((peer) =>
        peer.send(`${head}\r\nContent-Length: 2\r\n\r\nok`),
      );
      await withGateway({ backends: [backend] }, async (gateway) => {
        await serveAll(gateway, requestText(), 3);
        assert.equal(backend.connections.length, 3);
        assert.equal(gateway.gateway.balancer.backends()[0]?.pool.idle, 0);
        // Known at the end of each answer, and not only when the socket closes.
        const ends = gateway.entries.filter(({ fact }) => fact.type === 'response.ended');
        assert.deepEqual(
          ends.map(({ fact }) => fact.type === 'response.ended' && fact.reusable),
          [false, false, false],
        );
      });
    }
  });

  for (const hint of ['timeout=0', 'timeout=1']) {
    it(`is not kept after Keep-Alive: ${hint}, as no time is left but the margin`, async () => {
      await using backend = await startCannedBackend(answerWith(hint));
      await withGateway({ backends: [backend] }, async (gateway) => {
        await serveAll(gateway, requestText(), 3);
        assert.equal(backend.connections.length, 3);
        assert.equal(gateway.gateway.balancer.backends()[0]?.pool.idle, 0);
      });
    });
  }

  for (const hint of ['timeout=-5', 'timeout=soon', 'timeout=', 'max=0', `timeout=${'9'.repeat(21)}`]) {
    it(`is kept after Keep-Alive: ${hint.slice(0, 20)}, which sets no limit`, async () => {
      await using backend = await startCannedBackend(answerWith(hint));
      await withGateway({ backends: [backend] }, async (gateway) => {
        await serveAll(gateway, requestText(), 3);
        assert.equal(backend.connections.length, 1);
        assert.equal(gateway.gateway.balancer.backends()[0]?.pool.idle, 1);
      });
    });
  }

  it('is closed a second before Keep-Alive: timeout says that its backend will', async () => {
    await using backend = await startCannedBackend(answerWith('timeout=2, max=100'));
    await withGateway({ backends: [backend] }, async (gateway) => {
      await serveAll(gateway, requestText(), 2);
      assert.equal(backend.connections.length, 1);
      const elapsedMs = startStopwatch();
      await gateway.fact('socket.closed');
      const tookMs = elapsedMs();
      assert.ok(tookMs > 400 && tookMs < 2000, `it took ${tookMs} ms`);
      assert.equal(gateway.gateway.balancer.backends()[0]?.pool.idle, 0);
    });
  });

  it('that was stale costs one retry over a new connection, and the client a moment', async () => {
    await using mock = await startMock({ script: { fault: 'close', faultOnReusedSocket: true } });
    await withGateway({ backends: [mock] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      const responses = responsesOf(client);
      client.send(requestText());
      await responses.next();
      client.send(requestText());
      const response = await responses.next();
      assert.equal(response.status, 200);
      assert.deepEqual(valuesIn(response, 'x-request-id').length, 1);
      const { decisions } = await gateway.decision('request.retried');
      assert.deepEqual(
        decisions.map(({ type }) => type),
        ['lease.released', 'request.retried', 'backend.selected', 'socket.requested'],
      );
      assert.equal(factTypes(gateway).filter((type) => type === 'response.failed').length, 1);
    });
  });
});
