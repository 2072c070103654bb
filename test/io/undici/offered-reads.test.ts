/** Connections whose bytes go straight to their reader: every byte once and in order, whoever reads them and when. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { connectWithDirectReads } from '../../../src/io/incoming.ts';
import { offerReads } from '../../../src/io/undici/offered-reads.ts';
import { listenOnLoopback } from '../../support/listen.ts';

type Pair = { readonly near: Socket; readonly far: Socket } & AsyncDisposable;

/** A connection with direct reads, and its other end. */
async function connected(): Promise<Pair> {
  const server = createServer();
  const port = await listenOnLoopback(server);
  const accepted = once(server, 'connection');
  const { tcp: near, incoming } = connectWithDirectReads({ host: '127.0.0.1', port });
  offerReads(near, incoming);
  await once(near, 'connect');
  const [far]: Socket[] = await accepted;
  if (far === undefined) throw new Error('no connection came');
  return {
    ...{ near, far },
    async [Symbol.asyncDispose]() {
      for (const socket of [near, far]) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Resolves once a figure has been the same for many turns of the event loop. */
async function atRest(figure: () => number): Promise<void> {
  let before = Number.NaN;
  for (let same = 0; same < 100; same = figure() === before ? same + 1 : 0) {
    before = figure();
    await setImmediate();
  }
}

describe('a connection with direct reads', () => {
  it('hands over what comes within the event, without a turn of the loop between', async () => {
    await using pair = await connected();
    const { near, far } = pair;
    const pieces: string[] = [];
    const all = Promise.withResolvers<void>();
    near.on('readable', () => {
      for (let piece = near.read(); piece !== null; piece = near.read()) pieces.push(String(piece));
      if (pieces.join('').endsWith('.')) all.resolve();
    });
    far.write('one');
    await once(near, 'readable');
    assert.deepEqual(pieces, ['one']);
    assert.equal(near.readableLength, 0);
    far.write(' two.');
    await all.promise;
    assert.equal(pieces.join(''), 'one two.');
  });

  it('keeps what nobody takes, and what comes behind it stays behind it', async () => {
    await using pair = await connected();
    const { near, far } = pair;
    let isTaking = false;
    let text = '';
    near.on('readable', () => {
      if (!isTaking) return;
      for (let piece = near.read(); piece !== null; piece = near.read()) text += piece;
    });
    far.write('a');
    await once(near, 'readable');
    far.write('b');
    while (near.readableLength < 2) await once(near, 'readable');
    isTaking = true;
    far.end('c');
    await once(near, 'end');
    assert.equal(text, 'abc');
  });

  it('can be given back what was taken, in front of what comes next', async () => {
    await using pair = await connected();
    const { near, far } = pair;
    let text = '';
    near.once('readable', () => {
      near.unshift(near.read());
      near.on('data', (piece) => {
        text += piece;
      });
    });
    far.write('first ');
    await once(near, 'data');
    far.end('second');
    await once(near, 'end');
    assert.equal(text, 'first second');
  });

  it('makes its sender wait while nobody reads, and loses nothing', async () => {
    await using pair = await connected();
    const { near, far } = pair;
    const sent = Buffer.alloc(32 * 1024 * 1024, 'abcdefghij');
    far.end(sent);
    await once(near, 'readable');
    await atRest(() => far.writableLength);
    assert.ok(far.writableLength > 0, 'more was taken than two kernels hold');
    assert.ok(near.readableLength <= 2 * near.readableHighWaterMark, `${near.readableLength} bytes wait`);
    const pieces: Buffer[] = [];
    near.on('data', (piece: Buffer) => pieces.push(piece));
    await once(near, 'end');
    assert.ok(Buffer.concat(pieces).equals(sent));
  });
});
