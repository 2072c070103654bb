/** Notable entries: all but those of requests that come, are served and end. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Subject } from 'rxjs';
import type { Decision, Entry, Fact } from '../../src/actors/events.ts';
import { notableEntries } from '../../src/streams/notable.ts';
import { received } from '../support/core.ts';
import { entryOf, startedWith } from './support.ts';

const ended: Fact = {
  ...{ type: 'response.ended', request: 1, lease: 1, status: 200 },
  ...{ bytes: 1, chunks: 1, reusable: true },
};
const released: Decision = {
  ...{ type: 'lease.released', request: 1, lease: 1, backend: 'a' },
  outcome: 'ended',
};
const fallen: Decision = {
  ...{ type: 'backend.changed', backend: 'a', from: 'healthy', to: 'ejected' },
  reason: 'it failed',
};

/** What of the entries gets through. */
function notable(...entries: readonly Entry[]): Entry[] {
  const entries$ = new Subject<Entry>();
  const heard: Entry[] = [];
  notableEntries(entries$).subscribe((entry) => heard.push(entry));
  for (const entry of entries) entries$.next(entry);
  return heard;
}

describe('notable entries', () => {
  it('are not those of a request that comes and of its answer that ends', () => {
    assert.deepEqual(notable(entryOf(received(1)), entryOf(ended, [released])), []);
  });

  it('are those of the gateway and its backends', () => {
    const start = startedWith([]);
    assert.deepEqual(notable(start), [start]);
  });

  it('are those of clients that leave or are cut off', () => {
    const entry = entryOf({ type: 'client.aborted', request: 1, because: 'idleReader' }, [released]);
    assert.deepEqual(notable(entry), [entry]);
  });

  it('are those of a request that changes what becomes of a backend', () => {
    const entry = entryOf(ended, [released, fallen]);
    assert.deepEqual(notable(entry), [entry]);
  });
});
