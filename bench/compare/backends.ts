/** Starts the backends of a measurement: nginx for fixed answers, where it is installed, since it costs least. */
import { join } from 'node:path';
import type { Bench } from './bench-run.ts';
import { nginxBackends } from './nginx.ts';
import { start } from './processes.ts';
import { WEIGHTS } from './proxies.ts';

export type Backends = { readonly name: string; readonly ports: readonly number[]; stop(): Promise<void> };

/** Starts what answers each request with the same 438 bytes. */
export async function startBackends({ contestants, folder }: Bench): Promise<Backends> {
  const nginx = contestants.find(({ name }) => name === 'nginx');
  if (nginx === undefined) return startStreamBackends({ chunks: 1, gapMs: 1 });
  const { command, ports } = await nginxBackends(folder, WEIGHTS.length);
  const { stop } = await start(command);
  return { name: `nginx ${nginx.version}`, ports, stop };
}

/** Starts what answers with event streams of so many chunks. */
export async function startStreamBackends(stream: { chunks: number; gapMs: number }): Promise<Backends> {
  const { found, stop } = await start({
    command: process.execPath,
    args: [join(import.meta.dirname, 'backend.ts'), String(stream.chunks), String(stream.gapMs)],
    ready: /listening on ([\d ]+)\n/,
  });
  return { name: 'bare sockets of Node', ports: found.split(' ').map(Number), stop };
}
