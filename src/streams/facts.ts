/**
 * The merge: every source of facts runs into one line, and each fact is stamped with its number and time,
 * taken to the core, and comes out as an entry. This is the only place that stamps, and the only caller of
 * `step` in the daemon.
 */
import {
  map,
  merge,
  type Observable,
  observeOn,
  queueScheduler,
  type Subject,
  type Subscription,
} from 'rxjs';
import type { Balancer } from '../actors/balancer.ts';
import type { Entry, Fact } from '../actors/events.ts';
import type { Clock } from './ports.ts';

/**
 * Subscribes to all sources and sends what comes of them into `entries$`.
 *
 * Carrying out a decision may lead to a further fact at once (a socket that cannot even be tried). The queue
 * scheduler lets the fact at hand finish first, so facts stay in one order and `step` is never re-entered.
 *
 * @param onFatal called if the core throws, which is a mistake of ours: no fact is taken in after that
 * @param firstSeq the number of the first entry; more than 1 where a log goes on
 * @returns the subscription that keeps the merge going
 */
export function mergeFacts(
  sources: readonly Observable<Fact>[],
  balancer: Balancer,
  clock: Clock,
  entries$: Subject<Entry>,
  onFatal: (error: unknown) => void,
  firstSeq = 1,
): Subscription {
  let seq = firstSeq - 1;
  const stamp = (fact: Fact): Entry => {
    seq += 1;
    const at = clock.now();
    return { v: 1, seq, at, fact, decisions: balancer.step(fact, at) };
  };
  return merge(...sources)
    .pipe(observeOn(queueScheduler), map(stamp))
    .subscribe({ next: (entry) => entries$.next(entry), error: onFatal });
}
