/**
 * Loaded into the gateway's process of a fault run (`node --import`): on SIGUSR2 it collects garbage and writes down
 * what is left, so that growth can be told from garbage.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

export type Gauge = {
  /** Counts up by one for each signal. */
  readonly reading: number;
  readonly heapBytes: number;
  /** Buffers, outside of the heap. */
  readonly externalBytes: number;
  readonly rssBytes: number;
  /** What keeps the event loop alive, by kind. */
  readonly handles: Readonly<Record<string, number>>;
};

/** Names the file to write to. */
export const GAUGE_FILE = 'SOAK_GAUGE_FILE';

const file = process.env[GAUGE_FILE];
if (file !== undefined && isMainThread) watch(file);

function watch(path: string): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  let reading = 0;
  process.on('SIGUSR2', () => {
    if (typeof collect === 'function') for (let round = 0; round < 3; round += 1) collect();
    reading += 1;
    const { heapUsed, external, rss } = process.memoryUsage();
    const handles: Record<string, number> = {};
    for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1;
    const gauge: Gauge = { reading, heapBytes: heapUsed, externalBytes: external, rssBytes: rss, handles };
    writeFileSync(`${path}.new`, JSON.stringify(gauge));
    renameSync(`${path}.new`, path);
  });
}
