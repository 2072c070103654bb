/**
 * The operators' side of a gateway, put together: the admin listener, the inspector's page with the history it asks for,
 * and the protocol by which tools watch the state machines.
 */
import type { Server } from 'node:http';
import type { Observable } from 'rxjs';
import { backendMachine } from './actors/backend.ts';
import type { Balancer } from './actors/balancer.ts';
import type { Entry } from './actors/events.ts';
import { type AdminOptions, createAdmin } from './io/admin.ts';
import { hostAndPort } from './io/config/hosts.ts';
import type { EventLog } from './io/event-log/event-log.ts';
import { momentOf } from './io/inspector/history/moment.ts';
import { createLiveInspector, type LiveInspector } from './io/inspector/live.ts';
import { BRIDGE_PATH, statelyBridge } from './io/inspector/protocol/bridge.ts';
import { createInspectorProtocol } from './io/inspector/protocol/protocol.ts';
import type { LiveConfig } from './io/live-config.ts';
import type { Logger } from './io/log.ts';
import type { Clock } from './streams/ports.ts';

export type OperatorsOptions = Pick<AdminOptions, 'drain' | 'restore' | 'reload' | 'stats' | 'metrics'> & {
  readonly config: LiveConfig;
  readonly log: Logger;
  readonly version: string;
  readonly balancer: Balancer;
  readonly clock: Clock;
  readonly eventLog: EventLog;
  readonly entries$: Observable<Entry>;
  /** Whether the page is served that passes what viewers are told to Stately's hosted inspector. */
  readonly hasStatelyBridge: boolean;
  /** The port that clients connect to, once it is known. */
  port(): number;
};

export type Operators = {
  readonly server: Server;
  /** Says goodbye to all who watch, and closes the listener. */
  close(): Promise<void>;
};

/** @returns a server that does not listen yet */
export function createOperators(options: OperatorsOptions): Operators {
  const { config, log, balancer, entries$, hasStatelyBridge } = options;
  const { host, token } = config.current().admin;
  const inspector = createInspector(options);
  const { server, isAllowed } = createAdmin({
    ...options,
    host,
    token,
    backends: balancer.backends,
    pages: new Map(hasStatelyBridge ? [[BRIDGE_PATH, statelyBridge]] : []),
    inspector,
  });
  const inspected = { core: balancer.core, entries$, machine: backendMachine.config };
  const protocol = createInspectorProtocol({ inspected, isAllowed, log });
  protocol.listen(server);
  return {
    server,
    async close() {
      // First, since what has become a WebSocket is none of the server's own connections any more.
      await protocol.close();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      await inspector.close();
    },
  };
}

function createInspector({
  config,
  version,
  balancer,
  clock,
  eventLog,
  port,
}: OperatorsOptions): LiveInspector {
  const { current } = config;
  return createLiveInspector({
    dir: current().eventLog.enabled ? eventLog.stats().dir : null,
    log: eventLog.stats,
    source: () => ({
      kind: 'live',
      title: hostAndPort(current().server.host, port()),
      version,
      canChange: true,
    }),
    now: (seq) => momentOf(balancer.core, { seq, at: clock.now() }),
  });
}
