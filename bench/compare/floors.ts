/** What Reprise is to reach at the least, held against what was measured. */
import type { MemoryFigures } from './memory.ts';
import { figure, table } from './report.ts';
import type { RequestFigures } from './requests.ts';
import { median, ratios } from './statistics.ts';
import type { StreamResult, StreamsLoadResult } from './streams.ts';

export type Measured = {
  requests?: RequestFigures;
  streams?: readonly StreamsLoadResult[];
  memory?: MemoryFigures;
};

type Floor = {
  readonly of: keyof Measured;
  readonly what: string;
  readonly floor: string;
  readonly aim: string;
  /** NaN or undefined where it was not measured, or a peer was missing. */
  readonly measured: number | undefined;
  readonly digits: number;
  readonly holds: (value: number) => boolean;
};

const US = 'Reprise';

/** @returns the section with a line for each floor of what was measured */
export function floorsSection(measured: Measured): string {
  const rows = floorsOf(measured)
    .filter(({ of }) => measured[of] !== undefined)
    .map(({ what, floor, aim, measured: value, digits, holds }) => {
      const isKnown = value !== undefined && Number.isFinite(value);
      return [what, floor, aim, figure(value, digits), isKnown ? (holds(value) ? 'yes' : 'no') : '–'];
    });
  return `## Floors

${table(['Reprise, event log on', 'floor', 'aim', 'measured', 'holds'], rows)}`;
}

function floorsOf({ requests, streams, memory }: Measured): Floor[] {
  const lite = streams?.find(({ label }) => label === 'lite')?.results;
  const heavy = streams?.find(({ label }) => label === 'heavy')?.results.get(US);
  const cpu = ({ cpuSPer100kChunks }: StreamResult) => cpuSPer100kChunks;
  const firstByte = ({ firstByteP99Ms }: StreamResult) => firstByteP99Ms;
  return [
    {
      of: 'requests',
      what: 'requests per CPU-second, against fast-proxy',
      floor: '≥ 1.5 ×',
      aim: '5 ×',
      measured: median(ratios(requests?.cpuUs.get('fast-proxy') ?? [], requests?.cpuUs.get(US) ?? [])),
      digits: 2,
      holds: (value) => value >= 1.5,
    },
    {
      of: 'streams',
      what: 'errors with 1000 streams of 50 chunks a second',
      floor: '0',
      aim: '0 at 10,000',
      measured:
        heavy === undefined ? undefined : [...heavy.errors.values()].reduce((sum, one) => sum + one, 0),
      digits: 0,
      holds: (value) => value === 0,
    },
    {
      of: 'streams',
      what: 'CPU per 100k chunks at 100 streams, against fast-proxy',
      floor: '≤ 0.9 ×',
      aim: '0.45 ×',
      measured: between(lite, US, 'fast-proxy', cpu),
      digits: 2,
      holds: (value) => value <= 0.9,
    },
    {
      of: 'streams',
      what: 'first byte p99 at 100 streams, against nginx',
      floor: '≤ 3 ×',
      aim: '1.2 ×',
      measured: between(lite, US, 'nginx', firstByte),
      digits: 2,
      holds: (value) => value <= 3,
    },
    {
      of: 'memory',
      what: 'KB resident per open idle stream',
      floor: '≤ 60',
      aim: '20',
      measured: median(memory?.proxies.get(US)?.nextKb ?? []),
      digits: 1,
      holds: (value) => value <= 60,
    },
  ];
}

/** @returns the median over the rounds of one proxy's figure by another's */
function between(
  results: ReadonlyMap<string, StreamResult> | undefined,
  one: string,
  other: string,
  of: (result: StreamResult) => readonly number[],
): number {
  const [ours, theirs] = [results?.get(one), results?.get(other)];
  return ours === undefined || theirs === undefined ? Number.NaN : median(ratios(of(ours), of(theirs)));
}
