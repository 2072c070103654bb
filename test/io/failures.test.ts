/** Backends that fail before they answer: the client gets an error it understands, or another backend's answer. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FaultText } from '../../mock/faults.ts';
import { startMock } from '../../mock/server.ts';
import type { TestConfig } from '../support/gateway.ts';
import { connectRaw } from '../support/raw-client.ts';
import { deadPort, silentPort } from './support/addresses.ts';
import { failuresOf, withGateway } from './support/gateway.ts';
import { type RawBackend, startCannedBackend, startRawBackend } from './support/raw-backend.ts';
import { chatText, requestText } from './support/requests.ts';
import { type RawResponse, responsesOf, valuesIn } from './support/responses.ts';

function assertError(response: RawResponse, status: number, code: string): void {
  assert.equal(response.status, status, response.body);
  const { error } = JSON.parse(response.body);
  assert.deepEqual(
    { type: error.type, code: error.code, param: error.param },
    { type: 'server_error', code, param: null },
  );
  assert.deepEqual(valuesIn(response, 'content-type'), ['application/json']);
  assert.deepEqual(valuesIn(response, 'x-request-id').length, 1);
}

/** Names a failure, makes the backend that fails, and says what the client is told when there is no other. */
type Case = {
  readonly what: string;
  readonly start: () => Promise<AsyncDisposable & { readonly port: number; readonly host?: string }>;
  readonly status: number;
  readonly code: string;
  /** Whether nothing can have been done yet, so that another backend may be asked. */
  readonly retried: boolean;
  /** The limit that it reaches; no other is so short, since a busy machine would reach it. */
  readonly upstream?: TestConfig['upstream'];
};

const failing = (fault: FaultText) => () => startMock({ script: { fault } });
const answering = (bytes: string) => (): Promise<RawBackend> => startCannedBackend(bytes, { closes: true });
const lost = { status: 502, code: 'backend_failed', retried: true };
const broken = { status: 502, code: 'backend_failed', retried: false };

const late = (what: 'connect' | 'headers') => ({
  ...{ status: 504, code: `backend_${what}_timeout` },
  upstream: { [`${what}TimeoutMs`]: 100 },
});

const CASES: readonly Case[] = [
  {
    what: 'refuses the connection',
    start: deadPort,
    ...{ status: 502, code: 'backend_unreachable', retried: true },
  },
  { what: 'never accepts the connection', start: silentPort, ...late('connect'), retried: true },
  { what: 'resets before it answers', start: failing('reset'), ...lost },
  { what: 'closes before it answers', start: failing('close'), ...lost },
  { what: 'answers garbage', start: failing('garbage'), ...broken },
  { what: 'never answers', start: failing('hang'), ...late('headers'), retried: false },
  { what: 'breaks off within its status line', start: answering('HTTP/1.1 2'), ...broken },
  { what: 'breaks off within its headers', start: answering('HTTP/1.1 200 OK\r\nContent-Le'), ...broken },
  { what: 'breaks off after an interim answer', start: answering('HTTP/1.1 103 Hints\r\n\r\n'), ...broken },
  { what: 'answers in another protocol', start: answering('SSH-2.0-OpenSSH_9.6\r\n'), ...broken },
  {
    what: 'sends endless headers',
    start: answering(`HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`),
    ...broken,
  },
  {
    what: 'sends a bad status',
    start: answering('HTTP/1.1 099 Low\r\nContent-Length: 2\r\n\r\nhi'),
    ...broken,
  },
  {
    what: 'folds its headers (RFC 9112 §5.2)',
    start: answering('HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\nContent-Length: 2\r\n\r\nhi'),
    ...broken,
  },
  {
    what: 'sends a header with a control character (RFC 9110 §5.5)',
    start: answering('HTTP/1.1 200 OK\r\nX-A: a\x7fb\r\nContent-Length: 2\r\n\r\nhi'),
    ...broken,
  },
  {
    what: 'sends two lengths (RFC 9112 §6.3)',
    start: answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!'),
    ...broken,
  },
  {
    what: 'switches protocols unasked (RFC 9110 §15.2.2)',
    start: answering('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
    ...broken,
  },
];

describe('a backend that fails before it answers', () => {
  for (const { what, start, status, code, retried, upstream = {} } of CASES) {
    it(`and ${what} is answered for with ${status} when it is the only one`, async () => {
      await using backend = await start();
      const backends = [{ host: '127.0.0.1', port: backend.port, name: 'bad' }];
      await withGateway({ backends, upstream }, async (gateway) => {
        using client = await connectRaw(gateway.port);
        client.send(chatText());
        const response = await responsesOf(client).next();
        assertError(response, status, code);
        assert.match(response.body, /Backend bad /);
        assert.doesNotMatch(response.body, /\(other\)/, 'the failure has a name');
        assert.ok(failuresOf(gateway) >= 1);
      });
    });

    it(`and ${what} is ${retried ? '' : 'not '}made up for by another one`, async () => {
      await using backend = await start();
      await using good = await startMock();
      const bad = { host: '127.0.0.1', port: backend.port, name: 'bad', weight: 1000 };
      await withGateway({ backends: [bad, good], upstream }, async (gateway) => {
        using client = await connectRaw(gateway.port);
        client.send(chatText({ stream: false }));
        const response = await responsesOf(client).next();
        if (retried) assert.equal(response.status, 200, response.body);
        else assertError(response, status, code);
        assert.equal(good.counters.total, retried ? 1 : 0);
        assert.equal(failuresOf(gateway), 1);
      });
    });
  }

  it('is not made up for once the body has streamed to it', async () => {
    await using bad = await startRawBackend((peer) => peer.socket.resetAndDestroy());
    await using good = await startMock();
    const backends = [{ port: bad.port, name: 'bad', weight: 1000 }, good];
    await withGateway({ backends, retry: { bufferBytes: 10 } }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      const text = requestText({ target: '/v1/x', body: 'x'.repeat(1000) });
      client.send(text.slice(0, -500));
      const responses = responsesOf(client);
      assertError(await responses.next(), 502, 'backend_failed');
      client.send(text.slice(-500));
      assert.deepEqual(await responses.rest(), { text: '', wasReset: false });
      assert.equal(good.counters.total, 0);
    });
  });

  it('is answered for with the whole body read when it is small', async () => {
    await using bad = await startMock({ script: { fault: 'reset' } });
    await withGateway({ backends: [bad] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      const responses = responsesOf(client);
      for (let turn = 0; turn < 3; turn += 1) {
        client.send(chatText());
        assertError(await responses.next(), 502, 'backend_failed');
      }
    });
  });
});

describe('without a backend to take it', () => {
  it('a request is answered with 503 and Retry-After (RFC 9110 §10.2.3)', async () => {
    await withGateway({}, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(chatText());
      const response = await responsesOf(client).next();
      assertError(response, 503, 'no_backend_configured');
      assert.match(valuesIn(response, 'retry-after')[0] ?? '', /^\d+$/);
    });
  });

  it('a request that has waited its time is answered with 503', async () => {
    await using mock = await startMock({ script: { fault: 'hang' } });
    await withGateway({ backends: [mock], pool: { size: 1 }, queue: { timeoutMs: 20 } }, async (gateway) => {
      using first = await connectRaw(gateway.port);
      first.send(chatText());
      await mock.received(1);
      using second = await connectRaw(gateway.port);
      second.send(chatText());
      assertError(await responsesOf(second).next(), 503, 'queue_timeout');
      first.socket.destroy();
      await mock.aborted(1);
    });
  });
});
