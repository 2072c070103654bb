/** The proxies that are compared, and how each is started: in the same setting, as a process of its own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nginxProxy, nginxVersion } from './nginx.ts';
import { type Command, type Running, start } from './processes.ts';

export type ProxyName =
  | 'Reprise'
  | 'Reprise without event log'
  | 'nginx'
  | 'fast-proxy'
  | 'http-proxy'
  | '@fastify/http-proxy';

/** One that can be run here. */
export type Contestant = { readonly name: ProxyName; readonly version: string };

export type RunningProxy = Omit<Running, 'found'> & { readonly name: ProxyName; readonly port: number };

export type Setting = {
  /** For configs and event logs. */
  readonly folder: string;
  /** Ports of this machine. */
  readonly backends: readonly number[];
  /** Connections that a proxy may have to each backend. */
  readonly maxSockets: number;
  readonly peersFolder: string;
};

const PEERS = ['fast-proxy', 'http-proxy', '@fastify/http-proxy'] as const;
export const WEIGHTS = [5, 1, 1];
/** A peer's package may need another beside it. */
const PACKAGES = ['fast-proxy@2', 'http-proxy@1', 'fastify@5', '@fastify/http-proxy@11'];
const ROOT = join(import.meta.dirname, '../..');

/** @returns those that are installed, and a line on each that is not */
export function findContestants(peersFolder: string): { found: Contestant[]; missing: string[] } {
  const version = versionIn(ROOT) ?? 'unknown';
  const found: Contestant[] = [
    { name: 'Reprise', version },
    { name: 'Reprise without event log', version },
  ];
  const missing: string[] = [];
  const nginx = nginxVersion();
  if (nginx === undefined) missing.push('nginx is not in PATH: apt-get install nginx-light');
  else found.push({ name: 'nginx', version: nginx });
  for (const name of PEERS) {
    const installed = versionIn(join(peersFolder, 'node_modules', name));
    if (installed !== undefined) found.push({ name, version: installed });
  }
  const absent = PEERS.filter((name) => found.every((each) => each.name !== name));
  if (absent.length > 0) {
    const install = `npm install --prefix ${peersFolder} ${PACKAGES.join(' ')}`;
    missing.push(`${absent.join(', ')} not in ${peersFolder}: ${install}`);
  }
  return { found, missing };
}

/** Starts one, ready to be asked. */
export async function startProxy(name: ProxyName, setting: Setting): Promise<RunningProxy> {
  const { found, ...running } = await start(await commandOf(name, setting));
  return { name, port: Number(found), ...running };
}

async function commandOf(name: ProxyName, setting: Setting): Promise<Command> {
  switch (name) {
    case 'Reprise':
      return reprise(setting, ['--event-log', join(setting.folder, 'events')]);
    case 'Reprise without event log':
      return reprise(setting, ['--no-event-log']);
    case 'nginx':
      return nginxProxy({ ...setting, weights: WEIGHTS });
    default:
      return peer(name, setting);
  }
}

function reprise({ backends, maxSockets, folder }: Setting, flags: readonly string[]): Command {
  const addresses = backends.map((port, index) => [
    '--backend',
    `127.0.0.1:${port},weight=${WEIGHTS[index]}`,
  ]);
  return {
    command: join(ROOT, 'bin/reprise'),
    args: ['serve', '--port', '0', '--admin-port', '0', ...flags, ...addresses.flat()],
    cwd: folder,
    env: { REPRISE_POOL_SIZE: String(maxSockets) },
    ready: /"url":"[^"]+:(\d+)"/,
  };
}

function peer(name: ProxyName, { backends, maxSockets, peersFolder }: Setting): Command {
  const script = `${name.replace('@', '').replace('/', '-')}.cjs`;
  return {
    command: process.execPath,
    args: [join(import.meta.dirname, '../peers', script)],
    env: {
      PEERS_FOLDER: peersFolder,
      BACKENDS: backends.join(' '),
      MAX_SOCKETS: String(maxSockets),
    },
    ready: /listening on (\d+)/,
  };
}

/** @returns the version of the package in this folder, or undefined if there is none */
function versionIn(folder: string): string | undefined {
  try {
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      version?: string;
    };
    return version;
  } catch {
    return undefined;
  }
}
