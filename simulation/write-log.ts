/** Writes what was simulated as an ordinary event log, which `reprise replay`, `explain` and `inspect` open. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createBalancer } from '../src/actors/balancer.ts';
import type { LogLine } from '../src/actors/log-lines.ts';
import { takeSnapshot } from '../src/actors/snapshot.ts';
import { encodeLine } from '../src/io/event-log/lines.ts';
import { segmentName, stateHash } from '../src/io/event-log/segments.ts';
import type { Run } from './run.ts';
import { BEGINNING } from './world.ts';

/** @returns the folder */
export function writeLog(folder: string, { entries, scenario }: Pick<Run, 'entries' | 'scenario'>): string {
  const state = takeSnapshot(createBalancer().core);
  const lines: readonly LogLine[] = [
    {
      ...{ v: 1, type: 'segment', product: 'simulated', seq: 1, at: BEGINNING, reason: 'started' },
      ...{ previous: null, config: { simulated: scenario } },
    },
    { v: 1, type: 'snapshot', seq: 0, at: BEGINNING, hash: stateHash(JSON.stringify(state)), state },
    ...entries,
  ];
  mkdirSync(folder, { recursive: true });
  const text = lines.map((line, index) => encodeLine(line, index + 1)).join('');
  writeFileSync(join(folder, segmentName(1)), text);
  return folder;
}
