/** Ordinary clients, many at a time: each gets the answer to its own request, whole. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer, get } from 'node:http';
import { describe, it } from 'node:test';
import { startMock } from '../../mock/server.ts';
import { listenOnLoopback } from '../support/listen.ts';
import { failuresOf, withGateway } from './support/gateway.ts';

/** A backend that sends back the body it gets, piece by piece as it comes. */
async function startEcho() {
  const server = createServer((request, response) => {
    response.setHeader('X-Echo', request.url ?? '');
    request.pipe(response);
  });
  const port = await listenOnLoopback(server);
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Text that tells which request it belongs to in each of its lines. */
function bodyOf(number: number): string {
  return `this is of request ${number}\n`.repeat(1 + ((number * 7919) % 3000));
}

describe('many clients at a time', () => {
  const CLIENTS = 100;

  it('each get their own body back, through a pool that is smaller than their number', async () => {
    await using first = await startEcho();
    await using second = await startEcho();
    const config = { backends: [first, second], pool: { size: 5 }, retry: { bufferBytes: 20_000 } };
    await withGateway(config, async (gateway) => {
      const exchange = async (number: number) => {
        const response = await fetch(`${gateway.url}/v1/echo/${number}`, {
          method: 'POST',
          body: bodyOf(number),
        });
        assert.equal(response.status, 200);
        assert.equal(response.headers.get('x-echo'), `/v1/echo/${number}`);
        assert.equal(await response.text(), bodyOf(number));
      };
      await Promise.all(Array.from({ length: CLIENTS }, (_, number) => exchange(number)));
      assert.equal(failuresOf(gateway), 0);
    });
  });

  it('each keep their connection', async () => {
    await using mock = await startMock();
    await withGateway({ backends: [mock] }, async (gateway) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 4 });
      const ports = new Set<number | undefined>();
      const ask = async () => {
        const [response] = await once(get(`${gateway.url}/v1/models`, { agent }), 'response');
        assert.equal(response.statusCode, 200);
        ports.add(response.socket.localPort);
        await response.toArray();
      };
      await Promise.all(Array.from({ length: CLIENTS }, ask));
      assert.equal(ports.size, 4);
      agent.destroy();
    });
  });
});

describe('fetch', () => {
  it('sends a body of unknown length, and reads the answer while it does', async () => {
    await using echo = await startEcho();
    await withGateway({ backends: [echo], retry: { bufferBytes: 10 } }, async (gateway) => {
      const upload = new TransformStream<string, string>();
      const writer = upload.writable.getWriter();
      const body = upload.readable.pipeThrough(new TextEncoderStream());
      const begun = writer.write('more than ten bytes,');
      const response = await fetch(`${gateway.url}/v1/echo`, { method: 'POST', body, duplex: 'half' });
      await begun;
      const end = writer.write('and the end').then(() => writer.close());
      assert.equal(await response.text(), 'more than ten bytes,and the end');
      await end;
    });
  });

  it('that is aborted while it streams has the generation cancelled', async () => {
    await using mock = await startMock({ script: { tokenCount: 1_000_000, tokenGapMs: 1 } });
    await withGateway({ backends: [mock] }, async (gateway) => {
      const abort = new AbortController();
      const response = await fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ stream: true, messages: [] }),
        signal: abort.signal,
      });
      await response.body?.getReader().read();
      abort.abort();
      await mock.aborted(1);
      await gateway.fact('client.aborted');
      assert.equal(failuresOf(gateway), 0);
    });
  });
});
