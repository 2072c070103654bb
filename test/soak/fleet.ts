/**
 * The backends of a fault run, and the gateway's config about them. The first is never hurt, drained or taken out, so that
 * there is always one to go to and "no healthy backend" is always a mistake.
 */
import type { BackendProcess } from './backend-process.ts';
import { startBackendProcess } from './backend-process.ts';
import type { Calm } from './calm.ts';
import type { Hurts } from './hurts.ts';

export type Fleet = AsyncDisposable & {
  readonly steady: BackendProcess;
  /** Those that may be hurt. */
  readonly others: readonly BackendProcess[];
  /** Weights of those that are in the config, by name. */
  readonly weights: Map<string, number>;
  /** Weights as they were at first. */
  reset(): void;
  /** What the config says of backends. */
  backends(): object[];
};

/** In the config from the start; the rest come and go by reloads. */
const CONFIGURED = 5;
const SPARE = 2;

export async function startBackends(hurts: Hurts, calm: Calm): Promise<Fleet> {
  const names = Array.from({ length: CONFIGURED + SPARE }, (_, index) => String.fromCharCode(97 + index));
  const all = await Promise.all(names.map((name) => startBackendProcess(name, hurts, calm.pass)));
  const [steady, ...others] = all;
  if (steady === undefined) throw new Error('no backend was started');
  const weights = new Map<string, number>();
  const reset = () => {
    weights.clear();
    for (const name of names.slice(0, CONFIGURED)) weights.set(name, 1);
  };
  reset();
  return {
    steady,
    others,
    weights,
    reset,
    backends: () =>
      all.flatMap(({ name, port }) => {
        const weight = weights.get(name);
        return weight === undefined ? [] : [{ id: name, host: '127.0.0.1', port, weight }];
      }),
    async [Symbol.asyncDispose]() {
      await Promise.all(all.map((backend) => backend[Symbol.asyncDispose]()));
    },
  };
}
