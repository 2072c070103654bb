/** The first words of the daemon: where it listens, what it balances, and how to try it. */
import { hostAndPort } from './config/hosts.ts';
import type { Config } from './config/schema.ts';
import type { Logger } from './log.ts';
import { originOf } from './origin.ts';

export type WelcomeFacts = {
  readonly config: Config;
  readonly port: number;
  readonly adminPort: number;
  readonly version: string;
  readonly isDemo: boolean;
};

export function welcome(log: Logger, facts: WelcomeFacts): void {
  const { config, port, adminPort, version, isDemo } = facts;
  const protocol = config.server.tls.length > 0 ? 'https' : 'http';
  const url = `${protocol}://${hostAndPort(reachable(config.server.host), port)}`;
  const adminUrl = `http://${hostAndPort(reachable(config.admin.host), adminPort)}`;
  const backends = config.backends.map(({ id, weight, ...rest }) => ({ id, weight, url: originOf(rest) }));
  log.info({ url, adminUrl, pid: process.pid }, `Reprise ${version} serves on ${url} (admin on ${adminUrl})`);
  if (isDemo) {
    log.warn(
      { backends },
      `no backend is configured: ${backends.length} mock backends in this process answer, with weights ${backends.map(({ weight }) => weight).join(', ')}`,
    );
    // Where the log is lines of JSON, commands to paste would be full of backslashes in it.
    if (config.logging.format === 'pretty') log.info(tryIt(url, adminUrl));
    else process.stderr.write(`${tryIt(url, adminUrl)}\n`);
  } else {
    log.info(
      { backends },
      `balancing over ${backends.map(({ id, weight }) => `${id} (weight ${weight})`).join(', ')}`,
    );
  }
  if (!isLoopback(config.admin.host)) {
    log.warn(
      { host: config.admin.host },
      'the admin listener has no log-in and is open to other machines; bind it to 127.0.0.1',
    );
  }
}

/** An address a client on this machine can use, for one that means "all of them". */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function tryIt(url: string, adminUrl: string): string {
  const post = `curl -sN ${url}/v1/chat/completions -H 'content-type: application/json' \\\n      -d`;
  return `The mock backends are not real models. To use your own servers:

    npm start -- --backend 127.0.0.1:8001,weight=5 --backend 127.0.0.1:8002

  Try it:

    ${post} '{"model":"mock","messages":[{"role":"user","content":"Hello"}]}'

    ${post} '{"model":"mock","stream":true,"messages":[{"role":"user","content":"Hello"}]}'

    curl -s ${adminUrl}/backends
`;
}
