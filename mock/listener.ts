/**
 * The listening socket, apart from the HTTP machinery, so that a mock can refuse new connections while the open
 * ones live on, come back on the same port, or drop everything at once as a killed process does.
 */
import { createServer, type Server, type Socket } from 'node:net';

export type Listener = {
  /** Opens (again, on the same port); rejects with the system's error when the port is taken. */
  listen(): Promise<void>;
  /** Closes the listening socket only. */
  stop(): void;
  /** Closes the listening socket and opens it again after this long, as soon as the port is free; 0 opens it now. */
  stopFor(durationMs: number): void;
  /** Closes every open socket, as the kernel does for a process that dies. */
  destroySockets(): void;
  readonly port: number;
  readonly listening: boolean;
  readonly open: number;
  readonly opened: number;
};

export type ListenerOptions = {
  readonly host: string;
  readonly port: number;
  readonly onSocket: (socket: Socket) => void;
  /** Called after a socket opened or closed, and when listening began or ended. */
  readonly onChange: () => void;
};

const REOPEN_RETRY_MS = 50;

export function createListener(options: ListenerOptions): Listener {
  const sockets = new Set<Socket>();
  let port = options.port;
  let opened = 0;
  let server: Server | null = null;
  let reopening: NodeJS.Timeout | undefined;

  function accept(socket: Socket): void {
    opened++;
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      options.onChange();
    });
    options.onSocket(socket);
    options.onChange();
  }

  async function listen(): Promise<void> {
    clearTimeout(reopening);
    if (server) return;
    // Half-open as `node:http` itself wants it: a FIN from the peer is for the HTTP machinery to judge.
    const next = createServer({ noDelay: true, allowHalfOpen: true }, accept);
    server = next;
    try {
      port = await bind(next, options.host, port);
    } catch (error) {
      server = null;
      throw error;
    }
    // Stopped while it was opening.
    if (server !== next) next.close();
    options.onChange();
  }

  function stop(): void {
    clearTimeout(reopening);
    server?.close();
    server = null;
    options.onChange();
  }

  function reopenAfter(waitMs: number): void {
    reopening = setTimeout(() => {
      listen().catch(() => reopenAfter(REOPEN_RETRY_MS));
    }, waitMs);
  }

  return {
    listen,
    stop,
    stopFor(durationMs) {
      if (durationMs > 0) stop();
      reopenAfter(durationMs);
    },
    destroySockets: () => sockets.forEach((socket) => void socket.destroy()),
    get port() {
      return port;
    },
    get listening() {
      return server?.listening ?? false;
    },
    get open() {
      return sockets.size;
    },
    get opened() {
      return opened;
    },
  };
}

/** Binds and returns the port that was taken. */
function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // A long backlog, so that a benchmark's burst of connections is not dropped by the kernel.
    server.listen({ host, port, backlog: 4096 }, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
