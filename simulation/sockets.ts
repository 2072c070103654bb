/**
 * The socket port of a simulated world. As in the daemon, a socket that is evicted is forgotten without a word, and one
 * that its backend closes is told of once, either just before or just after what that did to the request on it.
 */
import { type Observable, Subject } from 'rxjs';
import type { BackendSettings, Fact, UpstreamFailure } from '../src/actors/events.ts';
import type { SocketPort } from '../src/streams/ports.ts';
import { between, chance } from './draw.ts';
import type { WorldSettings } from './scenario.ts';
import type { Server } from './servers.ts';
import type { Cancel, Timeline } from './timeline.ts';

/** What is sent over a socket, as far as the socket is concerned. */
export type Traffic = {
  /** The connection is gone, or was given up. */
  lost(reason: UpstreamFailure): void;
};

export type End = {
  readonly socket: number;
  readonly server: Server;
  isOpen: boolean;
  /** The backend has closed it, which is not known here yet. */
  isDying: boolean;
  traffic: Traffic | undefined;
  /** Calls off what is planned for it: its opening, or its being closed while idle. */
  cancel: Cancel | undefined;
};

export type SimulatedSockets = SocketPort & {
  readonly facts$: Observable<Fact>;
  readonly ends: ReadonlyMap<number, End>;
  /** The connection breaks under whatever is on it. */
  lose(end: End, reason: UpstreamFailure): void;
  /** It has become idle, if the core has not evicted it. */
  rest(end: End): void;
  /** All that is open to a backend breaks. */
  loseAll(server: Server): void;
};

export function createSockets(
  serverOf: (backend: string) => Server | undefined,
  settings: WorldSettings,
  timeline: Timeline,
): SimulatedSockets {
  const facts$ = new Subject<Fact>();
  const ends = new Map<number, End>();

  const forget = ({ socket }: End) => {
    const end = ends.get(socket);
    end?.cancel?.();
    return ends.delete(socket);
  };

  const tellClosed = (end: End) => {
    const { socket, server } = end;
    if (forget(end)) facts$.next({ type: 'socket.closed', backend: server.id, socket });
  };

  const lose = (end: End, reason: UpstreamFailure) => {
    const isToldFirst = chance(end.server.draw, 0.5);
    if (isToldFirst) tellClosed(end);
    end.traffic?.lost(reason);
    if (!isToldFirst) tellClosed(end);
  };

  const rest = (end: End) => {
    if (!ends.has(end.socket)) return;
    const { server } = end;
    const isHasty = server.fault === 'closeIdle';
    end.cancel = timeline.after(isHasty ? between(server.draw, 0, 50) : server.idleCloseMs, () => {
      end.isDying = true;
      end.cancel = timeline.after(between(server.draw, 0, 3), () => tellClosed(end));
    });
  };

  return {
    facts$,
    ends,
    lose,
    rest,
    open(socket: number, { id }: BackendSettings) {
      const server = serverOf(id);
      if (server === undefined) throw new RangeError(`there is no backend ${id} in this world`);
      const end: End = {
        socket,
        server,
        isOpen: false,
        isDying: false,
        traffic: undefined,
        cancel: undefined,
      };
      ends.set(socket, end);
      const isSlow = server.fault === 'slowConnect';
      end.cancel = timeline.after(isSlow ? settings.connectTimeoutMs : between(server.draw, 0, 4), () => {
        end.cancel = undefined;
        const reason = connectFailure(server, isSlow);
        if (reason !== undefined) {
          ends.delete(socket);
          facts$.next({ type: 'socket.failed', backend: id, socket, reason });
          return;
        }
        end.isOpen = true;
        facts$.next({ type: 'socket.opened', backend: id, socket });
      });
    },
    evict(socket) {
      const end = ends.get(socket);
      if (end === undefined) return;
      forget(end);
      // Whatever is still on it hears of that a turn later.
      if (end.traffic !== undefined) timeline.after(0, () => end.traffic?.lost('other'));
    },
    loseAll(server) {
      for (const end of [...ends.values()]) if (end.server === server && end.isOpen) lose(end, 'reset');
    },
  };
}

function connectFailure({ fault }: Server, isSlow: boolean): UpstreamFailure | undefined {
  if (fault === 'crash' || fault === 'refuse') return 'refused';
  return isSlow ? 'connectTimeout' : undefined;
}
