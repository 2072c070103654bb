/** Each duration of the config may be as long as it is allowed to be, and nothing is over at once for it. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as pass } from 'node:timers/promises';
import { schema } from '../../src/io/config/schema.ts';
import { leavesOf, valueAt } from '../../src/io/config/tree.ts';
import { startCannedBackend, startRawBackend } from '../io/support/raw-backend.ts';
import { chatText, requestText } from '../io/support/requests.ts';
import { responsesOf } from '../io/support/responses.ts';
import { startTestGateway, type TestConfig } from '../support/gateway.ts';
import { connectRaw } from '../support/raw-client.ts';

/** Node fires a timer that is longer than this after 1 ms, with a warning. */
const MAX = 2 ** 31 - 1;
const DAY = 86_400_000;
/** What is over at once is over by then. */
const AT_ONCE_MS = 30;

const LONGEST = {
  server: {
    headersTimeoutMs: MAX,
    bodyIdleTimeoutMs: MAX,
    idleReaderTimeoutMs: MAX,
    shutdownTimeoutMs: MAX,
    sendBufferBytes: 16_384,
  },
  health: { intervalMs: DAY, timeoutMs: MAX, slowStartMs: MAX },
  pool: { idleTimeoutMs: MAX, maxLifetimeMs: MAX, sweepIntervalMs: DAY, size: 1 },
  upstream: { connectTimeoutMs: MAX, headersTimeoutMs: MAX, idleTimeoutMs: MAX, tunnelIdleTimeoutMs: MAX },
  retry: { budgetWindowMs: DAY, bufferBytes: 10, attempts: 0 },
  outlier: { baseEjectionMs: MAX, maxEjectionMs: MAX, consecutiveFailures: 1 },
} satisfies TestConfig;
const QUEUE = { timeoutMs: MAX };
const FAILURE = 'HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n';
const AGREED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n';

it('the longest durations are the longest there are', () => {
  const given = { ...LONGEST, pool: { ...LONGEST.pool, queue: QUEUE } };
  for (const [key, leaf] of leavesOf(schema(false))) {
    if (!/Ms$/.test(key) || leaf.format !== 'wholeNumber' || key.startsWith('eventLog.')) continue;
    assert.equal(valueAt(given, key), leaf.max, key);
  }
});

it('nothing is over at once where every duration is as long as can be', async (t) => {
  const warnings: string[] = [];
  const warn = (warning: Error) => void warnings.push(`${warning.name}: ${warning.message}`);
  process.on('warning', warn);
  t.after(() => process.off('warning', warn));
  await using bad = await startCannedBackend(FAILURE, { name: 'bad' });
  await using slow = await startRawBackend((peer, number) => {
    if (number === 1) peer.send(AGREED);
  }, 'slow');
  await using gateway = await startTestGateway({
    ...LONGEST,
    queue: QUEUE,
    backends: [{ ...bad, weight: 1000 }, slow],
  });
  using client = await connectRaw(gateway.port);
  client.send(requestText());
  assert.equal((await responsesOf(client).next()).status, 500);
  // The other one is held by a tunnel now, and is asked to drain.
  using tunnel = await connectRaw(gateway.port);
  tunnel.send(requestText({ headers: ['Connection: upgrade', 'Upgrade: websocket'] }));
  await tunnel.until(/^HTTP\/1\.1 101 /);
  using waiting = await connectRaw(gateway.port);
  waiting.send(chatText());
  await gateway.decision('request.queued');
  using half = await connectRaw(gateway.port);
  half.send('GET /v1/mod');
  using halfBody = await connectRaw(gateway.port);
  halfBody.send(requestText({ method: 'POST', headers: ['Content-Length: 5'] }));
  await pass(AT_ONCE_MS);
  assert.deepEqual(stateOf(gateway), ['bad ejected', 'slow healthy']);
  for (const each of [client, tunnel, waiting, half, halfBody]) assert.equal(each.socket.closed, false);
  assert.equal(waiting.text + half.text + halfBody.text, '');
  tunnel.socket.destroy();
  // Over a new socket: nothing is answered, and nobody is told so.
  await slow.connection(2);
  await fetch(`${gateway.adminUrl}/backends/slow/drain`, { method: 'POST' });
  await pass(AT_ONCE_MS);
  assert.equal(waiting.text, '');
  for (const each of [client, waiting, half, halfBody]) each.socket.destroy();
  await gateway.fact('client.aborted');
  assert.deepEqual(warnings, []);
});

function stateOf({ gateway }: Awaited<ReturnType<typeof startTestGateway>>): string[] {
  return gateway.balancer.backends().map(({ id, state }) => `${id} ${state}`);
}
