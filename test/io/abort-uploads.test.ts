/**
 * Clients that leave in the middle of an upload that their backend does not take: nothing wakes the gateway then, since
 * a connection that is not read from hides its end behind the bytes before it.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { TestConfig, TestGateway } from '../support/gateway.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { startStopwatch } from '../support/stopwatch.ts';
import { failuresOf, withGateway } from './support/gateway.ts';
import { startRawBackend } from './support/raw-backend.ts';
import { requestText } from './support/requests.ts';

const MIB = 1024 * 1024;
/** From the client's leaving to the end of the backend's connection; the promise of the documentation. */
const CANCEL_MAX_MS = 50;
/** More than the kernel holds for both connections together. */
const LONG = 24 * MIB;
/** Turns of the event loop without progress after which an upload counts as stuck. */
const QUIET_TURNS = 300;

/** Sends as much of a body as is taken, until nothing moves any more. */
async function sendUntilStuck({ socket, send }: RawClient, announced: number, most: number): Promise<void> {
  send(requestText({ target: '/v1/x', method: 'PUT', headers: [`Content-Length: ${announced}`] }));
  const piece = Buffer.alloc(MIB / 4, 'x');
  let sent = 0;
  let quiet = 0;
  while (sent < most && quiet < QUIET_TURNS) {
    if (socket.writableNeedDrain) {
      const before = socket.bytesWritten - socket.writableLength;
      await setImmediate();
      quiet = socket.bytesWritten - socket.writableLength === before ? quiet + 1 : 0;
    } else {
      quiet = 0;
      socket.write(piece.subarray(0, Math.min(piece.length, most - sent)));
      sent += Math.min(piece.length, most - sent);
    }
  }
  // The gateway reads on, in this very process; what it has read is in memory.
  for (let turn = 0, before = -1; turn < QUIET_TURNS; turn += 1) {
    const { arrayBuffers } = process.memoryUsage();
    if (arrayBuffers !== before) turn = 0;
    before = arrayBuffers;
    await setImmediate();
  }
}

type Leaving = {
  readonly leave: (client: RawClient) => void;
  readonly body: { readonly announced: number; readonly sent: number };
  readonly config?: TestConfig;
};

/** @returns how long it took until the client's leaving was noticed; by the end the backend has been left as well */
async function leaveStuck({ leave, body, config = {} }: Leaving): Promise<number> {
  await using backend = await startRawBackend(({ socket }) => socket.pause());
  const limits = { server: { maxBodyBytes: 1024 * MIB, ...config.server }, retry: { bufferBytes: 100_000 } };
  let tookMs = Number.POSITIVE_INFINITY;
  await withGateway({ backends: [backend], ...limits }, async (gateway) => {
    using client = await connectRaw(gateway.port);
    await sendUntilStuck(client, body.announced, body.sent);
    const { socket } = await backend.connection(1);
    const elapsedMs = startStopwatch();
    leave(client);
    const { decisions } = await gateway.fact('client.aborted');
    tookMs = elapsedMs();
    assert.deepEqual(
      decisions.map(({ type }) => type),
      ['lease.released', 'socket.evicted'],
    );
    // Only behind all that has been sent to it does the backend find the end.
    const closed = once(socket, 'close');
    socket.resume();
    await closed;
    assert.equal(failuresOf(gateway), 0);
  });
  return tookMs;
}

/** Megabytes are moved here, and on a busy machine that alone may take longer; so the best of a few counts. */
async function leavesInTime(leaving: Leaving): Promise<void> {
  const took: number[] = [];
  while (took.length < 5 && !took.some((tookMs) => tookMs < CANCEL_MAX_MS)) {
    took.push(await leaveStuck(leaving));
  }
  assert.ok(Math.min(...took) < CANCEL_MAX_MS, `it took ${took.join(', ')} ms`);
}

describe('a client that leaves in the middle of an upload that its backend does not take', () => {
  it('and closes is noticed, since what is left of the body is read ahead', () =>
    leavesInTime({ leave: ({ socket }) => socket.destroy(), body: { announced: LONG + 1, sent: LONG } }));

  it('and closes its side is noticed as well', () =>
    leavesInTime({ leave: ({ socket }) => socket.end(), body: { announced: LONG + 1, sent: LONG } }));

  it('and resets is noticed even where no memory is left to read ahead', () =>
    leavesInTime({
      leave: ({ socket }) => socket.resetAndDestroy(),
      body: { announced: 4 * LONG, sent: 4 * LONG - 1 },
      config: { server: { readAheadBytes: MIB } },
    }));

  it('gives back the memory that its body took, also when it waits in line', async () => {
    await using backend = await startRawBackend();
    const config = {
      ...{ backends: [backend], pool: { size: 1 }, retry: { bufferBytes: 10 } },
      server: { readAheadBytes: 4 * MIB },
    };
    await withGateway(config, async (gateway) => {
      using holder = await connectRaw(gateway.port);
      holder.send(requestText());
      await backend.connection(1);
      for (let turn = 1; turn <= 4; turn += 1) await leaveLine(gateway, turn);
      holder.socket.destroy();
    });
  });
});

/** Needs a good part of the read-ahead memory to be seen leaving; so it fails when the memory is not given back. */
async function leaveLine(gateway: TestGateway, turn: number): Promise<void> {
  using waiting = await connectRaw(gateway.port);
  const before = gateway.entries.filter(({ fact }) => fact.type === 'client.aborted').length;
  waiting.send(requestText({ target: '/v1/x', method: 'PUT', headers: [`Content-Length: ${2 * MIB}`] }));
  waiting.socket.write(Buffer.alloc(1.5 * MIB, 'x'));
  await gateway.decision('request.queued', turn);
  waiting.socket.end();
  await gateway.fact('client.aborted', before + 1);
}
