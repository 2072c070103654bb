/** Event logs under test: a core that is driven and recorded, and a check of what was written. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import pino from 'pino';
import { createBalancer } from '../../src/actors/balancer.ts';
import type { Entry, Fact } from '../../src/actors/events.ts';
import type { GapLine, LogLine, SegmentLine } from '../../src/actors/log-lines.ts';
import { createReplay } from '../../src/actors/replay.ts';
import { takeSnapshot } from '../../src/actors/snapshot.ts';
import type { EventLogConfig } from '../../src/io/config/schema.ts';
import { type EventLog, type EventLogOptions, openEventLog } from '../../src/io/event-log/event-log.ts';
import { type FilePort, realFiles } from '../../src/io/event-log/files.ts';
import { decodeLine } from '../../src/io/event-log/lines.ts';
import { listSegments, type SegmentName, stateHash } from '../../src/io/event-log/segments.ts';
import type { Logger } from '../../src/io/log.ts';
import { coreConfig, ended, probeFailed, received, started } from './core.ts';
import { PATIENCE_MS } from './patience.ts';

export type Folder = Disposable & { readonly path: string };

export function temporaryFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'reprise-log-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

const SETTINGS: EventLogConfig = {
  enabled: true,
  dir: '',
  segmentBytes: 64 * 1024 * 1024,
  maxBytes: 2 ** 40,
  maxAgeMs: 2 ** 40,
  checkpointEntries: 10_000,
  bufferBytes: 8 * 1024 * 1024,
  groupCommitMs: 1,
  syncIntervalMs: 20,
};

export type Recorded = AsyncDisposable & {
  readonly log: EventLog;
  /** Takes a fact to the core and its entry to the log, as the gateway does. */
  take(fact: Fact): Entry;
  /** Takes a request from its arrival to its end: three entries, or four. */
  serve(): void;
  /** Resolves when the log says of itself what is asked for; rejects if it never does. */
  until(fits: (stats: ReturnType<EventLog['stats']>) => boolean): Promise<void>;
};

export type RecordOptions = {
  readonly settings?: Partial<EventLogConfig>;
  readonly files?: FilePort;
  readonly logger?: Logger;
  /** Whether the core has been started, which is the first entry. */
  readonly isStarted?: boolean;
  readonly timing?: EventLogOptions['timing'];
};

/** A core whose entries are recorded in a folder. */
export async function record(dir: string, options: RecordOptions = {}): Promise<Recorded> {
  const { isStarted = true, settings = {}, files = realFiles, logger = pino({ level: 'silent' }) } = options;
  const balancer = createBalancer();
  let at = 1_000_000;
  const log = await openEventLog({
    dir,
    settings: () => ({ ...SETTINGS, ...settings }),
    version: 'test',
    config: () => ({ of: 'the test' }),
    snapshot: () => takeSnapshot(balancer.core),
    now: () => at,
    files,
    log: logger,
    timing: { retryMs: 20, closeWithinMs: 10_000, openWithinMs: 10_000, ...options.timing },
  });
  let seq = log.firstSeq - 1;
  let request = 0;
  const take = (fact: Fact): Entry => {
    seq += 1;
    at += 1;
    const entry: Entry = { v: 1, seq, at, fact, decisions: balancer.step(fact, at) };
    log.append(entry);
    return entry;
  };
  if (isStarted) take({ type: 'gateway.started', version: 'test', config: coreConfig() });
  return {
    log,
    take,
    serve() {
      request += 1;
      const { decisions } = take(received(request));
      for (const decision of decisions) {
        if (decision.type === 'socket.requested') {
          take({ type: 'socket.opened', backend: decision.backend, socket: decision.socket });
        }
        if (decision.type === 'socket.requested' || decision.type === 'lease.granted') {
          take(started(request, decision.lease));
          take(ended(request, decision.lease));
        }
      }
      if (request % 50 === 0) take(probeFailed('b'));
    },
    async until(fits) {
      const deadline = performance.now() + PATIENCE_MS;
      while (!fits(log.stats())) {
        if (performance.now() > deadline) assert.fail(`waited in vain: ${JSON.stringify(log.stats())}`);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    },
    [Symbol.asyncDispose]: () => log.close(),
  };
}

export type CheckedLog = {
  readonly entries: readonly Entry[];
  readonly gaps: readonly GapLine[];
  readonly segments: readonly SegmentLine[];
  readonly checkpoints: number;
};

/**
 * Reads a log whole and checks all it promises: every line is whole, segments begin with a header and a snapshot, hashes
 * chain, numbers go up by one save for gaps, and replay gives the same decisions and states.
 */
export async function checkLog(dir: string): Promise<CheckedLog> {
  const entries: Entry[] = [];
  const gaps: GapLine[] = [];
  const segments: SegmentLine[] = [];
  let checkpoints = 0;
  const replay = createReplay(stateHash);
  let last: number | undefined;
  let previous: SegmentLine['previous'] | undefined;
  for (const file of await listSegments(dir)) {
    const bytes = segmentBytes(dir, file);
    const [header, ...lines] = linesOf(bytes);
    assert.ok(
      header !== undefined && 'type' in header && header.type === 'segment',
      `${file.file}: no header`,
    );
    assert.ok(
      lines.some((line) => 'type' in line && line.type === 'snapshot'),
      `${file.file}: no snapshot`,
    );
    assert.equal(header.seq, file.seq);
    if (previous !== undefined) assert.deepEqual(header.previous, previous);
    previous = { name: file.name, sha256: createHash('sha256').update(bytes).digest('hex') };
    segments.push(header);
    for (const line of lines) {
      if (!('type' in line)) {
        if (last !== undefined) assert.equal(line.seq, last + 1, `${file.file}: entries in order`);
        last = line.seq;
        entries.push(line);
        assert.equal(replay.take(line), undefined, `replay of ${line.seq} differs`);
      } else if (line.type === 'snapshot') {
        if (last !== undefined) assert.equal(line.seq, last);
        last = line.seq;
        replay.load(line.state);
        assert.equal(replay.compare(line.seq, line.at, line.hash), undefined);
      } else if (line.type === 'checkpoint') {
        assert.equal(line.seq, last);
        assert.equal(replay.compare(line.seq, line.at, line.hash), undefined);
        checkpoints += 1;
      } else if (line.type === 'log.gap') {
        if (last !== undefined) assert.equal(line.after, last);
        assert.equal(line.dropped, line.seq - line.after);
        last = line.seq;
        gaps.push(line);
      }
    }
  }
  return { entries, gaps, segments, checkpoints };
}

function segmentBytes(dir: string, { file, compression }: SegmentName): Buffer {
  const bytes = readFileSync(join(dir, file));
  if (compression === 'none') return bytes;
  return compression === 'zstd' ? zstdDecompressSync(bytes) : gunzipSync(bytes);
}

function linesOf(bytes: Buffer): LogLine[] {
  const texts = bytes.toString().split('\n');
  assert.equal(texts.pop(), '', 'the last line is not complete');
  return texts.map((text, index) => {
    const decoded = decodeLine(text);
    if (!decoded.ok) assert.fail(`${decoded.problem}: ${text.slice(0, 200)}`);
    assert.equal(decoded.n, index + 1, 'lines are numbered');
    return decoded.line;
  });
}

/** A logger whose lines can be read. */
export function heardLogger(): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  return { logger: pino({ level: 'info' }, { write: (line: string) => lines.push(line) }), lines };
}
