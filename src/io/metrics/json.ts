/** The metrics of a registry as JSON: by name, each with its series, and the lines of a histogram put together again. */
import type { Registry } from 'prom-client';

type Value = Awaited<ReturnType<Registry['getMetricsAsJSON']>>[number]['values'][number];
type Labels = Value['labels'];

export type JsonSeries =
  | { readonly labels: Labels; readonly value: number }
  | { labels: Labels; count: number; sum: number; buckets: Record<string, number> };

export type JsonMetrics = Record<string, { type: string; help: string; series: JsonSeries[] }>;

/** @returns the metrics by name; `buckets` is cumulative, as in the text */
export async function metricsAsJson(registry: Registry): Promise<JsonMetrics> {
  const metrics = await registry.getMetricsAsJSON();
  return Object.fromEntries(
    metrics.map(({ name, help, type, values }) => {
      // Declared as an enum, which the package does not have; it is a word.
      const word = String(type);
      const series = word === 'histogram' ? histograms(name, values) : values.map(plain);
      return [name, { type: word, help, series }];
    }),
  );
}

function plain({ labels, value }: Value): JsonSeries {
  return { labels, value };
}

function histograms(name: string, values: readonly (Value & { metricName?: string })[]): JsonSeries[] {
  const byLabels = new Map<string, Extract<JsonSeries, { count: number }>>();
  for (const {
    labels: { le, ...labels },
    value,
    metricName,
  } of values) {
    const key = JSON.stringify(labels);
    const series = byLabels.get(key) ?? { labels, count: 0, sum: 0, buckets: {} };
    byLabels.set(key, series);
    if (metricName === `${name}_sum`) series.sum = value;
    else if (metricName === `${name}_count`) series.count = value;
    else series.buckets[String(le)] = value;
  }
  return [...byLabels.values()];
}
