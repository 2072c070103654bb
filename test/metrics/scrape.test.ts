/** `/metrics` and `/stats` of a running gateway: what they hold, on which port, and that they cost little. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBalancer } from '../../src/actors/balancer.ts';
import { createFigures } from '../../src/actors/figures/figures.ts';
import { foldEntry } from '../../src/actors/figures/fold.ts';
import { type EventLogStats, noEventLog } from '../../src/io/event-log/event-log.ts';
import type { JsonMetrics } from '../../src/io/metrics/json.ts';
import { gatewayMetrics, recordedMetrics } from '../../src/io/metrics/metrics.ts';
import type { CoreSource } from '../../src/io/metrics/source.ts';
import { backend, coreConfig } from '../support/core.ts';
import { startFleet } from '../support/fleet.ts';
import { startTestGateway } from '../support/gateway.ts';
import { metricsOf, scrape, seriesOf } from './support.ts';

const CHAT = { method: 'POST', body: '{"messages":[]}' };
type Stats = { eventLog: EventLogStats; metrics: JsonMetrics };

const NOTHING = { backends: [], queued: 0, inFlight: 0 };

/** What the metrics are read from right after a start with these backends. */
function sourceOf(ids: readonly string[]): CoreSource {
  const figures = createFigures();
  const balancer = createBalancer();
  const config = coreConfig({ backends: ids.map((id) => backend(id)) });
  const fact = { type: 'gateway.started', version: 'test', config } as const;
  foldEntry(figures, { v: 1, seq: 1, at: 1, fact, decisions: balancer.step(fact, 1) });
  return { figures, core: { ...NOTHING, backends: balancer.backends() } };
}

/** Of base units, as Prometheus' naming conventions ask for. */
const UNITS =
  /_(?:total|seconds|bytes|info|size|limit|length|state|sockets|connections|weight|seq|refused|flight|failures|successes)$/;

describe('GET /metrics', () => {
  it('tells of requests, backends, pools, the event log, the event loop and the process', async () => {
    await using fleet = await startFleet(2);
    await using gateway = await startTestGateway({ backends: fleet.mocks });
    for (let request = 0; request < 4; request += 1) {
      await (await fetch(`${gateway.url}/v1/chat/completions`, CHAT)).text();
    }
    await (await fetch(`${gateway.url}/v1/nothing`)).text();
    const response = await fetch(`${gateway.adminUrl}/metrics`);
    assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    const text = await response.text();
    const series = seriesOf(text);
    const of = (name: string) => series.get(name) ?? assert.fail(`no ${name}`);
    assert.equal(of('reprise_requests_total{backend="a",status_class="2xx"}'), 2);
    assert.equal(of('reprise_requests_total{backend="a",status_class="4xx"}'), 1);
    assert.equal(of('reprise_requests_total{backend="b",status_class="2xx"}'), 2);
    assert.equal(of('reprise_request_duration_seconds_bucket{backend="a",le="+Inf"}'), 3);
    assert.equal(of('reprise_request_duration_seconds_count{backend="a"}'), 3);
    assert.equal(of('reprise_backend_state{backend="a",state="healthy"}'), 1);
    assert.equal(of('reprise_pool_sockets{backend="a",state="idle"}'), 1);
    assert.equal(of('reprise_facts_total{type="request.received"}'), 5);
    assert.equal(of('reprise_event_log_state{state="off"}'), 1);
    assert.equal(of('reprise_build_info{version="test"}'), 1);
    assert.ok(of('process_resident_memory_bytes') > 0);
    assert.ok(series.has('nodejs_eventloop_lag_p99_seconds'));
  });

  it('names and explains each metric by the conventions, and gives every series once', async () => {
    await using gateway = await startTestGateway({ backends: [{ port: 1, name: 'a' }] });
    const text = await scrape(gateway.adminUrl);
    seriesOf(text);
    const own = [...metricsOf(text)].filter(([name]) => name.startsWith('reprise_'));
    assert.ok(own.length > 30, `${own.length} metrics`);
    for (const [name, type] of own) {
      assert.match(name, /^reprise_[a-z_]+$/);
      assert.match(name, UNITS);
      assert.equal(name.endsWith('_total'), type === 'counter', name);
      assert.match(text, new RegExp(`^# HELP ${name} \\S.+\\.$`, 'm'));
    }
  });

  it('drops the series of a backend that is removed, and has no label that a client can choose', async () => {
    await using fleet = await startFleet(2);
    await using gateway = await startTestGateway({ backends: fleet.mocks });
    for (const path of ['/v1/one-of-mine', '/v1/models?key=secret']) {
      await (await fetch(`${gateway.url}${path}`, { headers: { 'x-request-id': 'mine' } })).text();
    }
    assert.match(await scrape(gateway.adminUrl), /backend="a"/);
    await gateway.reconfigure({ backends: fleet.mocks.slice(1) });
    const text = await scrape(gateway.adminUrl);
    assert.doesNotMatch(text, /backend="a"/);
    assert.match(text, /backend="b"/);
    assert.doesNotMatch(text, /mine|secret/);
  });

  it('is on the port for clients only if the configuration says so, and a reload can change that', async () => {
    await using gateway = await startTestGateway({});
    assert.equal((await fetch(`${gateway.url}/metrics`)).status, 404);
    await gateway.reconfigure({ server: { exposeMetrics: true } });
    const response = await fetch(`${gateway.url}/metrics`);
    assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    assert.match(await response.text(), /^reprise_requests_in_flight 0$/m);
    const head = await fetch(`${gateway.url}/metrics`, { method: 'HEAD' });
    assert.deepEqual([head.status, await head.text()], [200, '']);
    assert.equal((await fetch(`${gateway.url}/metrics`, { method: 'POST', body: 'x' })).status, 404);
  });

  it('is made at most ten times a second, however often it is asked for', async () => {
    let reads = 0;
    const metrics = gatewayMetrics(() => {
      reads += 1;
      return {
        figures: createFigures(),
        core: NOTHING,
        connections: { open: 0, refused: { all: 0, address: 0 } },
        eventLog: noEventLog.stats(),
        invariants: { count: 0 },
      };
    });
    const begun = performance.now();
    const texts = await Promise.all(Array.from({ length: 1000 }, () => metrics.text()));
    const seconds = Math.floor((performance.now() - begun) / 1000) + 2;
    assert.ok(reads >= 1 && reads <= 10 * seconds, `${reads} reads`);
    assert.ok(texts.every((text) => text.includes('reprise_requests_in_flight 0')));
  });

  it('lets others have their turn while a long text is made', async () => {
    const metrics = recordedMetrics(sourceOf(Array.from({ length: 200 }, (_, index) => `backend-${index}`)));
    let turns = 0;
    let isDone = false;
    const count = () => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    const text = await metrics.text();
    isDone = true;
    assert.ok(text.length > 1_000_000, `${text.length} characters`);
    assert.ok(turns > 5, `${turns} turns`);
  });

  it('escapes what a label may hold', async () => {
    const text = await recordedMetrics(sourceOf(['a"b\\c\nd'])).text();
    assert.match(text, /^reprise_backend_weight\{backend="a\\"b\\\\c\\nd"\} 1$/m);
  });
});

describe('GET /stats', () => {
  it('says the same as JSON, beside the event log', async () => {
    await using fleet = await startFleet(1);
    await using gateway = await startTestGateway({ backends: fleet.mocks });
    await (await fetch(`${gateway.url}/v1/chat/completions`, CHAT)).text();
    const text = await scrape(gateway.adminUrl);
    const stats = (await (await fetch(`${gateway.adminUrl}/stats`)).json()) as Stats;
    assert.deepEqual(Object.keys(stats), ['queue', 'retries', 'eventLog', 'metrics']);
    assert.equal(stats.eventLog.state, 'off');
    assert.deepEqual(Object.keys(stats.metrics), [...metricsOf(text).keys()]);
    const series = seriesOf(text);
    const requests = stats.metrics.reprise_requests_total;
    assert.equal(requests?.type, 'counter');
    const written = requests?.series.map((each) => {
      assert.ok('value' in each);
      const { backend: id, status_class } = each.labels;
      return [`reprise_requests_total{backend="${id}",status_class="${status_class}"}`, each.value];
    });
    assert.ok(written !== undefined && written.length > 8);
    assert.deepEqual(
      written,
      [...series].filter(([name]) => name.startsWith('reprise_requests_total')),
    );
    const [duration] = stats.metrics.reprise_request_duration_seconds?.series ?? [];
    assert.ok(duration !== undefined && 'buckets' in duration);
    assert.deepEqual([duration.labels, duration.count, duration.buckets['+Inf']], [{ backend: 'a' }, 1, 1]);
    assert.equal(duration.sum, series.get('reprise_request_duration_seconds_sum{backend="a"}'));
  });
});
