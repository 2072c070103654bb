/** Pieces of an answer's body of any size, in any order, all within one turn: the client gets the very same bytes. */
import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { endWith, writeChunk } from '../../src/io/answer-body.ts';
import { listenOnLoopback } from '../support/listen.ts';

/** Every byte there is, in pieces that are copied and pieces that are not. */
const PIECES = [1, 200, 8192, 8193, 7, 100_000, 3].map((length, index) =>
  Buffer.from(Uint8Array.from({ length }, (_, at) => (at * 31 + index) & 0xff)),
);
const WHOLE = Buffer.concat(PIECES);

async function received(answer: (response: ServerResponse) => void): Promise<Response> {
  const server = createServer((_request, response) => answer(response));
  const port = await listenOnLoopback(server);
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
    return new Response(await response.arrayBuffer(), response);
  } finally {
    server.close();
  }
}

describe('the body of an answer', () => {
  it('is the same in chunks (RFC 9112 §7.1)', async () => {
    const response = await received((to) => {
      to.writeHead(200);
      for (const [index, piece] of PIECES.entries()) writeChunk(to, piece, index > 0);
      writeChunk(to, Buffer.alloc(0), true);
      to.end();
    });
    assert.equal(response.headers.get('transfer-encoding'), 'chunked');
    assert.ok(Buffer.from(await response.arrayBuffer()).equals(WHOLE));
  });

  for (const rest of PIECES) {
    it(`is the same where ${rest.length} bytes are the last of a known length (RFC 9112 §6.2)`, async () => {
      const response = await received((to) => {
        to.writeHead(200, { 'content-length': WHOLE.length + rest.length });
        to.write(WHOLE);
        endWith(to, rest);
      });
      assert.ok(Buffer.from(await response.arrayBuffer()).equals(Buffer.concat([WHOLE, rest])));
    });
  }
});
