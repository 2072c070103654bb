/**
 * Two connections joined into one, after a backend has agreed to another protocol (a WebSocket): bytes flow both ways as
 * they come, each side is held back while the other is slow, and the end of one side is passed on to the other.
 */
import type { Duplex } from 'node:stream';
import type { UpstreamFailure } from '../actors/events.ts';
import type { Totals } from '../streams/requests.ts';
import { classifyLoss } from './failures.ts';

export type TunnelEvents = {
  /** Both sides have closed, or it was ended from here. The totals are of what the backend sent. */
  ended(totals: Totals): void;
  /** The backend's connection was lost. */
  broken(reason: UpstreamFailure, totals: Totals): void;
};

export type TunnelEnds = {
  readonly backend: string;
  readonly client: Duplex;
  readonly upstream: Duplex;
};

export type Tunnels = {
  /** If the client's connection is lost, that is told elsewhere, as for any request. */
  join(ends: TunnelEnds, events: TunnelEvents): void;
  /** Ends those to one backend, or all. */
  end(backend?: string): void;
};

/** How long one side may be silent once the other has closed. */
const HALF_CLOSED_IDLE_MS = 5_000;
/** How long a side may take to read what it has been sent before the end. */
const FLUSH_MS = 2_000;

/** @param idleTimeoutMs how long both sides may be silent */
export function createTunnels(idleTimeoutMs: () => number): Tunnels {
  const open = new Set<{ readonly backend: string; readonly end: () => void }>();
  return {
    join(ends, events) {
      const tunnel = { backend: ends.backend, end: joinEnds(ends, idleTimeoutMs(), events) };
      open.add(tunnel);
      ends.client.once('close', () => open.delete(tunnel));
    },
    end(backend) {
      for (const tunnel of [...open]) if (backend === undefined || tunnel.backend === backend) tunnel.end();
    },
  };
}

/** @returns what ends the tunnel */
function joinEnds({ client, upstream }: TunnelEnds, idleTimeoutMs: number, events: TunnelEvents): () => void {
  let bytes = 0;
  let chunks = 0;
  let isOver = false;
  let open = 2;
  let failure: Error | undefined;

  const over = (): boolean => {
    const wasOver = isOver;
    isOver = true;
    clearTimeout(timer);
    return !wasOver;
  };
  const end = () => {
    if (!over()) return;
    events.ended({ bytes, chunks });
    closeAfterFlush(client);
    closeAfterFlush(upstream);
  };
  let timer = setTimeout(end, idleTimeoutMs);
  const halfClosed = () => {
    open -= 1;
    clearTimeout(timer);
    if (!isOver) timer = setTimeout(end, Math.min(HALF_CLOSED_IDLE_MS, idleTimeoutMs));
  };
  const sideIsDone = () => {
    if (open === 0 && client.writableFinished && upstream.writableFinished) end();
  };

  pump(client, upstream, () => timer.refresh());
  pump(upstream, client, (size) => {
    bytes += size;
    chunks += 1;
    timer.refresh();
  });
  for (const side of [client, upstream]) {
    side.on('end', halfClosed);
    side.on('end', sideIsDone);
    side.on('finish', sideIsDone);
  }
  upstream.on('error', (error) => {
    failure = error;
  });
  upstream.once('close', () => {
    // One that has closed its side in order may refuse what still comes.
    if (upstream.readableEnded) end();
    else if (over()) {
      events.broken(failure === undefined ? 'closed' : classifyLoss(failure), { bytes, chunks });
      client.destroy();
    }
  });
  // Before those who take the loss of a connection for the client's leaving: one that has closed its side has said so.
  client.prependOnceListener('close', () => {
    if (client.readableEnded) end();
    else over();
  });
  return end;
}

function pump(from: Duplex, to: Duplex, moved: (bytes: number) => void): void {
  from.on('data', (piece: Buffer) => {
    moved(piece.length);
    if (!to.write(piece)) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('end', () => to.end());
  from.resume();
}

/** The other side gets what has been written, and then the end; but nothing waits for one that does not read. */
function closeAfterFlush(side: Duplex): void {
  if (side.writableFinished || side.destroyed) {
    side.destroy();
    return;
  }
  const timer = setTimeout(() => side.destroy(), FLUSH_MS);
  side.once('close', () => clearTimeout(timer));
  side.once('finish', () => side.destroy());
  side.end();
}
