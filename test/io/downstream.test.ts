/** The client's end alone, over a socket whose writes the test lets go one by one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { NodeDownstream } from '../../src/io/downstream.ts';
import { listenOnLoopback } from '../support/listen.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';

type Scene = {
  readonly downstream: NodeDownstream;
  readonly socket: Socket;
  readonly client: RawClient;
  /** Lets the next write go, if one waits. */
  letGo(): Promise<void>;
};

async function onStage(play: (scene: Scene) => Promise<void>, version = '1.1'): Promise<void> {
  const server = createServer();
  const asked = once(server, 'request');
  using client = await connectRaw(await listenOnLoopback(server));
  client.send(`GET / HTTP/${version}\r\nHost: x\r\n\r\n`);
  const [request, response]: [IncomingMessage, ServerResponse] = (await asked) as [
    IncomingMessage,
    ServerResponse,
  ];
  const { socket } = request;
  const held: (() => void)[] = [];
  const write = socket._write.bind(socket);
  Object.assign(socket, { _writev: null });
  socket._write = (data, encoding, done) => void held.push(() => write(data, encoding, done));
  const settings = { idleReaderTimeoutMs: 60_000 };
  try {
    await play({
      ...{ socket, client },
      downstream: new NodeDownstream(request, response, () => false, settings, undefined),
      async letGo() {
        held.shift()?.();
        await turn();
      },
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('an answer to a slow client', () => {
  it('goes on when what waited has gone, interim answers among it', () =>
    onStage(async ({ downstream, socket, letGo }) => {
      let drained = 0;
      downstream.listen({ drained: () => (drained += 1), gone() {} });
      for (let count = 0; count < 5; count += 1) downstream.inform(103, ['X', 'i'.repeat(15_000)]);
      assert.ok(socket.writableNeedDrain);
      await letGo();
      await letGo();
      downstream.start(200, 'OK', ['Content-Type', 'text/plain']);
      await turn();
      while (downstream.write(Buffer.alloc(2000, 'x')));
      while (socket.writableLength > 0) await letGo();
      assert.equal(drained, 1);
    }));

  it('tells once that more may come, however often more came before', () =>
    onStage(async ({ downstream, socket, letGo }) => {
      let drained = 0;
      downstream.listen({ drained: () => (drained += 1), gone() {} });
      downstream.start(200, 'OK', ['Content-Type', 'text/plain']);
      for (let round = 1; round <= 3; round += 1) {
        for (let count = 0; count < 50; count += 1) downstream.write(Buffer.alloc(8000, 'x'));
        while (socket.writableLength > 0) await letGo();
        assert.equal(drained, round);
      }
      assert.ok(socket.listenerCount('drain') < 5, 'listeners pile up');
    }));
});

describe('an answer', () => {
  it('begins with its head though its first piece is empty', () =>
    onStage(async ({ downstream, client, letGo }) => {
      downstream.listen({ drained() {}, gone() {} });
      downstream.start(200, 'OK', ['Content-Type', 'text/plain']);
      downstream.write(Buffer.alloc(0));
      downstream.write(Buffer.from('hello'));
      downstream.end([]);
      for (let count = 0; count < 5; count += 1) await letGo();
      await client.until(/hello/);
      assert.match(client.text, /^HTTP\/1\.1 200 OK\r\n/);
    }));

  for (const [framing, version, headers] of [
    ['chunks', '1.1', ['X', 'y']],
    ['a length', '1.1', ['Content-Length', '100200']],
    ['the end of the connection', '1.0', ['X', 'y']],
  ] as const) {
    it(`is copied before its bytes are overwritten, however long a piece: framed by ${framing}`, () =>
      onStage(async ({ downstream, client, letGo }) => {
        downstream.listen({ drained() {}, gone() {} });
        downstream.start(200, 'OK', headers);
        for (const length of [100, 100_000, 100]) {
          const borrowed = Buffer.alloc(length, 'a');
          downstream.write(borrowed);
          borrowed.fill('#');
        }
        downstream.end([]);
        const whole = client.until((text) => (text.match(/a/g) ?? []).length >= 100_200);
        for (let count = 0; count < 50; count += 1) await letGo();
        await whole;
        assert.doesNotMatch(client.text, /#/);
      }, version));
  }
});
