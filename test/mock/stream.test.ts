/**
 * Writing in pieces: back-pressure, and the end when the peer leaves.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { type BodyEnd, writePieces } from '../../mock/stream.ts';

const PIECE = Buffer.alloc(64 * 1024);
const PIECES = 4096;

test('a stream waits for a reader who does not read, and stops when he leaves', async () => {
  let made = 0;
  function* endless(): Generator<Buffer> {
    for (; made < PIECES; made++) yield PIECE;
  }
  const ended = Promise.withResolvers<BodyEnd>();
  const server = createServer((_, response) => {
    writePieces(response, endless(), { gapMs: null, breakFault: null }).then(ended.resolve, ended.reject);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);

  const response = await new Promise<IncomingMessage>((resolve) => {
    get({ host: '127.0.0.1', port: address.port }, resolve);
  });
  response.destroy();
  assert.equal(await ended.promise, 'gone');
  // 4096 pieces are 256 MiB; the buffers between two sockets hold a few MiB.
  assert.ok(made < PIECES / 4, `${made} pieces were made for nobody`);
  server.close();
});
