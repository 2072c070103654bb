/** A gateway that has no file descriptor left: it says so, blames no backend, and serves again once it has some. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { startMock } from '../../mock/server.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { startDaemonProcess } from './daemon-process.ts';
import { until } from './until.ts';

const LIMIT = 60;
const PROBE_INTERVAL_MS = 20;
/** Many probes, each of which would fail. */
const EXHAUSTED_MS = 500;

async function ask(client: RawClient): Promise<string> {
  const before = client.text.length;
  client.send('GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n');
  const text = await client.until((all) => /\r\n\r\n\{.*\}$/s.test(all.slice(before)));
  return text.slice(before);
}

it('a gateway without a file descriptor left says so, and blames no backend', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'reprise-descriptors-'));
  t.after(() => rmSync(folder, { recursive: true }));
  // So that each request needs a connection of its own.
  await using mock = await startMock({ script: { connectionClose: true } });
  const config = {
    backends: [{ id: 'a', host: '127.0.0.1', port: mock.port }],
    health: { intervalMs: PROBE_INTERVAL_MS, fall: 1 },
    logging: { level: 'warn', format: 'json' },
    eventLog: { enabled: false },
  };
  const eventLogDir = join(folder, 'events');
  await using daemon = await startDaemonProcess({ folder, eventLogDir, config, descriptorLimit: LIMIT });
  const port = Number(new URL(daemon.url).port);
  using client = await connectRaw(port);
  const held = new Set<net.Socket>();
  /** Asks while connections of others take every descriptor that comes free, such as those of probes. */
  const askMeanwhile = () => {
    for (let more = 0; more < LIMIT; more += 1) {
      held.add(net.connect(port, '127.0.0.1').on('error', () => {}));
    }
    return ask(client);
  };
  const isUnreachable = async () => {
    const answer = await askMeanwhile();
    return answer.includes('"backend_unreachable"') && answer;
  };
  const refusal = await until('no connection can be opened', PATIENCE_MS, isUnreachable);
  assert.match(refusal, /^HTTP\/1\.1 502 .*Backend a could not be reached \(exhausted: .*ulimit -n/s);
  const since = performance.now();
  while (performance.now() - since < EXHAUSTED_MS) {
    assert.doesNotMatch(await askMeanwhile(), /"no_healthy_backend"/);
  }
  for (const socket of held) socket.destroy();
  await until('it serves again', PATIENCE_MS, async () => (await ask(client)).startsWith('HTTP/1.1 200 '));
  const [view] = await daemon.backends();
  assert.deepEqual([view?.state, view?.timesEjected, view?.consecutiveErrors], ['healthy', 0, 0]);
});
