/**
 * Those who watch over WebSocket. Each is sent what there is; one who falls behind first does without frames, then is cut
 * off: nothing is kept for it without bound. What viewers say is not listened to.
 */
import type { WebSocket } from 'ws';

/** As much of a `WebSocket` as is needed here. */
export type ViewerSocket = Pick<WebSocket, 'bufferedAmount' | 'ping' | 'close' | 'terminate'> & {
  send(text: string): void;
  on(event: 'pong' | 'error' | 'close', listener: () => void): unknown;
};

export type Viewers = {
  readonly count: number;
  /** @param opening what this viewer is told first */
  add(socket: ViewerSocket, opening: readonly string[]): void;
  tell(texts: readonly string[]): void;
  show(texts: readonly string[]): void;
  /** Says goodbye to all; resolves when all have gone, or after a second, in which those who do not answer are cut off. */
  close(): Promise<void>;
};

type Viewer = {
  readonly socket: ViewerSocket;
  /** Bytes beyond which it is too far behind; the opening is given to everybody, however long it is. */
  readonly mostBuffered: number;
  /** Whether it has answered the last ping. */
  isAlive: boolean;
};

/** Bytes not yet taken off our hands by the system, from which a viewer is shown no frames. */
const NO_FRAMES_BYTES = 65_536;
/** And those at which it is cut off. */
const CUT_OFF_BYTES = 4 * 1024 * 1024;
const PING_MS = 15_000;
const GOODBYE_MS = 1_000;
/** "Going away", RFC 6455 section 7.4.1. */
const GOING_AWAY = 1001;

export type ViewerEvents = {
  onSlow(bufferedBytes: number): void;
  onLeft(): void;
};

export function createViewers({ onSlow, onLeft }: ViewerEvents): Viewers {
  const viewers = new Set<Viewer>();
  let pings: NodeJS.Timeout | undefined;

  const pingAll = () => {
    for (const viewer of viewers) {
      if (viewer.isAlive) {
        viewer.isAlive = false;
        viewer.socket.ping();
      } else viewer.socket.terminate();
    }
  };
  const remove = (viewer: Viewer) => {
    if (!viewers.delete(viewer)) return;
    if (viewers.size === 0) clearInterval(pings);
    onLeft();
  };
  const send = (viewer: Viewer, texts: readonly string[]) => {
    for (const text of texts) viewer.socket.send(text);
    const { bufferedAmount } = viewer.socket;
    if (bufferedAmount <= viewer.mostBuffered) return;
    viewer.socket.terminate();
    remove(viewer);
    onSlow(bufferedAmount);
  };

  return {
    get count() {
      return viewers.size;
    },
    add(socket, opening) {
      const openingBytes = opening.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
      const viewer: Viewer = { socket, mostBuffered: openingBytes + CUT_OFF_BYTES, isAlive: true };
      if (viewers.size === 0) pings = setInterval(pingAll, PING_MS).unref();
      viewers.add(viewer);
      socket.on('pong', () => {
        viewer.isAlive = true;
      });
      // A message that is too long, for example; 'close' follows.
      socket.on('error', () => socket.terminate());
      socket.on('close', () => remove(viewer));
      send(viewer, opening);
    },
    tell(texts) {
      for (const viewer of viewers) send(viewer, texts);
    },
    show(texts) {
      for (const viewer of viewers) {
        if (viewer.socket.bufferedAmount < NO_FRAMES_BYTES) send(viewer, texts);
      }
    },
    close: () => Promise.all([...viewers].map(({ socket }) => sayGoodbye(socket))).then(() => {}),
  };
}

function sayGoodbye(socket: ViewerSocket): Promise<void> {
  return new Promise((done) => {
    const deadline = setTimeout(() => socket.terminate(), GOODBYE_MS);
    socket.on('close', () => {
      clearTimeout(deadline);
      done();
    });
    socket.close(GOING_AWAY, 'the gateway is stopping');
  });
}
