/** Waits for what only asking can tell, such as the state of another process. */
import { setTimeout as pass } from 'node:timers/promises';

const AGAIN_MS = 50;

/**
 * Asks again and again until the answer is neither false nor undefined.
 *
 * @throws Error that names what was waited for, after `withinMs`
 */
export async function until<Answer>(
  what: string,
  withinMs: number,
  asks: () => Answer | undefined | false | Promise<Answer | undefined | false>,
): Promise<Answer> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await asks();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error(`waited ${withinMs / 1000} s in vain until ${what}`);
    await pass(AGAIN_MS);
  }
}
