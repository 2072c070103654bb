/** The backend's end alone: what is told of a connection that is lost on the way, in ways that a loopback does not lose one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { createHttp1Connection } from '../../src/io/http1/http1-connection.ts';
import { connectWithDirectReads } from '../../src/io/incoming.ts';
import { createUndiciConnection } from '../../src/io/undici/undici-connection.ts';
import { createUpstream } from '../../src/io/upstream.ts';
import type { UpstreamReceiver } from '../../src/streams/ports.ts';
import { startRawBackend } from './support/raw-backend.ts';

const unexpected = () => assert.fail('nothing else was expected');

const REQUEST = { method: 'GET', target: '/v1/x', headers: [], body: null, upgrade: undefined };

describe('a connection that was open', () => {
  for (const client of ['builtin', 'undici'] as const) {
    for (const code of ['ETIMEDOUT', 'EHOSTUNREACH']) {
      it(`and ends with ${code} was lost; it was not its opening that failed (${client})`, async () => {
        await using backend = await startRawBackend();
        const { port } = backend;
        const { tcp, incoming } = connectWithDirectReads({ host: '127.0.0.1', port });
        await once(tcp, 'connect');
        const connection =
          client === 'builtin'
            ? createHttp1Connection(tcp, incoming, `127.0.0.1:${port}`)
            : createUndiciConnection(tcp, incoming, `http://127.0.0.1:${port}`);
        const lost = Object.assign(new Error(code), { code });
        tcp.on('error', () => {});
        tcp.once('close', () => connection.closed(lost));
        const sockets = { connectionOf: () => connection };
        const upstream = createUpstream(sockets, () => ({ headersTimeoutMs: 5000, idleTimeoutMs: 5000 }));
        const failed = new Promise((resolve) => {
          const receiver: UpstreamReceiver = {
            ...{ switched: unexpected, informed: unexpected, started: unexpected, data: unexpected },
            ended: unexpected,
            failed: (reason, isWritten) => resolve([reason, isWritten]),
          };
          upstream.send(1, REQUEST, receiver);
        });
        await backend.connection(1);
        tcp.destroy(lost);
        assert.deepEqual(await failed, ['reset', true]);
      });
    }
  }
});

describe('an answer that its receiver throws at', () => {
  it('fails, and its connection is closed; nothing is thrown any further', async () => {
    await using backend = await startRawBackend((peer) =>
      peer.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
    );
    const { port } = backend;
    const { tcp, incoming } = connectWithDirectReads({ host: '127.0.0.1', port });
    await once(tcp, 'connect');
    const connection = createHttp1Connection(tcp, incoming, `127.0.0.1:${port}`);
    const failed = new Promise((resolve) => {
      const receiver: UpstreamReceiver = {
        ...{ switched: unexpected, informed: unexpected, data: unexpected, ended: unexpected },
        started() {
          throw new RangeError('cannot be passed on');
        },
        failed: (reason, isWritten) => resolve([reason, isWritten]),
      };
      connection.send(REQUEST, receiver, { headersTimeoutMs: 5000, idleTimeoutMs: 5000 });
    });
    assert.deepEqual(await failed, ['other', true]);
    assert.ok(tcp.destroyed);
  });
});
