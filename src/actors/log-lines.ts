/**
 * The lines of the event log beside the entries: what opens a segment, what the state was, and where something is
 * missing. Each is one JSON object with a `type`; an entry has none, and is told by its `fact`.
 */
import type { Entry } from './events.ts';
import type { CoreSnapshot } from './snapshot.ts';

/** The version of the format. A reader refuses a later one. */
export const LOG_VERSION = 1;

/** The first line of a segment. A snapshot follows it. */
export type SegmentLine = {
  readonly v: 1;
  readonly type: 'segment';
  /** The version of Reprise that wrote it. */
  readonly product: string;
  /** Of the first entry to come, or the first that the gap line behind it says is missing. */
  readonly seq: number;
  readonly at: number;
  /**
   * `started`: what stands before is of another run of the gateway, and if this one could not be recorded from its start
   * a gap line says what is missing; `rotated`: the core goes on; `recovered`: it goes on after the disk failed, and a gap
   * line says what is missing.
   */
  readonly reason: 'started' | 'rotated' | 'recovered';
  /** The segment before, null for the first: its name and the SHA-256 of its bytes, in hex. */
  readonly previous: { readonly name: string; readonly sha256: string } | null;
  /** The effective config, whole, for the reader's eyes; what decisions depend on is in the facts. */
  readonly config: unknown;
};

/** The whole state of the core after the entry `seq`. */
export type SnapshotLine = {
  readonly v: 1;
  readonly type: 'snapshot';
  readonly seq: number;
  readonly at: number;
  readonly hash: string;
  readonly state: CoreSnapshot;
};

/** A hash of the core's state after the entry `seq`. */
export type CheckpointLine = {
  readonly v: 1;
  readonly type: 'checkpoint';
  readonly seq: number;
  readonly at: number;
  readonly hash: string;
};

/** Entries that could not be kept: all after `after` up to `seq`. A snapshot follows it. */
export type GapLine = {
  readonly v: 1;
  readonly type: 'log.gap';
  readonly seq: number;
  readonly at: number;
  readonly after: number;
  readonly dropped: number;
  /** What kept them out, such as `ENOSPC` or `too slow`. */
  readonly reason: string;
};

export type LogLine = Entry | SegmentLine | SnapshotLine | CheckpointLine | GapLine;
