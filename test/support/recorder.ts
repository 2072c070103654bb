/**
 * Records facts as the gateway does, but without its disk: each segment comes out as one text, so that tests can alter it
 * and benchmarks can write as many as they like.
 */
import { createHash } from 'node:crypto';
import { createBalancer } from '../../src/actors/balancer.ts';
import type { Decision, Fact } from '../../src/actors/events.ts';
import { LOG_VERSION, type LogLine, type SegmentLine } from '../../src/actors/log-lines.ts';
import { takeSnapshot } from '../../src/actors/snapshot.ts';
import { encodeLine } from '../../src/io/event-log/lines.ts';
import { segmentName, stateHash } from '../../src/io/event-log/segments.ts';

export type RecorderOptions = {
  readonly segmentBytes: number;
  /** Entries from one checkpoint to the next. */
  readonly checkpointEvery: number;
  /** Takes a segment that is finished. */
  write(name: string, text: string): void;
};

export type Recorder = {
  /** Takes a fact to the core and records it. @returns what the core decided */
  take(fact: Fact, at: number): readonly Decision[];
  /** Takes a fact to the core and records nothing, as a disk that is too slow. */
  lose(fact: Fact, at: number): void;
  /** Another run of the gateway in the same log. */
  restart(): void;
  end(): void;
};

export function createRecorder({ segmentBytes, checkpointEvery, write }: RecorderOptions): Recorder {
  let balancer = createBalancer();
  const segments = createSegments(write);
  let seq = 0;
  let at = 0;
  let lost = 0;

  const addState = (type: 'snapshot' | 'checkpoint') => {
    const state = takeSnapshot(balancer.core);
    const start = { v: LOG_VERSION, seq, at, hash: stateHash(JSON.stringify(state)) } as const;
    segments.add(type === 'snapshot' ? { ...start, type, state } : { ...start, type });
  };

  const open = (reason: SegmentLine['reason']) => {
    segments.open(seq + 1, at, reason);
    addState('snapshot');
  };

  const addGap = () => {
    if (lost === 0) return;
    const gap = { v: LOG_VERSION, type: 'log.gap', seq, at, after: seq - lost, dropped: lost } as const;
    segments.add({ ...gap, reason: 'too slow' });
    lost = 0;
    addState('snapshot');
  };

  const step = (fact: Fact, now: number) => {
    seq += 1;
    at = now;
    return balancer.step(fact, at);
  };

  open('started');
  return {
    take(fact, now) {
      addGap();
      if (segments.bytes >= segmentBytes) {
        segments.close();
        open('rotated');
      }
      const decisions = step(fact, now);
      segments.add({ v: LOG_VERSION, seq, at, fact, decisions });
      if (seq % checkpointEvery === 0) addState('checkpoint');
      return decisions;
    },
    lose(fact, now) {
      step(fact, now);
      lost += 1;
    },
    restart() {
      addGap();
      segments.close();
      balancer = createBalancer();
      open('started');
    },
    end() {
      addGap();
      segments.close();
    },
  };
}

/** The chain of segments, of which one is open. */
function createSegments(write: RecorderOptions['write']) {
  let name = '';
  let previous: SegmentLine['previous'] = null;
  let lines: string[] = [];
  let bytes = 0;
  const add = (line: LogLine): void => {
    const text = encodeLine(line, lines.length + 1);
    lines.push(text);
    bytes += text.length;
  };
  return {
    get bytes() {
      return bytes;
    },
    add,
    open(seq: number, at: number, reason: SegmentLine['reason']): void {
      name = segmentName(seq);
      const header = { v: LOG_VERSION, type: 'segment', product: '0.1.0', seq, at, reason } as const;
      add({ ...header, previous, config: {} });
    },
    close(): void {
      const text = lines.join('');
      write(name, text);
      previous = { name, sha256: createHash('sha256').update(text).digest('hex') };
      lines = [];
      bytes = 0;
    },
  };
}
