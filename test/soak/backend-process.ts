/** A backend of a fault run as its parent sees it: started, killed, frozen, made to break connections. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { bareEnvironment } from '../support/environment.ts';
import type { BackendNews, BackendOrder } from './backend.ts';
import type { Hurts } from './hurts.ts';
import { steadyPort } from './ports.ts';

export type BackendProcess = AsyncDisposable & {
  readonly name: string;
  readonly port: number;
  readonly isUp: boolean;
  /** SIGKILL, and again on the same port after so long. */
  kill(forMs: number): Promise<void>;
  /** SIGSTOP, and SIGCONT after so long: connections open, nothing answers. */
  freeze(forMs: number): Promise<void>;
  /** This share of its connections ends, by RST or FIN. */
  cut(how: 'reset' | 'close', share: number): void;
  /** Its probes get 503 for so long; what it serves goes on. */
  lookIll(forMs: number): Promise<void>;
};

/** @param pass waits for so long, or less if the run is to calm down */
export async function startBackendProcess(
  name: string,
  hurts: Hurts,
  pass: (ms: number) => Promise<void>,
): Promise<BackendProcess> {
  const port = await steadyPort();
  let child: ChildProcess | undefined;
  let isUp = false;
  const start = async () => {
    child = fork(join(import.meta.dirname, 'backend.ts'), [name, String(port)], {
      execArgv: [],
      env: bareEnvironment(),
    });
    await new Promise<void>((resolve, reject) => {
      child?.once('message', (_news: BackendNews) => resolve());
      child?.once('exit', (code) =>
        reject(new Error(`backend ${name} ended with ${code} before it listened`)),
      );
    });
    isUp = true;
  };
  const stop = async () => {
    isUp = false;
    const dying = child;
    if (dying === undefined || dying.exitCode !== null || dying.signalCode !== null) return;
    const gone = new Promise((resolve) => dying.once('exit', resolve));
    dying.kill('SIGKILL');
    await gone;
  };
  const tell = (order: BackendOrder) => {
    if (child?.connected === true) child.send(order);
  };
  await start();
  return {
    name,
    port,
    get isUp() {
      return isUp;
    },
    async kill(forMs) {
      const heal = hurts.begin(name);
      await stop();
      await pass(forMs);
      await start();
      heal();
    },
    async freeze(forMs) {
      const heal = hurts.begin(name);
      isUp = false;
      child?.kill('SIGSTOP');
      await pass(forMs);
      child?.kill('SIGCONT');
      isUp = true;
      heal();
    },
    cut(how, share) {
      const heal = hurts.begin(name);
      tell({ order: how, share });
      heal();
    },
    async lookIll(forMs) {
      tell({ order: 'health', status: 503 });
      await pass(forMs);
      tell({ order: 'health', status: 200 });
    },
    [Symbol.asyncDispose]: stop,
  };
}
