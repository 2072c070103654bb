/** The first words of the daemon: where it listens, what it balances, and how to try it. */
import { hostAndPort, isLoopback, reachableHost } from './config/hosts.ts';
import type { Config } from './config/schema.ts';
import { BRIDGE_PATH } from './inspector/protocol/bridge.ts';
import { WEBSOCKET_PATH } from './inspector/protocol/protocol.ts';
import type { Logger } from './log.ts';
import { originOf } from './origin.ts';

/** `--inspect` without a value is true. */
export type InspectMode = true | 'stately';

export type WelcomeFacts = {
  readonly config: Config;
  readonly port: number;
  readonly adminPort: number;
  readonly version: string;
  readonly isDemo: boolean;
  readonly inspect: InspectMode | undefined;
};

export function welcome(log: Logger, facts: WelcomeFacts): void {
  const { config, port, adminPort, version, isDemo, inspect } = facts;
  const protocol = config.server.tls.length > 0 ? 'https' : 'http';
  const url = `${protocol}://${hostAndPort(reachableHost(config.server.host), port)}`;
  const adminUrl = `http://${hostAndPort(reachableHost(config.admin.host), adminPort)}`;
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
  if (inspect !== undefined) sayHowToInspect(log, inspect, config, adminUrl);
  if (!isLoopback(config.admin.host)) {
    log.warn(
      { host: config.admin.host },
      'the admin listener is open to other machines; its token goes over the network as it is, so put TLS in front of it',
    );
  }
}

/** The token itself is never printed. */
function sayHowToInspect(log: Logger, inspect: InspectMode, { admin }: Config, adminUrl: string): void {
  const inspectorUrl = `${adminUrl}/inspector`;
  const how = admin.token === '' ? '' : '; open it with ?token= and admin.token once';
  log.info({ inspectorUrl }, `the inspector is at ${inspectorUrl}${how}`);
  if (inspect !== 'stately') return;
  const bridgeUrl = `${adminUrl}${BRIDGE_PATH}`;
  const webSocketUrl = `${adminUrl.replace('http:', 'ws:')}${WEBSOCKET_PATH}`;
  log.info(
    { bridgeUrl, webSocketUrl },
    `to watch in Stately's hosted inspector, open ${bridgeUrl} and press the button; that page then sends to https://stately.ai what it reads on ${webSocketUrl}`,
  );
}

function tryIt(url: string, adminUrl: string): string {
  const post = `curl -sN ${url}/v1/chat/completions -H 'content-type: application/json' \\\n      -d`;
  return `The mock backends are not real models. To use your own servers:

    npm start -- --backend 127.0.0.1:8001,weight=5 --backend 127.0.0.1:8002

  Try it:

    ${post} '{"model":"mock","messages":[{"role":"user","content":"Hello"}]}'

    ${post} '{"model":"mock","stream":true,"messages":[{"role":"user","content":"Hello"}]}'

    curl -s ${adminUrl}/backends

  See it: ${adminUrl}/inspector
`;
}
