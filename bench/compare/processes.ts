/** Child processes of the benchmark: started, waited for, and ended with it however it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export type Command = {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What it says on stdout once it is ready; where it says nothing, `port` is tried until it can be connected to. */
  readonly ready: RegExp | { readonly port: number };
};

export type Running = {
  readonly pid: number;
  /** What the first group of `ready` found, or the port. */
  readonly found: string;
  stop(): Promise<void>;
};

const READY_WITHIN_MS = 20_000;
const STOP_WITHIN_MS = 5_000;
const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** @returns the process once it is ready; throws with its last words if that takes too long or it ends before */
export async function start(wanted: Command): Promise<Running> {
  const { command, args, cwd, env, ready } = wanted;
  const child = spawn(command, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...surroundings(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      output.text = (output.text + piece).slice(-4096);
    });
  }
  const failed = once(child, 'error').then(([error]) => Promise.reject(error));
  failed.catch(() => {});
  const found = await Promise.race([whenReady(child, output, ready), failed]).catch(async (error: Error) => {
    await stop(child);
    throw new Error(`${command} ${args.join(' ')}: ${error.message}\n${output.text}`);
  });
  return { pid: child.pid ?? 0, found, stop: () => stop(child) };
}

async function whenReady(
  child: ChildProcess,
  output: { readonly text: string },
  ready: Command['ready'],
): Promise<string> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('it ended before it was ready');
    if (ready instanceof RegExp) {
      const found = ready.exec(output.text)?.[1];
      if (found !== undefined) return found;
    } else if (await canConnect(ready.port)) return String(ready.port);
    await sleep(20);
  }
  throw new Error(`it was not ready within ${READY_WITHIN_MS / 1000} s`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (!children.has(child) || child.pid === undefined) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const killing = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await ended;
  clearTimeout(killing);
}

/** The environment without what would configure Reprise, with this very Node first in PATH. */
function surroundings(): Record<string, string | undefined> {
  const own = Object.entries(process.env).filter(
    ([key]) => !key.startsWith('REPRISE_') && !key.startsWith('NODE_'),
  );
  const folder = process.execPath.replace(/\/[^/]*$/, '');
  return { ...Object.fromEntries(own), PATH: `${folder}:${process.env.PATH}`, NODE_ENV: 'production' };
}

/** @returns a port that was free a moment ago, for programs that cannot choose one themselves */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('the system gave no port');
  return address.port;
}

async function canConnect(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
