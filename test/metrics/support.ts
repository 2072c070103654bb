/** Prometheus text read back, for tests that compare or look into it. */
import assert from 'node:assert/strict';

/** The value of each series, by its name and labels as they are written. */
export function seriesOf(text: string): Map<string, number> {
  const series = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const space = line.lastIndexOf(' ');
    const name = line.slice(0, space);
    assert.ok(!series.has(name), `${name} is there twice`);
    series.set(name, Number(line.slice(space + 1)));
  }
  return series;
}

/** Names of metrics, of histograms without the suffixes of their lines. */
export function metricsOf(text: string): Map<string, string> {
  return new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]),
  );
}

export async function scrape(adminUrl: string): Promise<string> {
  const response = await fetch(`${adminUrl}/metrics`);
  assert.equal(response.status, 200);
  return response.text();
}
