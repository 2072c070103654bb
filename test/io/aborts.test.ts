/**
 * Clients that leave, in every phase of a request: the request to the backend ends with theirs, at once, and nobody
 * takes that for a failure of the backend.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startMock } from '../../mock/server.ts';
import type { TestConfig, TestGateway } from '../support/gateway.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { startStopwatch } from '../support/stopwatch.ts';
import { silentPort } from './support/addresses.ts';
import { factTypes, failuresOf, withGateway } from './support/gateway.ts';
import { type RawBackend, startRawBackend } from './support/raw-backend.ts';
import { chatText, chunk, requestText } from './support/requests.ts';
import { responsesOf } from './support/responses.ts';

/** From the client's leaving to the end of the backend's connection; the promise of the documentation. */
const CANCEL_MAX_MS = 50;
const SSE_HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';

/** How a client may leave: by closing, by a reset, or by closing its side only. */
const LEAVINGS = [
  ['closes', ({ socket }: RawClient) => socket.destroy()],
  ['resets', ({ socket }: RawClient) => socket.resetAndDestroy()],
  ['closes its side', ({ socket }: RawClient) => socket.end()],
] as const;

/** Requires that something comes to pass soon after the client has left. */
async function inTime<Result>(leave: () => void, outcome: Promise<Result>): Promise<Result> {
  const elapsedMs = startStopwatch();
  leave();
  const result = await outcome;
  const tookMs = elapsedMs();
  assert.ok(tookMs < CANCEL_MAX_MS, `it took ${tookMs} ms`);
  return result;
}

type Scene = { readonly gateway: TestGateway; readonly client: RawClient; readonly backend: RawBackend };

/**
 * Brings a request to some point, has the client leave there, and requires that the backend's connection ends in
 * time, with `client.aborted` and no failure.
 */
async function leaving(
  leave: (client: RawClient) => void,
  arrange: (scene: Scene) => Promise<void>,
  { serve, config = {} }: { serve?: (peer: RawClient) => void; config?: TestConfig } = {},
): Promise<void> {
  await using backend = await startRawBackend(serve);
  await withGateway({ backends: [backend], ...config }, async (gateway) => {
    using client = await connectRaw(gateway.port);
    await arrange({ gateway, client, backend });
    const peer = await backend.connection(1);
    await inTime(() => leave(client), peer.closed());
    await gateway.fact('client.aborted');
    assert.equal(failuresOf(gateway), 0);
    assert.equal(factTypes(gateway).filter((type) => type === 'client.aborted').length, 1);
  });
}

describe('a client that leaves', () => {
  for (const [how, leave] of LEAVINGS) {
    it(`and ${how} before the answer has begun cancels the prefill`, () =>
      leaving(leave, async ({ client, backend }) => {
        client.send(chatText());
        await (await backend.connection(1)).until(/\}$/);
      }));

    it(`and ${how} before a plain answer has begun cancels that as well`, () =>
      leaving(leave, async ({ client, backend }) => {
        client.send(chatText({ stream: false }));
        await (await backend.connection(1)).until(/\}$/);
      }));

    it(`and ${how} in the middle of a stream cancels the generation`, () =>
      leaving(
        leave,
        async ({ client }) => {
          client.send(chatText());
          await client.until(/token/);
        },
        { serve: (peer) => peer.send(`${SSE_HEAD}${chunk('data: token\n\n')}`) },
      ));

    it(`and ${how} while its body streams to a backend cancels the request`, () =>
      leaving(
        leave,
        async ({ client, backend }) => {
          const text = requestText({ target: '/v1/x', body: 'x'.repeat(1000) });
          client.send(text.slice(0, -500));
          await (await backend.connection(1)).until(/x{400}$/);
        },
        { config: { retry: { bufferBytes: 10 } } },
      ));
  }

  it('in the middle of a plain answer cancels it', () =>
    leaving(
      LEAVINGS[0][1],
      async ({ client }) => {
        client.send(requestText());
        await client.until(/begun/);
      },
      { serve: (peer) => peer.send('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegun') },
    ));

  it('behind a pipelined request cancels both', async () => {
    await using backend = await startRawBackend();
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText() + requestText());
      const peers = [await backend.connection(1), await backend.connection(2)];
      client.socket.destroy();
      await Promise.all(peers.map((peer) => peer.closed()));
      await gateway.fact('client.aborted', 2);
      assert.equal(failuresOf(gateway), 0);
    });
  });

  it('while its body is still buffered is never heard of', async () => {
    await using mock = await startMock();
    await withGateway({ backends: [mock] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText({ target: '/v1/x', method: 'POST', headers: ['Content-Length: 1000'] }));
      client.send('half of it');
      using witness = await connectRaw(gateway.port);
      client.socket.resetAndDestroy();
      witness.send(requestText());
      await responsesOf(witness).next();
      assert.equal(factTypes(gateway).filter((type) => type === 'request.received').length, 1);
      assert.equal(mock.counters.total, 1);
    });
  });

  it('while the connection to its backend opens gives that up', async () => {
    await using silent = await silentPort();
    await withGateway({ backends: [{ port: silent.port, name: 'silent' }] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(chatText());
      await gateway.decision('socket.requested');
      const { decisions } = await inTime(() => client.socket.destroy(), gateway.fact('client.aborted'));
      assert.deepEqual(
        decisions.map(({ type }) => type),
        ['lease.released', 'socket.evicted'],
      );
      assert.equal(failuresOf(gateway), 0);
    });
  });

  it('while it waits in line leaves the line, and those behind it move up', async () => {
    await using mock = await startMock({ script: { nextFaults: ['hang'] } });
    await withGateway({ backends: [mock], pool: { size: 1 } }, async (gateway) => {
      using holder = await connectRaw(gateway.port);
      holder.send(requestText());
      await mock.received(1);
      using second = await connectRaw(gateway.port);
      second.send(requestText({ target: '/v1/second' }));
      await gateway.decision('request.queued', 1);
      using third = await connectRaw(gateway.port);
      third.send(requestText());
      await gateway.decision('request.queued', 2);
      await inTime(() => second.socket.destroy(), gateway.fact('client.aborted', 1));
      assert.equal(gateway.gateway.balancer.backends()[0]?.pool.queued, 1);
      holder.socket.destroy();
      assert.equal((await responsesOf(third).next()).status, 200);
      assert.deepEqual(
        mock.requests.map(({ url }) => url),
        ['/v1/models', '/v1/models'],
      );
      assert.equal(failuresOf(gateway), 0);
    });
  });

  it('once its answer is complete has not left', async () => {
    await using mock = await startMock();
    await withGateway({ backends: [mock] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText());
      await responsesOf(client).next();
      client.socket.destroy();
      await gateway.fact('response.ended');
      assert.equal(factTypes(gateway).includes('client.aborted'), false);
      assert.equal(gateway.gateway.balancer.backends()[0]?.pool.idle, 1);
    });
  });
});
