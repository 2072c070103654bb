/** The metrics of a running gateway, and those of a recorded log, as text for Prometheus and as JSON. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { backendFamilies } from './backend-families.ts';
import { type ConnectionSource, connectionFamilies } from './connection-families.ts';
import { type EventLogSource, eventLogFamilies } from './event-log-families.ts';
import { expose } from './exposition.ts';
import type { Family } from './family.ts';
import { gatewayFamilies } from './gateway-families.ts';
import { type InvariantSource, invariantFamilies } from './invariant-families.ts';
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
/** After so long at a time, requests have their turn. */
const TURN_MS = 1;

const coreFamilies = [...requestFamilies, ...backendFamilies, ...gatewayFamilies];

type GatewaySource = CoreSource & ConnectionSource & EventLogSource & InvariantSource;

/** @param source read once at each scrape */
export function gatewayMetrics(source: () => GatewaySource): Metrics {
  const registry = new Registry();
  const families: readonly Family<GatewaySource>[] = [
    ...coreFamilies,
    ...connectionFamilies,
    ...eventLogFamilies,
    ...invariantFamilies,
  ];
  const read = expose(registry, families);
  const all = Registry.merge([registry, processRegistry()]);
  // One after the other, since they share what has been read.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <Result>(make: (registry: Registry) => Promise<Result>) =>
    atMost(MAX_PER_S, () => {
      const made = last.then(() => {
        read(source());
        return make(all);
      });
      last = made.catch(() => undefined);
      return made;
    });
  return { contentType: all.contentType, text: inTurn(asText), json: inTurn(metricsAsJson) };
}

/** The metrics that a recorded log leads to. */
export function recordedMetrics(source: CoreSource): Metrics {
  const registry = new Registry();
  expose(registry, coreFamilies)(source);
  return {
    contentType: registry.contentType,
    text: () => asText(registry),
    json: () => metricsAsJson(registry),
  };
}

/** As `registry.metrics()`, but in pieces: traffic goes on between them. */
async function asText(registry: Registry): Promise<string> {
  const texts: string[] = [];
  let turn = performance.now();
  for (const { name } of registry.getMetricsAsArray()) {
    texts.push(await registry.getSingleMetricAsString(name));
    if (performance.now() - turn < TURN_MS) continue;
    await nextTurn();
    turn = performance.now();
  }
  return `${texts.join('\n\n')}\n`;
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
