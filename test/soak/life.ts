/** The life of a process that is started, killed and started again, and should not end by itself. */
import type { ChildProcess } from 'node:child_process';
import { until } from './until.ts';

export type Life = {
  readonly isUp: boolean;
  /** Whether it ended without having been told to. */
  readonly hasDied: boolean;
  /** How often it was started. */
  readonly starts: number;
  readonly pid: number | undefined;
  start(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  signal(signal: NodeJS.Signals): void;
};

const START_WITHIN_MS = 30_000;

/** @param isServing asked after a start until it says yes */
export function createLife(spawn: () => ChildProcess, isServing: () => Promise<boolean>): Life {
  let child: ChildProcess | undefined;
  let exited: Promise<number | null> = Promise.resolve(null);
  let isUp = false;
  let hasDied = false;
  let isToEnd = false;
  let starts = 0;
  const end = (signal: NodeJS.Signals) => {
    isToEnd = true;
    isUp = false;
    child?.kill(signal);
    return exited;
  };
  return {
    get isUp() {
      return isUp;
    },
    get hasDied() {
      return hasDied;
    },
    get starts() {
      return starts;
    },
    get pid() {
      return child?.pid;
    },
    async start() {
      const begun = spawn();
      child = begun;
      isToEnd = false;
      exited = new Promise((resolve) => begun.once('exit', resolve));
      void exited.then(() => {
        isUp = false;
        hasDied = !isToEnd;
      });
      starts += 1;
      await until('the gateway serves', START_WITHIN_MS, isServing);
      isUp = true;
    },
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    signal: (signal) => void child?.kill(signal),
  };
}
