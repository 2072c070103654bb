/**
 * What has to be remembered while a log goes by, since the core's state does not hold it: since when each backend is in
 * its state and why, and how old each socket is. It forgets what no longer matters, so it stays small on any log.
 */
import { type Core, statusOfBackend } from '../core.ts';
import type { BackendStatus, Decision, Entry } from '../events.ts';

/** A point of the log. `at` is in milliseconds since the epoch. */
export type Instant = { readonly seq: number; readonly at: number };

/** A change of a backend's state; `from` is null for a backend that came with the config. */
export type Change = Instant & {
  readonly backend: string;
  readonly from: BackendStatus | null;
  readonly to: BackendStatus;
  readonly reason: string;
};

export type SocketPast = {
  readonly openedAt: number;
  /** Requests it was leased for so far. */
  readonly leases: number;
};

export type History = {
  note(entry: Entry, core: Core): void;
  /** The last few changes of a backend, oldest first; empty if the log has none since it began or was interrupted. */
  changesOf(backend: string): readonly Change[];
  /** Undefined for a socket that was opened before the log knows anything. */
  socket(socket: number): SocketPast | undefined;
};

const CHANGES_KEPT = 4;

export function createHistory(): History {
  const changes = new Map<string, Change[]>();
  const sockets = new Map<number, { openedAt: number; leases: number }>();

  const keep = (change: Change) => {
    const known = changes.get(change.backend) ?? [];
    known.push(change);
    if (known.length > CHANGES_KEPT) known.shift();
    changes.set(change.backend, known);
  };

  const noteLease = ({ socket, reused }: Extract<Decision, { type: 'lease.granted' }>, at: number) => {
    const past = sockets.get(socket);
    if (past !== undefined) past.leases += 1;
    else if (!reused) sockets.set(socket, { openedAt: at, leases: 1 });
  };

  return {
    note(entry, core) {
      for (const decision of entry.decisions) {
        if (decision.type === 'lease.granted') noteLease(decision, entry.at);
        else if (decision.type === 'socket.evicted') sockets.delete(decision.socket);
      }
      if (entry.fact.type === 'socket.closed') sockets.delete(entry.fact.socket);
      for (const change of changesIn(entry, core)) keep(change);
    },
    changesOf: (backend) => changes.get(backend) ?? [],
    socket: (socket) => sockets.get(socket),
  };
}

/** The changes of state in an entry, with those of backends that came in with a config. */
export function changesIn({ seq, at, decisions }: Entry, core: Core): Change[] {
  const found: Change[] = [];
  for (const decision of decisions) {
    if (decision.type === 'backend.changed') {
      const { backend, from, to, reason } = decision;
      found.push({ seq, at, backend, from, to, reason });
    } else if (decision.type === 'config.applied') {
      for (const backend of decision.added) {
        // One that returns while it drains has changed, which is told above; its past goes on.
        if (found.some((change) => change.backend === backend)) continue;
        const to = statusOfBackend(core, backend);
        if (to !== undefined) found.push({ seq, at, backend, from: null, to, reason: 'configured' });
      }
    }
  }
  return found;
}
