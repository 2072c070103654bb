/** The backend's end alone: what is told of a connection that is lost on the way, in ways that a loopback does not lose one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, it } from 'node:test';
import { Client } from 'undici';
import { createResponseClock } from '../../src/io/response-clock.ts';
import { siftContinues } from '../../src/io/unasked-continue.ts';
import { createUpstream } from '../../src/io/upstream.ts';
import type { UpstreamReceiver } from '../../src/streams/ports.ts';
import { startRawBackend } from './support/raw-backend.ts';

const REQUEST = { method: 'GET', target: '/v1/x', headers: [], body: null, upgrade: undefined };

describe('a connection that was open', () => {
  for (const code of ['ETIMEDOUT', 'EHOSTUNREACH']) {
    it(`and ends with ${code} was lost; it was not its opening that failed`, async () => {
      await using backend = await startRawBackend();
      const tcp = net.connect(backend.port, '127.0.0.1');
      await once(tcp, 'connect');
      const client = new Client(`http://127.0.0.1:${backend.port}`, {
        connect: (_options, callback) => queueMicrotask(() => callback(null, tcp)),
      });
      const connection = { tcp, client, clock: createResponseClock(), sieve: siftContinues(tcp) };
      const sockets = { connectionOf: () => connection };
      const upstream = createUpstream(sockets, () => ({ headersTimeoutMs: 5000, idleTimeoutMs: 5000 }));
      const failed = new Promise((resolve) => {
        const unexpected = () => assert.fail('nothing was answered');
        const receiver: UpstreamReceiver = {
          ...{ switched: unexpected, informed: unexpected, started: unexpected, data: unexpected },
          ended: unexpected,
          failed: (...how) => resolve(how),
        };
        upstream.send(1, REQUEST, receiver);
      });
      await backend.connection(1);
      tcp.destroy(Object.assign(new Error(code), { code }));
      assert.deepEqual(await failed, ['reset', true]);
    });
  }
});
