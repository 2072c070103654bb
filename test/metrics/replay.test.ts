/** `reprise replay --metrics`: a recorded log gives the figures that the gateway gave at that moment. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { reprise } from '../replay/support.ts';
import { temporaryFolder } from '../support/event-log.ts';
import { type Fleet, startFleet } from '../support/fleet.ts';
import { startTestGateway, type TestConfig, type TestGateway } from '../support/gateway.ts';
import { runLoad } from '../support/load.ts';
import { metricsOf, scrape, seriesOf } from './support.ts';

/** What the process and its disk tell, which no entry holds. */
const OF_THE_PROCESS =
  /^(?:process_|nodejs_|reprise_event_log_|reprise_client_connections|reprise_invariant_)/;

/** The series of a text that follow from entries, in order. */
function recordedSeries(text: string): [string, number][] {
  return [...seriesOf(text)].filter(([name]) => !OF_THE_PROCESS.test(name)).sort();
}

/** A client that leaves while its stream is coming, unless its backend breaks the stream off before. */
function leaveMidway(url: string): Promise<void> {
  const headers = { 'x-mock-script': '{"tokenCount":10000,"tokenGapMs":5}' };
  return new Promise((resolve) => {
    const request = http.request(`${url}/v1/chat/completions`, { method: 'POST', headers });
    request.on('response', (response) => {
      response.on('error', () => {});
      response.on('close', resolve);
      response.once('data', () => request.destroy());
    });
    request.on('error', () => resolve());
    request.end('{"stream":true,"messages":[]}');
  });
}

/** Traffic with faults of every kind, a backend that falls, one that drains, reloads of which one is refused. */
async function trouble(gateway: TestGateway, fleet: Fleet, config: TestConfig): Promise<void> {
  const { url } = gateway;
  let isOver = false;
  const load = runLoad({ url, clients: 12, goOn: () => !isOver, body: { stream: true, messages: [] } });
  try {
    await meetTrouble(gateway, fleet, config);
  } finally {
    isOver = true;
    await load;
  }
}

async function meetTrouble(gateway: TestGateway, fleet: Fleet, config: TestConfig): Promise<void> {
  const { adminUrl, url } = gateway;
  await gateway.fact('response.ended', 100);
  await fetch(`${adminUrl}/backends/b/drain`, { method: 'POST' });
  fleet.mocks[2]?.set({ health: 500 });
  await gateway.entry(({ decisions }) =>
    decisions.some((decision) => decision.type === 'backend.changed' && decision.to === 'unhealthy'),
  );
  gateway.breakConfig();
  await gateway.gateway.reload();
  await gateway.reconfigure({
    ...config,
    backends: fleet.mocks.slice(0, 3),
    health: { intervalMs: 50, fall: 2 },
  });
  // Behind the reload, since the figures of the backend that it removes are gone with it.
  const hasLeft = () => gateway.entries.some(({ fact }) => fact.type === 'client.aborted');
  while (!hasLeft()) await leaveMidway(url);
  await gateway.fact('request.received', 600);
}

describe('replay --metrics', () => {
  it('gives every series of the core as the gateway gave it, at the same moment', async () => {
    using folder = temporaryFolder();
    await using fleet = await startFleet(4, { tokenCount: 4, tokenGapMs: 1 });
    fleet.mocks[0]?.set({ fault: 'reset-after=2', faultEvery: 7 });
    fleet.mocks[1]?.set({ fault: 'reset', faultEvery: 5 });
    fleet.mocks[3]?.set({ fault: 'status=429', faultEvery: 3 });
    const config: TestConfig = {
      backends: fleet.mocks,
      pool: { size: 2 },
      health: { intervalMs: 50, fall: 2 },
      // Several segments, so that replay passes from one to the next.
      eventLog: { dir: folder.path, segmentBytes: 100_000 },
    };
    let live = '';
    let seq = 0;
    {
      await using gateway = await startTestGateway(config);
      await trouble(gateway, fleet, config);
      live = await scrape(gateway.adminUrl);
      const facts = [...seriesOf(live)].filter(([name]) => name.startsWith('reprise_facts_total'));
      seq = facts.reduce((sum, [, count]) => sum + count, 0);
      // A moment of its own: the log goes on behind it, whatever becomes of this request.
      for (const mock of fleet.mocks) mock.set({ fault: null });
      await (await fetch(`${gateway.url}/v1/models`)).text();
    }
    const { code, stdout, stderr } = await reprise(
      'replay',
      folder.path,
      '--metrics',
      '--until',
      String(seq),
    );
    assert.deepEqual([code, stderr], [0, '']);
    assert.deepEqual(recordedSeries(stdout), recordedSeries(live));
    const own = [...metricsOf(live)].filter(([name]) => !OF_THE_PROCESS.test(name));
    assert.deepEqual([...metricsOf(stdout)], own);
    assertEventful(seriesOf(live));
    assert.ok(readdirSync(folder.path).length > 2);
  });

  it('prints them as JSON with --json, counts from the beginning of a part, and exits as replay does', async () => {
    using folder = temporaryFolder();
    await using fleet = await startFleet(1);
    {
      await using gateway = await startTestGateway({
        backends: fleet.mocks,
        eventLog: { dir: folder.path, segmentBytes: 65_536 },
      });
      let left = 300;
      await runLoad({ url: gateway.url, clients: 4, goOn: () => left-- > 0 });
    }
    const served = async (...args: string[]) => {
      const { code, stdout } = await reprise('replay', ...args, '--metrics', '--json');
      assert.equal(code, 0);
      const { reprise_requests_total: requests, reprise_build_info: build } = JSON.parse(stdout);
      const [series] = requests.series.filter(
        ({ labels }: { labels: Record<string, string> }) =>
          labels.backend === 'a' && labels.status_class === '2xx',
      );
      return [series.value, build.series.length];
    };
    assert.deepEqual(await served(folder.path), [300, 1]);
    const segments = readdirSync(folder.path).filter((file) => file.startsWith('events-'));
    assert.ok(segments.length > 2, `${segments.length} segments`);
    const [part, build] = await served(join(folder.path, segments.sort()[1] ?? ''));
    assert.ok(part > 0 && part < 300, `${part} in the second segment`);
    assert.equal(build, 0);
    const altered = await reprise(
      'replay',
      join(import.meta.dirname, '../replay/histories/v1/altered'),
      '--metrics',
    );
    assert.equal(altered.code, 2);
    assert.match(altered.stderr, /^reprise: the replay is not faithful \(divergence\)/m);
    assert.match(altered.stdout, /^reprise_facts_total/m);
  });
});

/** That the run had something of everything in it, without which the comparison would say little. */
function assertEventful(series: ReadonlyMap<string, number>): void {
  const sum = (pattern: RegExp) =>
    [...series].reduce((total, [name, value]) => (pattern.test(name) ? total + value : total), 0);
  for (const pattern of [
    /^reprise_requests_total\{.*"2xx"/,
    /^reprise_requests_total\{.*"broken"/,
    /^reprise_requests_total\{.*"aborted"/,
    /^reprise_retries_total/,
    /^reprise_backend_failures_total/,
    /^reprise_queue_wait_seconds_count/,
    /^reprise_chunk_interval_seconds_count/,
    /^reprise_pool_evictions_total/,
    /^reprise_probes_total\{.*"failed"/,
    /^reprise_backend_state_changes_total/,
    /^reprise_config_reloads_total\{outcome="applied"/,
    /^reprise_config_reloads_total\{outcome="refused"/,
  ]) {
    assert.ok(sum(pattern) > 0, `${pattern} is 0`);
  }
}
