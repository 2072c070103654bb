/** What one run of the benchmark is about; each of its measurements gets this. */
import type { Contestant } from './proxies.ts';

export type Bench = {
  readonly contestants: readonly Contestant[];
  readonly peersFolder: string;
  /** Only tries whether everything works; its figures mean nothing. */
  readonly isQuick: boolean;
  /** As asked for, or undefined for as many as each measurement needs. */
  readonly rounds: number | undefined;
  /** For configs and event logs; removed at the end. */
  readonly folder: string;
  /** Tells how far the run has come. */
  say(line: string): void;
};
