/**
 * The socket port of a simulated world. As in the daemon, a socket that is evicted is forgotten without a word, and one
 * that its backend closes is told of once, either just before or just after what that did to the request on it.
 */
import { Subject } from 'rxjs';
import type { BackendSettings, Fact, UpstreamFailure } from '../src/actors/events.ts';
import type { SocketPort } from '../src/streams/ports.ts';
import { between, chance } from './draw.ts';
import type { WorldSettings } from './scenario.ts';
import type { Server } from './servers.ts';
import type { Plan, Timeline } from './timeline.ts';

/** What is sent over a socket, as far as the socket is concerned. */
type Traffic = {
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
  /** What is planned for it: its opening, or its being closed while idle. */
  plan: Plan | undefined;
};

type SocketOptions = {
  readonly serverOf: (backend: string) => Server | undefined;
  readonly settings: WorldSettings;
  readonly timeline: Timeline;
};

export class SimulatedSockets implements SocketPort {
  readonly facts$ = new Subject<Fact>();
  readonly ends = new Map<number, End>();
  readonly #options: SocketOptions;

  constructor(options: SocketOptions) {
    this.#options = options;
  }

  open(socket: number, { id }: BackendSettings): void {
    const { serverOf, settings, timeline } = this.#options;
    const server = serverOf(id);
    if (server === undefined) throw new RangeError(`there is no backend ${id} in this world`);
    const end: End = {
      ...{ socket, server, isOpen: false, isDying: false },
      ...{ traffic: undefined, plan: undefined },
    };
    this.ends.set(socket, end);
    const isSlow = server.fault === 'slowConnect';
    const afterMs = isSlow ? settings.connectTimeoutMs : between(server.draw, 0, 4);
    end.plan = timeline.after(afterMs, () => this.#come(end, isSlow));
  }

  #come(end: End, isSlow: boolean): void {
    const { socket, server } = end;
    end.plan = undefined;
    const reason = connectFailure(server, isSlow);
    if (reason !== undefined) {
      this.ends.delete(socket);
      this.facts$.next({ type: 'socket.failed', backend: server.id, socket, reason });
      return;
    }
    end.isOpen = true;
    this.facts$.next({ type: 'socket.opened', backend: server.id, socket });
  }

  evict(socket: number): void {
    const end = this.ends.get(socket);
    if (end === undefined) return;
    this.#forget(end);
    // Whatever is still on it hears of that a turn later.
    if (end.traffic !== undefined) this.#options.timeline.after(0, () => end.traffic?.lost('other'));
  }

  /** The connection breaks under whatever is on it. */
  lose(end: End, reason: UpstreamFailure): void {
    const isToldFirst = chance(end.server.draw, 0.5);
    if (isToldFirst) this.#tellClosed(end);
    end.traffic?.lost(reason);
    if (!isToldFirst) this.#tellClosed(end);
  }

  /** All that is open to a backend breaks. */
  loseAll(server: Server): void {
    for (const end of [...this.ends.values()])
      if (end.server === server && end.isOpen) this.lose(end, 'reset');
  }

  /** It has become idle, if the core has not evicted it. */
  rest(end: End): void {
    if (!this.ends.has(end.socket)) return;
    const { server } = end;
    const { timeline } = this.#options;
    const isHasty = server.fault === 'closeIdle';
    end.plan = timeline.after(isHasty ? between(server.draw, 0, 50) : server.idleCloseMs, () => {
      end.isDying = true;
      end.plan = timeline.after(between(server.draw, 0, 3), () => this.#tellClosed(end));
    });
  }

  #tellClosed(end: End): void {
    const { socket, server } = end;
    if (this.#forget(end)) this.facts$.next({ type: 'socket.closed', backend: server.id, socket });
  }

  #forget({ socket }: End): boolean {
    this.ends.get(socket)?.plan?.cancel();
    return this.ends.delete(socket);
  }
}

function connectFailure({ fault }: Server, isSlow: boolean): UpstreamFailure | undefined {
  if (fault === 'crash' || fault === 'refuse') return 'refused';
  return isSlow ? 'connectTimeout' : undefined;
}
