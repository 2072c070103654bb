/** Reloads as a stream: each trigger loads the config once, and what came of it is a fact. */
import { concatMap, Observable } from 'rxjs';
import type { Fact } from '../actors/events.ts';
import type { Turn } from './facts.ts';
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
): Observable<Turn> {
  return triggers$.pipe(
    concatMap(
      (trigger) =>
        new Observable<Turn>((subscriber) => {
          const outcome = load();
          subscriber.next(factOf(outcome));
          // In its turn as well, since the fact itself waits while another one is being handled.
          subscriber.next(() => {
            trigger.done(outcome);
            subscriber.complete();
          });
        }),
    ),
  );
}

function factOf(outcome: ReloadOutcome): Fact {
  return outcome.ok
    ? { type: 'config.reloaded', config: outcome.config }
    : { type: 'config.rejected', problems: outcome.problems.length };
}
