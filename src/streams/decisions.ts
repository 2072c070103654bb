/** Routes each decision to the port that carries it out. What no port needs is there for logs and watchers. */
import type { Observable, Subscription } from 'rxjs';
import { assertNever } from '../actors/assert-never.ts';
import type { BackendSettings, Decision, Entry } from '../actors/events.ts';
import type { Exchange, SocketPort } from './ports.ts';

export type DecisionPorts = {
  readonly sockets: SocketPort;
  /** The exchange of a request that is under way. */
  exchangeOf(request: number): Exchange | undefined;
  settingsOf(backend: string): BackendSettings | undefined;
  /** Told when a port threw; the other decisions of the same entry are carried out all the same. */
  onError(error: unknown, decision: Decision): void;
};

export function routeDecisions(entries$: Observable<Entry>, ports: DecisionPorts): Subscription {
  return entries$.subscribe((entry) => {
    for (const decision of entry.decisions) {
      try {
        carryOut(decision, ports);
      } catch (error) {
        ports.onError(error, decision);
      }
    }
  });
}

function carryOut(decision: Decision, ports: DecisionPorts): void {
  switch (decision.type) {
    case 'lease.granted':
      ports.exchangeOf(decision.request)?.granted(decision);
      break;
    case 'request.rejected':
      ports.exchangeOf(decision.request)?.rejected(decision);
      break;
    case 'response.passed':
      ports.exchangeOf(decision.request)?.passed(decision.lease);
      break;
    case 'response.discarded':
      ports.exchangeOf(decision.request)?.discarded(decision.lease);
      break;
    case 'socket.requested': {
      const settings = ports.settingsOf(decision.backend);
      if (settings !== undefined) ports.sockets.open(decision.socket, settings);
      break;
    }
    case 'socket.evicted':
      ports.sockets.evict(decision.socket);
      break;
    case 'backend.changed':
    case 'backend.paused':
    case 'backend.selected':
    case 'lease.released':
    case 'request.queued':
    case 'request.retried':
    case 'config.applied':
    case 'gateway.stopped':
      break;
    default:
      assertNever(decision);
  }
}
