/**
 * The merge: every source of facts runs into one line, and each fact is stamped with its number and time,
 * taken to the core, and comes out as an entry. This is the only place that stamps, and the only caller of
 * `step` in the daemon.
 */
import { merge, type Observable, type Subject, Subscription } from 'rxjs';
import type { Balancer } from '../actors/balancer.ts';
import type { Entry, Fact } from '../actors/events.ts';
import type { Clock } from './ports.ts';

/** A fact; or what is to be called in its turn, when all that stood before it in the line has been taken in. */
export type Turn = Fact | (() => void);

/**
 * Subscribes to all sources and sends what comes of them into `entries$`.
 *
 * Carrying out a decision may lead to a further fact at once (a socket that cannot even be tried). It waits in line
 * until the fact at hand is done with, so facts stay in one order and `step` is never re-entered. The line is an array
 * of our own: `observeOn(queueScheduler)` does the same, and makes an action and a subscription for each fact.
 *
 * @param onFatal called if the core throws, which is a mistake of ours: no fact is taken in after that
 * @param firstSeq the number of the first entry; more than 1 where a log goes on
 * @returns the subscription that keeps the merge going
 */
export function mergeFacts(
  sources: readonly Observable<Turn>[],
  balancer: Balancer,
  clock: Clock,
  entries$: Subject<Entry>,
  onFatal: (error: unknown) => void,
  firstSeq = 1,
): Subscription {
  const running = new Subscription();
  const line: Turn[] = [];
  let isTaking = false;
  let seq = firstSeq - 1;
  const take = (turn: Turn): void => {
    if (typeof turn === 'function') {
      turn();
      return;
    }
    seq += 1;
    const at = clock.now();
    entries$.next({ v: 1, seq, at, fact: turn, decisions: balancer.step(turn, at) });
  };
  const takeInTurn = (first: Turn): void => {
    if (isTaking) {
      line.push(first);
      return;
    }
    isTaking = true;
    try {
      for (let turn: Turn | undefined = first; turn !== undefined && !running.closed; turn = line.shift()) {
        take(turn);
      }
    } catch (error) {
      running.unsubscribe();
      onFatal(error);
    } finally {
      isTaking = false;
    }
  };
  running.add(merge(...sources).subscribe({ next: takeInTurn, error: onFatal }));
  return running;
}
