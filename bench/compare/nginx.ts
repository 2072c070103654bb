/** nginx, as a proxy beside the others and as the backend that costs least. One worker, as the others have one thread. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FIXED_ANSWER } from './fixed-answer.ts';
import { type Command, freePort } from './processes.ts';

/** @returns its version, or undefined where it is not in PATH */
export function nginxVersion(): string | undefined {
  return /nginx\/([\d.]+)/.exec(spawnSync('nginx', ['-v'], { encoding: 'utf8' }).stderr ?? '')?.[1];
}

export type ProxyOptions = {
  readonly folder: string;
  readonly backends: readonly number[];
  readonly weights: readonly number[];
  readonly maxSockets: number;
};

/** @returns how to start it as a proxy over these ports */
export async function nginxProxy({ folder, backends, weights, maxSockets }: ProxyOptions): Promise<Command> {
  const port = await freePort();
  const servers = backends.map((backend, index) => `server 127.0.0.1:${backend} weight=${weights[index]};`);
  return command(join(folder, 'nginx'), port, [
    `upstream backends { ${servers.join(' ')} keepalive ${maxSockets}; ${FOREVER} }`,
    `server { listen 127.0.0.1:${port} backlog=4096; client_body_buffer_size 16k; location / {`,
    '  proxy_pass http://backends; proxy_http_version 1.1; proxy_set_header Connection "";',
    '  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_buffering off; proxy_read_timeout 3600s;',
    '} }',
  ]);
}

/** @returns how to start it as backends with a fixed answer, and where they will listen */
export async function nginxBackends(folder: string, count: number) {
  const ports = await Promise.all(Array.from({ length: count }, freePort));
  const servers = ports.map(
    (port) =>
      `server { listen 127.0.0.1:${port} backlog=4096; location / { return 200 '${FIXED_ANSWER}'; } }`,
  );
  return { command: command(join(folder, 'nginx-backends'), ports[0] ?? 0, servers), ports };
}

const FOREVER = 'keepalive_timeout 3600s; keepalive_requests 1000000000;';
const TEMP_PATHS = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

function command(folder: string, port: number, servers: readonly string[]): Command {
  // Each measurement of a run starts its own, one after the other.
  mkdirSync(folder, { recursive: true });
  const temps = TEMP_PATHS.map((name) => `${name}_temp_path ${join(folder, name)};`);
  const lines = [
    'daemon off; worker_processes 1; worker_rlimit_nofile 20000;',
    `pid ${join(folder, 'nginx.pid')}; error_log ${join(folder, 'error.log')} warn;`,
    'events { worker_connections 16384; }',
    'http {',
    `access_log off; server_tokens off; tcp_nodelay on; default_type application/json; ${FOREVER}`,
    ...temps,
    ...servers,
    '}',
  ];
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return { command: 'nginx', args: ['-p', folder, '-c', file], ready: { port } };
}
