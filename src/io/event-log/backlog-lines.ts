/** What the backlog writes beside entries: the beginnings of segments, the marks of gaps, and states of the core. */
import type { LogLine, SegmentLine } from '../../actors/log-lines.ts';
import type { Backlog } from './backlog.ts';
import { appendLine, createChunks } from './chunks.ts';
import { stateHash } from './segments.ts';

/** Begins a segment behind the last entry, or behind the gap if there is one. */
export function beginSegment(backlog: Backlog, reason: SegmentLine['reason']): void {
  const { version: product, config } = backlog.options;
  const { lastSeq, gap } = backlog;
  const at = timeOf(backlog);
  // What a gap leaves out is of this segment, so that it is more than an empty one and stays.
  const seq = (gap?.after ?? lastSeq) + 1;
  // The keys stand in this order in the file.
  const begins: SegmentLine = {
    v: 1,
    type: 'segment',
    product,
    seq,
    at,
    reason,
    previous: null,
    config: config(),
  };
  backlog.parts.push({ begins, chunks: createChunks(), bytes: 0, lastSeq });
  backlog.lines = 1;
  putGap(backlog);
  putSnapshot(backlog);
  backlog.segmentBytes = 0;
}

/** Ends the gap, if there is one. @returns how many entries it left out */
export function putGap(backlog: Backlog): number {
  const { gap, lastSeq: seq } = backlog;
  backlog.gap = undefined;
  const dropped = gap === undefined ? 0 : seq - gap.after;
  if (gap === undefined || dropped === 0) return 0;
  const { after, reason } = gap;
  putLine(backlog, { v: 1, type: 'log.gap', seq, at: timeOf(backlog), after, dropped, reason });
  backlog.recentGaps.push({ after, seq });
  return dropped;
}

export function putSnapshot(backlog: Backlog): void {
  const state = backlog.options.snapshot();
  const hash = stateHash(JSON.stringify(state));
  const { lastSeq: seq } = backlog;
  putLine(backlog, { v: 1, type: 'snapshot', seq, at: timeOf(backlog), hash, state });
  backlog.sinceState = 0;
}

export function putCheckpoint(backlog: Backlog): void {
  const hash = stateHash(JSON.stringify(backlog.options.snapshot()));
  const { lastSeq: seq } = backlog;
  putLine(backlog, { v: 1, type: 'checkpoint', seq, at: timeOf(backlog), hash });
  backlog.sinceState = 0;
}

function putLine(backlog: Backlog, line: LogLine): void {
  put(backlog, JSON.stringify(line), line.seq);
}

/** Puts a line behind the others. @param json an object @param seq of the last entry up to this line */
export function put(backlog: Backlog, json: string, seq: number): void {
  let part = backlog.parts.at(-1);
  if (part === undefined) {
    part = { begins: undefined, chunks: createChunks(), bytes: 0, lastSeq: 0 };
    backlog.parts.push(part);
  }
  backlog.lines += 1;
  const bytes = appendLine(part.chunks, json, backlog.lines);
  part.bytes += bytes;
  part.lastSeq = seq;
  backlog.waiting += bytes;
  backlog.segmentBytes += bytes;
}

/** Of the last entry; before the first one, now. */
function timeOf({ lastAt, options }: Backlog): number {
  return lastAt ?? options.now();
}
