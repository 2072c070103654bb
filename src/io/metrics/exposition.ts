/**
 * Metric families as prom-client knows them. Its metrics keep no values here: each reads its series when it is asked for
 * them, so that nothing of prom-client stands on the way of a request.
 *
 * A registry asks all its metrics in one turn before it waits for any, and each reads before it waits: so all that one
 * scrape shows is of one moment.
 */
import { Counter, Gauge, Histogram as PromHistogram, type Registry } from 'prom-client';
import type { Distribution, Family, Labels, Series } from './family.ts';

/** Adds the families to a registry. @param source what they are read from, asked for at each scrape */
export function expose<Source>(
  registry: Registry,
  families: readonly Family<Source>[],
  source: () => Source,
): void {
  for (const family of families) {
    const { name, help, labels: labelNames } = family;
    const config = { name, help, labelNames, registers: [registry] };
    if (family.type === 'histogram') {
      Object.assign(new ReadHistogram(config), { read: () => family.read(source()) });
    } else {
      const metric = family.type === 'counter' ? new ReadCounter(config) : new ReadGauge(config);
      Object.assign(metric, { read: () => family.read(source()) });
    }
  }
}

class ReadCounter extends Counter {
  read: () => Series[] = () => [];
  override async get(): ReturnType<Counter['get']> {
    const values = this.read();
    return { ...(await super.get()), values };
  }
}

class ReadGauge extends Gauge {
  read: () => Series[] = () => [];
  override async get(): ReturnType<Gauge['get']> {
    const values = this.read();
    return { ...(await super.get()), values };
  }
}

type Line = {
  readonly metricName: string;
  readonly labels: Labels;
  /** Labels that many lines have in common, which prom-client writes out once. */
  readonly sharedLabels: Labels;
  readonly value: number;
};

class ReadHistogram extends PromHistogram {
  read: () => Distribution[] = () => [];
  readonly #about: { readonly name: string; readonly help: string };
  constructor(config: ConstructorParameters<typeof PromHistogram>[0]) {
    super(config);
    this.#about = { name: config.name, help: config.help };
  }
  /** What `get` and the writing of text both begin with; not among the declared types of the package. */
  async getForPromString() {
    const { name, help } = this.#about;
    const values = this.read().flatMap((each) => linesOf(name, each));
    return { name, help, type: 'histogram', aggregator: 'sum', values };
  }
}

function linesOf(name: string, { labels, histogram }: Distribution): Line[] {
  const { boundsMs, counts, sumMs } = histogram;
  const line = (suffix: string, value: number, own: Labels = {}): Line => ({
    metricName: `${name}_${suffix}`,
    labels: own,
    sharedLabels: labels,
    value,
  });
  let below = 0;
  const buckets = counts.map((count, index) => {
    below += count;
    const boundMs = boundsMs[index];
    return line('bucket', below, { le: boundMs === undefined ? '+Inf' : String(boundMs / 1000) });
  });
  return [...buckets, line('sum', sumMs / 1000), line('count', below)];
}
