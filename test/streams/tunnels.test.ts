/** When the tunnels of a backend that drains are to end. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Subject } from 'rxjs';
import type { BackendStatus, Entry } from '../../src/actors/events.ts';
import { tunnelDeadlines } from '../../src/streams/tunnels.ts';
import { received } from '../support/core.ts';
import { entryOf, stopClock } from './support.ts';

const WAIT_MS = 100;

function watch(t: TestContext) {
  const clock = stopClock(t);
  const entries$ = new Subject<Entry>();
  const due: string[] = [];
  const running = tunnelDeadlines(entries$, () => WAIT_MS).subscribe((backend) => due.push(backend));
  t.after(() => running.unsubscribe());
  return {
    due,
    running,
    pass: clock.pass,
    changes(backend: string, from: BackendStatus, to: BackendStatus) {
      entries$.next(
        entryOf(received(0), [
          { type: 'backend.selected', request: 0, backend: 'other' },
          { type: 'backend.changed', backend, from, to, reason: 'test' },
        ]),
      );
    },
  };
}

describe('the tunnels of a backend that drains', () => {
  it('are to end after the wait, those of others are not', async (t) => {
    const { due, pass, changes } = watch(t);
    changes('a', 'healthy', 'draining');
    changes('b', 'healthy', 'unhealthy');
    await pass(WAIT_MS - 1);
    assert.deepEqual(due, []);
    await pass(1);
    assert.deepEqual(due, ['a']);
  });

  it('are to end after each further wait, as one may have been agreed to late', async (t) => {
    const { due, pass, changes } = watch(t);
    changes('a', 'healthy', 'draining');
    for (const times of [1, 2, 3]) {
      await pass(WAIT_MS);
      assert.equal(due.length, times);
    }
  });

  for (const to of ['healthy', 'unhealthy', 'drained', 'removed'] as const) {
    it(`may stay when it is ${to} before, whatever comes of its id`, async (t) => {
      const { due, pass, changes } = watch(t);
      changes('a', 'healthy', 'draining');
      await pass(WAIT_MS / 2);
      changes('a', 'draining', to);
      await pass(WAIT_MS * 3);
      assert.deepEqual(due, []);
    });
  }

  it('are no longer told of after the end of the subscription', async (t) => {
    const { due, running, pass, changes } = watch(t);
    changes('a', 'healthy', 'draining');
    running.unsubscribe();
    await pass(WAIT_MS * 3);
    assert.deepEqual(due, []);
  });
});
