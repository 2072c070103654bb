/** The metrics of a running gateway, and those of a recorded log, as text for Prometheus and as JSON. */
import { Registry } from 'prom-client';
import { backendFamilies } from './backend-families.ts';
import { type EventLogSource, eventLogFamilies } from './event-log-families.ts';
import { expose } from './exposition.ts';
import { gatewayFamilies } from './gateway-families.ts';
import { type JsonMetrics, metricsAsJson } from './json.ts';
import { processRegistry } from './process.ts';
import { requestFamilies } from './request-families.ts';
import type { CoreSource } from './source.ts';

export type Metrics = {
  /** Of the text, for `Content-Type`. */
  readonly contentType: string;
  /** @returns the metrics now; asked for too often, those of the same second */
  text(): Promise<string>;
  json(): Promise<JsonMetrics>;
};

/** Nobody needs more; each takes some milliseconds of the gateway's time when there are many backends. */
const MAX_PER_S = 10;

/** @param source read once at each scrape; all of it must be of the same moment */
export function gatewayMetrics(source: () => CoreSource & EventLogSource): Metrics {
  let now = source();
  const registry = coreRegistry(() => now);
  expose(registry, eventLogFamilies, () => now);
  const all = Registry.merge([registry, processRegistry()]);
  const fresh = <Result>(make: () => Promise<Result>) =>
    atMost(MAX_PER_S, () => {
      now = source();
      return make();
    });
  return {
    contentType: all.contentType,
    text: fresh(() => all.metrics()),
    json: fresh(() => metricsAsJson(all)),
  };
}

/** The metrics that a recorded log leads to. */
export function recordedMetrics(source: CoreSource): Metrics {
  const registry = coreRegistry(() => source);
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    json: () => metricsAsJson(registry),
  };
}

function coreRegistry(source: () => CoreSource): Registry {
  const registry = new Registry();
  expose(registry, requestFamilies, source);
  expose(registry, backendFamilies, source);
  expose(registry, gatewayFamilies, source);
  return registry;
}

/** Makes the last result do for those who ask more often than this. */
function atMost<Result>(perSecond: number, make: () => Promise<Result>): () => Promise<Result> {
  let second = 0;
  let made = 0;
  let last: Promise<Result> | undefined;
  return () => {
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) made = 0;
    second = now;
    if (last !== undefined && made >= perSecond) return last;
    made += 1;
    last = make();
    return last;
  };
}
