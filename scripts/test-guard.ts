/**
 * Loaded into the process of every test file (`node --test --import`): a file that hangs ends as a failure. The
 * runner's own `--test-timeout` ends a test, but neither a process whose sockets or timers were left open nor one
 * that loops without a pause.
 */
import { isMainThread, Worker } from 'node:worker_threads';

const LIMIT_MS = 180_000;
/** How much later a process that cannot even tell what is open is killed. */
const GRACE_MS = 5_000;

// The runner's own process, and workers that tests start, load this file too.
if (process.env.NODE_TEST_CONTEXT !== undefined && isMainThread) {
  setTimeout(fail, LIMIT_MS).unref();
  // A thread of its own, since a loop without a pause stops the timers of this one.
  const source = `setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${LIMIT_MS + GRACE_MS})`;
  new Worker(source, { eval: true, execArgv: [], env: {} }).unref();
}

function fail(): void {
  const open = process.getActiveResourcesInfo().join(', ');
  process.stderr.write(`The test file is not done after ${LIMIT_MS / 1000} s. Still open: ${open}\n`);
  process.exit(1);
}
