/**
 * The socket port of a simulated world. As in the daemon, a socket that is evicted is forgotten without a fact. One that its
 * backend closes is reported once, either just before or just after the failure of the request on it.
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

export type Connection = {
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
  readonly connections = new Map<number, Connection>();
  readonly #options: SocketOptions;

  constructor(options: SocketOptions) {
    this.#options = options;
  }

  open(socket: number, { id }: BackendSettings): void {
    const { serverOf, settings, timeline } = this.#options;
    const server = serverOf(id);
    if (server === undefined) throw new RangeError(`there is no backend ${id} in this world`);
    const connection: Connection = {
      ...{ socket, server, isOpen: false, isDying: false },
      ...{ traffic: undefined, plan: undefined },
    };
    this.connections.set(socket, connection);
    const isSlow = server.fault === 'slowConnect';
    const afterMs = isSlow ? settings.connectTimeoutMs : between(server.draw, 0, 4);
    connection.plan = timeline.after(afterMs, () => this.#finishOpening(connection, isSlow));
  }

  #finishOpening(connection: Connection, isSlow: boolean): void {
    const { socket, server } = connection;
    connection.plan = undefined;
    const reason = connectFailure(server, isSlow);
    if (reason !== undefined) {
      this.connections.delete(socket);
      this.facts$.next({ type: 'socket.failed', backend: server.id, socket, reason });
      return;
    }
    connection.isOpen = true;
    this.facts$.next({ type: 'socket.opened', backend: server.id, socket });
  }

  evict(socket: number): void {
    const connection = this.connections.get(socket);
    if (connection === undefined) return;
    this.#forget(connection);
    // Whatever is still on it hears of that a turn later.
    if (connection.traffic !== undefined)
      this.#options.timeline.after(0, () => connection.traffic?.lost('other'));
  }

  /** The connection breaks under whatever is on it. */
  lose(connection: Connection, reason: UpstreamFailure): void {
    const isToldFirst = chance(connection.server.draw, 0.5);
    if (isToldFirst) this.#tellClosed(connection);
    connection.traffic?.lost(reason);
    if (!isToldFirst) this.#tellClosed(connection);
  }

  /** All that is open to a backend breaks. */
  loseAll(server: Server): void {
    for (const connection of [...this.connections.values()])
      if (connection.server === server && connection.isOpen) this.lose(connection, 'reset');
  }

  /** It has become idle, if the core has not evicted it. */
  rest(connection: Connection): void {
    if (!this.connections.has(connection.socket)) return;
    const { server } = connection;
    const { timeline } = this.#options;
    const isHasty = server.fault === 'closeIdle';
    connection.plan = timeline.after(isHasty ? between(server.draw, 0, 50) : server.idleCloseMs, () => {
      connection.isDying = true;
      connection.plan = timeline.after(between(server.draw, 0, 3), () => this.#tellClosed(connection));
    });
  }

  #tellClosed(connection: Connection): void {
    const { socket, server } = connection;
    if (this.#forget(connection)) this.facts$.next({ type: 'socket.closed', backend: server.id, socket });
  }

  #forget({ socket }: Connection): boolean {
    this.connections.get(socket)?.plan?.cancel();
    return this.connections.delete(socket);
  }
}

function connectFailure({ fault }: Server, isSlow: boolean): UpstreamFailure | undefined {
  if (fault === 'crash' || fault === 'refuse') return 'refused';
  return isSlow ? 'connectTimeout' : undefined;
}
