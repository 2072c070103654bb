/**
 * How long a test waits for what is sure to come before it says what it waited for in vain. It proves nothing about
 * speed: it is there so that a test which hangs says why, and so wide that a busy machine does not reach it.
 */
export const PATIENCE_MS = 30_000;
