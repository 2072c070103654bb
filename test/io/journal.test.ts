/** What an operator reads of single requests as they go wrong. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import { Subject } from 'rxjs';
import type { Decision, Entry, Fact } from '../../src/actors/events.ts';
import { writeJournal } from '../../src/io/journal.ts';
import { notableEntries } from '../../src/streams/notable.ts';
import { backend, coreConfig, failed, given, received, started } from '../support/core.ts';

/** Writes entries, a second apart unless told otherwise, into a journal as the gateway joins it. @returns its lines */
function journalOf(...steps: readonly { fact: Fact; decisions?: Decision[]; at?: number }[]): string[] {
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line).msg) });
  const entries$ = new Subject<Entry>();
  writeJournal(notableEntries(entries$), log);
  for (const [index, { fact, decisions = [], at = 1000 * index }] of steps.entries()) {
    entries$.next({ v: 1, seq: index + 1, at, fact, decisions });
  }
  return lines;
}

const opened = (id: string, socket: number): Fact => ({ type: 'socket.opened', backend: id, socket });
const cut: Fact = { type: 'client.aborted', request: 7, because: 'idleReader' };

describe('the journal', () => {
  it('says which client was cut off and why, and nothing of one that left', () => {
    assert.deepEqual(journalOf({ fact: { type: 'client.aborted', request: 6 } }, { fact: cut }), [
      'request 7 given up: its client read nothing of the answer for too long (server.idleReaderTimeoutMs)',
    ]);
  });

  it('says when a request was not sent again for want of retry budget', () => {
    const fact: Fact = { type: 'response.started', request: 3, lease: 4, status: 503, held: true };
    const passed = { type: 'response.passed', request: 3, lease: 4 } as const;
    const rejected: Decision = {
      ...{ type: 'request.rejected', request: 5, code: 'backend_failed', backend: 'a', reason: 'reset' },
      withheld: 'retryBudget',
    };
    assert.deepEqual(
      journalOf(
        { fact, decisions: [{ ...passed, because: 'budgetExhausted' }] },
        { fact, decisions: [{ ...passed, because: 'noOtherBackend' }] },
        { fact, decisions: [rejected] },
      ),
      [
        'request 3 not retried: the retry budget is used up',
        'request 5 rejected: backend_failed (last failure: a, reset), not retried: the retry budget is used up',
      ],
    );
  });

  it('says what was wrong with an answer that was refused', () => {
    const of = { request: 3, lease: 4, written: true, bytes: 12, chunks: 1 };
    const fact: Fact = { type: 'response.failed', reason: 'badResponse', fault: 'chunkEnd', ...of };
    const released = {
      type: 'lease.released',
      request: 3,
      lease: 4,
      backend: 'a',
      outcome: 'failed',
    } as const;
    const rejected = { type: 'request.rejected', request: 3, code: 'backend_failed' } as const;
    assert.deepEqual(
      journalOf(
        { fact, decisions: [released] },
        { fact, decisions: [released, { ...rejected, backend: 'a', reason: 'badResponse' }] },
      ),
      [
        'request 3: a broke off its answer after 12 bytes (badResponse: a chunk does not end where its size says)',
        'request 3 rejected: backend_failed (last failure: a, badResponse); what is wrong with its answer: a chunk does not end where its size says',
      ],
    );
  });

  it('does not mistake one request for another that is rejected as the backend it waited for is ejected', () => {
    const { when } = given(
      coreConfig({
        backends: [backend('a'), backend('b')],
        outlier: { consecutiveFailures: 2 },
        pool: { size: 1 },
      }),
    );
    const bad = { reason: 'badResponse', fault: 'chunkEnd' } as const;
    when(received(1), opened('a', 1), failed(1, 1, bad), received(2), received(3), opened('a', 3));
    when({ type: 'socket.failed', backend: 'b', socket: 2, reason: 'refused' }, started(3, 3));
    const fact = failed(3, 3, bad);
    assert.deepEqual(journalOf({ fact, decisions: when(fact) }), [
      'backend a: healthy -> ejected (2 requests in a row failed, the last with: badResponse; out for 30 s); what is wrong with its answer: a chunk does not end where its size says',
      'request 2 rejected: backend_unreachable (last failure: b, refused)',
      'request 3: a broke off its answer after 0 bytes (badResponse: a chunk does not end where its size says)',
    ]);
  });

  it('counts what is beyond ten lines in a second, and says so in the next', () => {
    const storm = Array.from({ length: 13 }, () => ({ fact: cut, at: 500 }));
    const lines = journalOf(...storm, { fact: cut, at: 1500 });
    assert.equal(lines.length, 12);
    assert.equal(lines[10], '3 further lines about requests left out');
  });
});
