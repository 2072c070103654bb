/** Follows the line ahead of one waiting request: who got a turn, who left, who got past it and why. */
import { type Core, poolOf } from '../core.ts';
import type { Decision, Entry } from '../events.ts';
import type { LineChange } from './life.ts';

export type LineWatch = {
  /** @returns what a fact and decisions changed for the request, with its place after each */
  after(happened: Pick<Entry, 'fact' | 'decisions'>): (LineChange & { readonly place: number })[];
  /** Numbers of those ahead of it. */
  readonly ahead: readonly number[];
};

/**
 * @param request one that has joined the line in this entry
 * @param later the decisions of the entry behind that, which may have moved the line already
 */
export function watchLine(request: number, later: readonly Decision[], core: Core): LineWatch {
  const gone = later.flatMap((decision) =>
    decision.type === 'backend.selected' || decision.type === 'request.rejected' ? [decision.request] : [],
  );
  const line = [...poolOf(core).waiting, ...gone];
  const ahead = new Set(line.filter((other) => other < request).sort((a, b) => a - b));

  const changeBy = (decision: Decision): LineChange | undefined => {
    switch (decision.type) {
      case 'backend.selected': {
        const what = ahead.has(decision.request) ? 'served' : 'overtook';
        return { what, request: decision.request, backend: decision.backend };
      }
      case 'request.rejected':
        if (!ahead.has(decision.request)) return undefined;
        return { what: 'rejected', request: decision.request, backend: null };
      case 'request.queued':
        if (decision.request > request) return undefined;
        return { what: 'returned', request: decision.request, backend: null };
      default:
        return undefined;
    }
  };

  return {
    after({ fact, decisions }) {
      const changes: (LineChange & { readonly place: number })[] = [];
      const note = (change: LineChange) => {
        if (change.what === 'returned') ahead.add(change.request);
        else ahead.delete(change.request);
        changes.push({ ...change, place: ahead.size + 1 });
      };
      if (fact.type === 'client.aborted' && ahead.has(fact.request)) {
        note({ what: 'left', request: fact.request, backend: null });
      }
      for (const decision of decisions) {
        const change = changeBy(decision);
        if (change !== undefined) note(change);
      }
      return changes;
    },
    get ahead() {
      return [...ahead];
    },
  };
}
