/** No timer outlives the socket to a backend that it was set for: there may be thousands of sockets within its time. */
import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { withGateway } from './support/gateway.ts';
import { startRawBackend } from './support/raw-backend.ts';
import { chunk, requestText } from './support/requests.ts';

const HEADERS_TIMEOUT_MS = 543_210;
const IDLE_TIMEOUT_MS = 432_100;
const REQUESTS = 5;
const IN_TIME_MS = 5_000;

/** Counts the timers that run and are longer than any other of a gateway. */
function watchTimers(): Disposable & { longOnes(): number } {
  const running = new Set<number>();
  const hook = createHook({
    init(id, type, _trigger, resource) {
      if (type === 'Timeout' && delayOf(resource) > IDLE_TIMEOUT_MS - 60_000) running.add(id);
    },
    destroy: (id) => void running.delete(id),
  }).enable();
  return { longOnes: () => running.size, [Symbol.dispose]: () => void hook.disable() };
}

/** What node keeps it under; should it be renamed, no timer is seen and the test fails. */
function delayOf(timer: object): number {
  return '_idleTimeout' in timer && typeof timer._idleTimeout === 'number' ? timer._idleTimeout : 0;
}

/** How the socket comes to its end. */
const ENDS: readonly (readonly [string, (peer: RawClient, client: RawClient) => void])[] = [
  [
    'closed by its backend behind an answer',
    (peer) => peer.send('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'),
  ],
  ['lost before the answer', (peer) => peer.socket.resetAndDestroy()],
  [
    'lost in the middle of the answer',
    (peer) => {
      peer.socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('x')}`, () =>
        peer.socket.resetAndDestroy(),
      );
    },
  ],
  ['given up with its client', (_peer, client) => void client.socket.destroy()],
];

describe('the timer of a socket to a backend', () => {
  for (const [how, end] of ENDS) {
    it(`ends with a socket that is ${how}`, async () => {
      await using backend = await startRawBackend();
      const upstream = { headersTimeoutMs: HEADERS_TIMEOUT_MS, idleTimeoutMs: IDLE_TIMEOUT_MS };
      const config = { backends: [backend], upstream, retry: { attempts: 0 } };
      await withGateway(config, async (gateway) => {
        using timers = watchTimers();
        for (let number = 1; number <= REQUESTS; number += 1) {
          using client = await connectRaw(gateway.port);
          client.send(requestText());
          const peer = await backend.connection(number);
          assert.equal(timers.longOnes(), 1, 'the request is timed');
          end(peer, client);
          await peer.closed();
          await gateway.decision('lease.released', number);
          await inTime(() => timers.longOnes() === 0, `timers are left after ${number} requests`);
        }
      });
    });
  }
});

/** What has been cleared is told of some turns later. */
async function inTime(isSo: () => boolean, complaint: string): Promise<void> {
  const until = performance.now() + IN_TIME_MS;
  while (!isSo()) {
    assert.ok(performance.now() < until, complaint);
    await turn();
  }
}
