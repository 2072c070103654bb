/** Prompts are not held while their answers stream, and until then they can be sent again. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { withGateway } from './support/gateway.ts';
import { startRawBackend } from './support/raw-backend.ts';
import { chunk, LAST_CHUNK, requestText } from './support/requests.ts';
import { responsesOf } from './support/responses.ts';

const KIB = 1024;
const STREAMS = 20;
const PROMPT_BYTES = 300 * KIB;
/** What buffers of sockets may make up; a fifth of one copy of the prompts. */
const SLACK_BYTES = (STREAMS * PROMPT_BYTES) / 5;
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** What buffers take after a collection. */
async function bufferBytes(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    await turn();
    collect();
  }
  return process.memoryUsage().arrayBuffers;
}

describe('a prompt', () => {
  it('is not held once its answer has begun', async () => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    await using backend = await startRawBackend((peer) => {
      peer.socket.on('data', () => {
        if (peer.text.endsWith('the end')) peer.send(head + chunk('begun'));
      });
    });
    const prompt = `${'x'.repeat(PROMPT_BYTES)}the end`;
    const asked = Buffer.from(requestText({ body: prompt }));
    await withGateway({ backends: [backend], pool: { size: STREAMS } }, async (gateway) => {
      const before = await bufferBytes();
      const clients: RawClient[] = [];
      for (let count = 0; count < STREAMS; count += 1) {
        const client = await connectRaw(gateway.port);
        clients.push(client);
        client.send(asked);
        await client.until(/begun/);
      }
      const grown = (await bufferBytes()) - before;
      assert.ok(grown < SLACK_BYTES, `${grown} bytes are held`);
      for (const peer of backend.connections) peer.send(LAST_CHUNK);
      for (const client of clients) {
        assert.equal((await responsesOf(client).next()).body, 'begun');
        client.socket.destroy();
      }
    });
  });

  for (const bytes of [KIB, 31 * KIB, 40 * KIB, 900 * KIB]) {
    const prompt = 'y'.repeat(bytes);

    it(`of ${bytes} bytes is sent again, whole and with its length, where nothing was answered`, async () => {
      const lengths: (string | undefined)[] = [];
      await using backend = await startRawBackend((peer, number) => {
        const look = () => {
          if (!peer.text.endsWith('yend')) return;
          lengths.push(/\r\ncontent-length: (\d+)\r\n/i.exec(peer.text)?.[1]);
          assert.ok(peer.text.endsWith(`\r\n\r\n${prompt}end`));
          if (number === 1) peer.socket.end();
          else peer.send(ANSWER);
        };
        peer.socket.on('data', look);
        look();
      });
      const twin = { name: 'twin', port: backend.port };
      await withGateway({ backends: [backend, twin] }, async (gateway) => {
        using client = await connectRaw(gateway.port);
        const headers = ['Transfer-Encoding: chunked'];
        client.send(requestText({ method: 'POST', headers }) + chunk(`${prompt}end`) + LAST_CHUNK);
        assert.equal((await responsesOf(client).next()).body, 'hi');
        assert.deepEqual(lengths, [String(bytes + 3), String(bytes + 3)]);
      });
    });
  }

  it('that its backend answers before it has read it is answered', async () => {
    await using backend = await startRawBackend((peer) => {
      peer.socket.pause();
      peer.send(ANSWER);
    });
    await withGateway({ backends: [backend], retry: { bufferBytes: 32_000 * KIB } }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(requestText({ body: 'z'.repeat(20_000 * KIB) }));
      assert.equal((await responsesOf(client).next()).body, 'hi');
    });
  });
});
