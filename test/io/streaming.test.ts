/** Streams: each piece goes out when it comes in, nothing is collected, and a slow reader slows its backend down. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { blobPieces, createBlobCheck } from '../../mock/blob.ts';
import { startMock } from '../../mock/server.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { failuresOf, withGateway } from './support/gateway.ts';
import { startRawBackend } from './support/raw-backend.ts';
import { chatText, chunk, LAST_CHUNK, requestText } from './support/requests.ts';
import { responsesOf } from './support/responses.ts';

const SSE_HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
const BLOB_BYTES = 200 * 1024 * 1024;
/** What the kernel holds for two connections, and the ends a little; far less than the blob. */
const IN_FLIGHT_MAX_BYTES = 64 * 1024 * 1024;

describe('an event stream', () => {
  it('has its headers sent before there is a first token', async () => {
    await using backend = await startRawBackend((peer) => peer.send(SSE_HEAD));
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(chatText());
      await client.until(/text\/event-stream[\s\S]*\r\n\r\n/);
      (await backend.connection(1)).send(LAST_CHUNK);
      assert.equal((await responsesOf(client).next()).body, '');
    });
  });

  it('has each event passed on before the backend sends the next', async () => {
    await using backend = await startRawBackend((peer) => peer.send(SSE_HEAD));
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(chatText());
      const peer = await backend.connection(1);
      for (let token = 0; token < 50; token += 1) {
        peer.send(chunk(`data: ${token}\n\n`));
        await client.until((text) => text.includes(`data: ${token}\n\n`));
      }
      peer.send(LAST_CHUNK);
      const { body } = await responsesOf(client).next();
      assert.equal(body, Array.from({ length: 50 }, (_, token) => `data: ${token}\n\n`).join(''));
    });
  });

  it('has a piece of a chunk passed on before the chunk is whole', async () => {
    await using backend = await startRawBackend((peer) => peer.send(`${SSE_HEAD}10\r\ndata: be`));
    await withGateway({ backends: [backend] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      client.send(chatText());
      await client.until(/data: be/);
      (await backend.connection(1)).send(`fore x\n\n\r\n${LAST_CHUNK}`);
      assert.equal((await responsesOf(client).next()).body, 'data: before x\n\n');
    });
  });

  it('is passed on while the request body is still being sent', async () => {
    await using backend = await startRawBackend((peer) => peer.send(SSE_HEAD));
    await withGateway({ backends: [backend], retry: { bufferBytes: 10 } }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      const headers = ['Transfer-Encoding: chunked'];
      client.send(requestText({ target: '/v1/echo', method: 'POST', headers, body: chunk('x'.repeat(20)) }));
      const peer = await backend.connection(1);
      for (let turn = 0; turn < 5; turn += 1) {
        client.send(chunk(`up ${turn}.`));
        await peer.until((text) => text.includes(`up ${turn}.`));
        peer.send(chunk(`down ${turn}.`));
        await client.until((text) => text.includes(`down ${turn}.`));
      }
      client.send(LAST_CHUNK);
      await peer.until((text) => text.endsWith(LAST_CHUNK));
      peer.send(LAST_CHUNK);
      assert.equal((await responsesOf(client).next()).body, 'down 0.down 1.down 2.down 3.down 4.');
    });
  });

  it('keeps its socket for the next request once it has ended', async () => {
    await using mock = await startMock({ script: { tokenCount: 20 } });
    await withGateway({ backends: [mock] }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      const responses = responsesOf(client);
      for (let turn = 0; turn < 5; turn += 1) {
        client.send(chatText());
        assert.match((await responses.next()).body, /data: \[DONE\]\n\n$/);
      }
      assert.deepEqual(
        mock.requests.map(({ onReusedSocket }) => onReusedSocket),
        [false, true, true, true, true],
      );
    });
  });
});

/** A backend that sends a blob as fast as it is taken, and counts what it got rid of. */
async function startBlobBackend(head: string, frame: (piece: Buffer) => (Buffer | string)[], tail = '') {
  const sent = { bytes: 0 };
  const pour = async ({ socket, send }: RawClient) => {
    send(head);
    for (const piece of blobPieces(BLOB_BYTES)) {
      for (const part of frame(piece)) {
        sent.bytes += part.length;
        if (!socket.write(part)) await once(socket, 'drain');
      }
    }
    send(tail);
  };
  const backend = await startRawBackend((peer) => void pour(peer).catch(() => {}));
  return { backend, sent };
}

/** Turns of the event loop without a change after which a writer counts as stopped. */
const QUIET_TURNS = 200;

async function untilStopped(sent: { readonly bytes: number }): Promise<void> {
  let before = -1;
  for (let quiet = 0; quiet < QUIET_TURNS; quiet = sent.bytes === before ? quiet + 1 : 0) {
    before = sent.bytes;
    await setImmediate();
  }
}

async function open(port: number): Promise<IncomingMessage> {
  const [response] = await once(get({ port, host: '127.0.0.1', path: '/v1/blob', agent: false }), 'response');
  return response;
}

describe('an answer longer than memory may hold', () => {
  const framings = [
    [
      'of a known length',
      `HTTP/1.1 200 OK\r\nContent-Length: ${BLOB_BYTES}\r\n\r\n`,
      (piece: Buffer) => [piece],
      '',
    ],
    [
      'in chunks',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
      (piece: Buffer) => [`${piece.length.toString(16)}\r\n`, piece, '\r\n'],
      LAST_CHUNK,
    ],
  ] as const;
  for (const [what, head, frame, tail] of framings) {
    it(`${what} passes byte for byte, and its backend waits for a slow reader`, async () => {
      const { backend, sent } = await startBlobBackend(head, (piece) => [...frame(piece)], tail);
      await using _ = backend;
      await withGateway({ backends: [backend] }, async (gateway) => {
        const response = await open(gateway.port);
        await untilStopped(sent);
        assert.ok(sent.bytes < IN_FLIGHT_MAX_BYTES, `${sent.bytes} bytes were taken from the backend unread`);
        const check = createBlobCheck();
        for await (const piece of response) {
          check.update(piece);
          const inFlight = sent.bytes - check.bytes;
          assert.ok(inFlight < IN_FLIGHT_MAX_BYTES, `${inFlight} bytes are between backend and client`);
        }
        assert.equal(check.bytes, BLOB_BYTES);
        assert.equal(failuresOf(gateway), 0);
      });
    });
  }

  it('lets go of its backend when the slow reader leaves', async () => {
    const { backend, sent } = await startBlobBackend(framings[0][1], (piece) => [piece]);
    await using _ = backend;
    await withGateway({ backends: [backend] }, async (gateway) => {
      const response = await open(gateway.port);
      await untilStopped(sent);
      response.destroy();
      await gateway.fact('client.aborted');
      await (await backend.connection(1)).closed();
      assert.equal(failuresOf(gateway), 0);
    });
  });
});

describe('a request body longer than memory may hold', () => {
  it('streams to a backend byte for byte, and waits for a backend that reads slowly', async () => {
    await using backend = await startRawBackend((peer) => peer.socket.pause());
    const limits = { server: { maxBodyBytes: BLOB_BYTES }, retry: { bufferBytes: 100_000 } };
    await withGateway({ backends: [backend], ...limits }, async (gateway) => {
      using client = await connectRaw(gateway.port);
      const sent = { bytes: 0 };
      const upload = async () => {
        const headers = [`Content-Length: ${BLOB_BYTES}`];
        client.send(requestText({ target: '/v1/blob', method: 'PUT', headers }));
        for (const piece of blobPieces(BLOB_BYTES)) {
          sent.bytes += piece.length;
          if (!client.socket.write(piece)) await once(client.socket, 'drain');
        }
      };
      const uploading = upload();
      const peer = await backend.connection(1);
      await untilStopped(sent);
      assert.ok(sent.bytes < IN_FLIGHT_MAX_BYTES, `${sent.bytes} bytes were taken from the client unread`);
      const check = createBlobCheck();
      const { socket, text } = peer;
      check.update(Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4), 'latin1'));
      socket.removeAllListeners('data');
      socket.on('data', (piece: Buffer) => check.update(piece));
      socket.resume();
      await uploading;
      while (check.bytes < BLOB_BYTES) await once(socket, 'data');
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      assert.equal((await responsesOf(client).next()).body, 'ok');
    });
  });
});
