/** Reloads as a stream: each trigger loads the config once, and what came of it is a fact. */
import { concat, concatMap, defer, EMPTY, type Observable, of, queueScheduler, subscribeOn } from 'rxjs';
import type { Fact } from '../actors/events.ts';
import type { ReloadOutcome } from './ports.ts';

export type ReloadTrigger = {
  /** Called after the core has taken in the new config, or after it was refused. */
  done(outcome: ReloadOutcome): void;
};

/**
 * One reload at a time, in the order they were asked for.
 *
 * @param load reads and checks the config; it reports a bad one in its outcome and does not throw
 */
export function reloadFacts(
  triggers$: Observable<ReloadTrigger>,
  load: () => ReloadOutcome,
): Observable<Fact> {
  return triggers$.pipe(
    concatMap((trigger) => {
      const outcome = load();
      const fact: Fact = outcome.ok
        ? { type: 'config.reloaded', config: outcome.config }
        : { type: 'config.rejected', problems: outcome.problems.length };
      // On the scheduler of the merge, since the fact itself waits there while another one is being handled.
      const report$ = defer(() => {
        trigger.done(outcome);
        return EMPTY;
      }).pipe(subscribeOn(queueScheduler));
      return concat(of(fact), report$);
    }),
  );
}
