/**
 * What stands between an observer and the actors it watches. XState lets an observer's error out through the step in which
 * the actor moved, and there it would end the gateway: a watcher's mistake must not be an outage.
 */

/** Makes an observer that never throws. */
export type Guard = <Watched>(observe: (watched: Watched) => void) => (watched: Watched) => void;

/** @param onError told of each error; must not throw */
export function createGuard(onError: (error: unknown) => void): Guard {
  return (observe) => (watched) => {
    try {
      observe(watched);
    } catch (error) {
      onError(error);
    }
  };
}
