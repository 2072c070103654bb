/** A section of the report for each measurement. */
import type { MemoryFigures } from './memory.ts';
import { figure, table, thousands } from './report.ts';
import type { RequestFigures } from './requests.ts';
import { median, quantile, ratios } from './statistics.ts';
import type { StreamResult, StreamsLoadResult } from './streams.ts';

/** What the others are compared with. */
const REFERENCE = 'fast-proxy';

/** @returns the section on CPU time per request */
export function requestsSection({ cpuUs, rounds, backend }: RequestFigures): string {
  const reference = cpuUs.get(REFERENCE) ?? [];
  const rows = [...cpuUs].map(([name, costs]) => {
    const speeds = ratios(reference, costs);
    return [
      name,
      `${figure(median(costs), 1)} (${figure(quantile(costs, 0.25), 1)}–${figure(quantile(costs, 0.75), 1)})`,
      thousands(1e6 / median(costs)),
      figure(median(speeds), 2),
      `${figure(quantile(speeds, 0.25), 2)}–${figure(quantile(speeds, 0.75), 2)}`,
    ];
  });
  const columns = ['proxy', 'CPU µs per request', 'requests per CPU-second', `× ${REFERENCE}`, 'quartiles'];
  return `## Requests

64 kept connections in a closed loop, POST of 1 KB, answers of 438 bytes (${backend}). Each of ${rounds} rounds makes 1,000
requests to every proxy in turn; CPU time is that of all threads of the proxy. Medians and quartiles over the rounds, the ratio within each round.

${table(columns, rows)}`;
}

/** @returns the section on streams, with a table for each load */
export function streamsSection(loads: readonly StreamsLoadResult[]): string {
  const parts = loads.map(
    ({ label, streams, results }) => `### ${streams} at a time (${label})

${streamsTable(results)}`,
  );
  return `## Streams

Event streams of chunks 20 ms apart, in a closed loop. Each chunk carries the time it was sent, and each stream is checked to be whole. Medians over the
rounds, in which the proxies are loaded in turn; ratios within each round, and over all rounds their least and greatest.

${parts.join('\n\n')}`;
}

function streamsTable(results: ReadonlyMap<string, StreamResult>): string {
  const reference = results.get(REFERENCE)?.cpuSPer100kChunks ?? [];
  const first = results.get('nginx')?.firstByteP99Ms ?? [];
  const rows = [...results].map(([name, result]) => [
    name,
    figure(median(result.cpuSPer100kChunks), 2),
    spread(ratios(result.cpuSPer100kChunks, reference)),
    `${figure(median(result.firstByteP50Ms), 1)} / ${figure(median(result.firstByteP99Ms), 1)}`,
    spread(ratios(result.firstByteP99Ms, first)),
    `${figure(median(result.delayP50Ms), 1)} / ${figure(median(result.delayP99Ms), 1)}`,
    thousands(result.completed),
    [...result.errors].map(([problem, count]) => `${count} ${problem}`).join(', ') || '0',
  ]);
  const columns = [
    'proxy',
    'CPU s per 100k chunks',
    `× ${REFERENCE}`,
    'first byte p50 / p99 ms',
    'p99 × nginx',
    'chunk delay p50 / p99 ms',
    'streams',
    'errors',
  ];
  return table(columns, rows);
}

/** @returns the section on memory */
export function memorySection({ proxies, streams, rounds }: MemoryFigures): string {
  const spreadKb = (values: readonly number[]) =>
    `${figure(median(values), 1)} (${figure(Math.min(...values), 1)}–${figure(Math.max(...values), 1)})`;
  const rows = [...proxies].map(([name, { baseKb, firstKb, nextKb }]) => [
    name,
    figure(median(baseKb) / 1024, 0),
    spreadKb(firstKb),
    spreadKb(nextKb),
  ]);
  const many = thousands(streams);
  return `## Memory

Resident memory that open streams add which have sent one chunk and then nothing, to a proxy that has served 20,000 requests
before. The first ${many} find room in the heap that those requests left behind; the next ${many} show what a stream costs.
Medians of ${rounds} processes each, with the least and the greatest.

${table(['proxy', 'base MB', `KB for each of ${many}`, `KB for each of the next ${many}`], rows)}`;
}

function spread(values: readonly number[]): string {
  if (!values.some(Number.isFinite)) return '–';
  return `${figure(median(values), 2)} (${figure(Math.min(...values), 2)}–${figure(Math.max(...values), 2)})`;
}
