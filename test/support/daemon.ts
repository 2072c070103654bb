/** The daemon as a process of its own, for what only a process has: signals, exit codes, a log. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { bareEnvironment } from './environment.ts';
import { PATIENCE_MS } from './patience.ts';

const CLI = join(import.meta.dirname, '../../src/cli.ts');

export type Daemon = AsyncDisposable & {
  readonly process: ChildProcess;
  readonly url: string;
  readonly adminUrl: string;
  /** Standard output and error so far. */
  readonly output: string;
  /** Resolves when the output fits; rejects when the daemon ends before. */
  says(pattern: RegExp): Promise<string>;
  exit(): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
};

/** Starts `reprise serve` on free ports and waits until it listens. It records nothing unless it is told where. */
export async function startDaemon(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Daemon> {
  const recording = args.includes('--event-log') ? [] : ['--no-event-log'];
  const ownArgs = ['serve', '--port', '0', '--admin-port', '0', ...recording];
  const child = spawn(process.execPath, [CLI, ...ownArgs, ...args], {
    env: { ...bareEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const watchers = new Set<() => void>();
  const wake = () => {
    for (const watcher of [...watchers]) watcher();
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output += text;
      wake();
    });
  }
  let isOver = false;
  // Not its exit: what it has said last may be read only after that.
  const exited = once(child, 'close').then(([code, signal]) => {
    isOver = true;
    wake();
    return { code, signal };
  });
  const says = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => finish(new Error(`waited in vain for ${pattern}; output: ${output}`)),
        PATIENCE_MS,
      );
      const finish = (result: string | Error) => {
        clearTimeout(timer);
        watchers.delete(watcher);
        if (result instanceof Error) reject(result);
        else resolve(result);
      };
      const watcher = () => {
        const match = pattern.exec(output);
        if (match !== null) finish(match[1] ?? match[0]);
        else if (isOver) finish(new Error(`the daemon ended (${child.exitCode}): ${output}`));
      };
      watchers.add(watcher);
      watcher();
    });
  return {
    process: child,
    url: await says(/"url":"([^"]+)"/),
    adminUrl: await says(/"adminUrl":"([^"]+)"/),
    get output() {
      return output;
    },
    says,
    exit: () => exited,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
    },
  };
}
