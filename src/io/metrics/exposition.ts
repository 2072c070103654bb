/**
 * Metric families as prom-client knows them. Its metrics count nothing here: they hold what was read of the families for
 * one scrape, so that nothing of prom-client stands on the way of a request, and one scrape shows one moment.
 */
import { Counter, Gauge, Histogram as PromHistogram, type Registry } from 'prom-client';
import type { Distribution, Family, Labels, Series } from './family.ts';

/** Adds families to a registry. @returns what reads them all for the next scrape */
export function expose<Source>(
  registry: Registry,
  families: readonly Family<Source>[],
): (source: Source) => void {
  const readers = families.map((family) => readerOf(registry, family));
  return (source) => {
    for (const read of readers) read(source);
  };
}

function readerOf<Source>(registry: Registry, family: Family<Source>): (source: Source) => void {
  const { name, help, labels: labelNames } = family;
  const config = { name, help, labelNames, registers: [registry] };
  if (family.type === 'histogram') {
    const metric = new ReadHistogram(config);
    return (source) => {
      const lines = family.read(source).flatMap((each) => linesOf(name, each));
      metric.lines = withKnownLabels(lines, metric.lines);
    };
  }
  const metric = family.type === 'counter' ? new ReadCounter(config) : new ReadGauge(config);
  return (source) => {
    const lines = family.read(source).map(({ labels, value }) => lineOf(name, labels, value));
    metric.lines = withKnownLabels(lines, metric.lines);
  };
}

type Line = {
  readonly metricName: string;
  readonly labels: Labels;
  /** prom-client writes these out once for each object, and keeps what it has written. */
  readonly sharedLabels: Labels;
  readonly value: number;
};

const NONE: Labels = {};

function lineOf(metricName: string, sharedLabels: Labels, value: number): Line {
  return { metricName, labels: NONE, sharedLabels, value };
}

function linesOf(name: string, { labels, histogram }: Distribution): Line[] {
  const { boundsMs, counts, sumMs } = histogram;
  let below = 0;
  const buckets = counts.map((count, index) => {
    below += count;
    const boundMs = boundsMs[index];
    const le = boundMs === undefined ? '+Inf' : String(boundMs / 1000);
    return lineOf(`${name}_bucket`, { ...labels, le }, below);
  });
  return [...buckets, lineOf(`${name}_sum`, labels, sumMs / 1000), lineOf(`${name}_count`, labels, below)];
}

/** The lines with the objects of the scrape before for labels that are the same, as they are unless backends have changed. */
function withKnownLabels(lines: readonly Line[], before: readonly Line[]): Line[] {
  return lines.map((line, index) => {
    const known = before[index]?.sharedLabels;
    return known !== undefined && areSame(known, line.sharedLabels) ? { ...line, sharedLabels: known } : line;
  });
}

/** Labels of one metric, whose names are the same, or those of a bucket and of a sum. */
function areSame(some: Labels, others: Labels): boolean {
  for (const name in some) if (some[name] !== others[name]) return false;
  for (const name in others) if (some[name] !== others[name]) return false;
  return true;
}

/** What a registry asks of a metric, for text by `getForPromString`, which the package does not declare. */
const forText = (metric: { name: string; help: string }, type: string, values: readonly Line[]) =>
  Promise.resolve({ name: metric.name, help: metric.help, type, values });

const plain = ({ sharedLabels: labels, value }: Line): Series => ({ labels, value });

type Config = { name: string; help: string; labelNames: readonly string[]; registers: Registry[] };

class ReadCounter extends Counter {
  lines: readonly Line[] = [];
  readonly #config: Config;
  constructor(config: Config) {
    super(config);
    this.#config = config;
  }
  override async get(): ReturnType<Counter['get']> {
    return { ...(await super.get()), values: this.lines.map(plain) };
  }
  getForPromString() {
    return forText(this.#config, 'counter', this.lines);
  }
}

class ReadGauge extends Gauge {
  lines: readonly Line[] = [];
  readonly #config: Config;
  constructor(config: Config) {
    super(config);
    this.#config = config;
  }
  override async get(): ReturnType<Gauge['get']> {
    return { ...(await super.get()), values: this.lines.map(plain) };
  }
  getForPromString() {
    return forText(this.#config, 'gauge', this.lines);
  }
}

/** Its inherited `get` begins with `getForPromString` and puts the labels together. */
class ReadHistogram extends PromHistogram {
  lines: readonly Line[] = [];
  readonly #config: Config;
  constructor(config: Config) {
    super(config);
    this.#config = config;
  }
  getForPromString() {
    return forText(this.#config, 'histogram', this.lines);
  }
}
