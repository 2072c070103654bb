/** What `Retry-After` says, and what is not taken for one. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { retryAfterMs } from '../../src/io/retry-after.ts';

const NOW = Date.UTC(2026, 0, 15, 3, 12);
const read = (value: string, status = 503) =>
  retryAfterMs(status, ['Content-Type', 'text/plain', 'retry-after', value], () => NOW);

describe('Retry-After (RFC 9110 §10.2.3)', () => {
  const rows: [string, string, number | undefined][] = [
    ['is a number of seconds', '12', 12_000],
    ['may be nothing', '0', 0],
    ['may be a date', 'Thu, 15 Jan 2026 03:12:07 GMT', 7_000],
    ['may be a date in the form of RFC 850', 'Thursday, 15-Jan-26 03:12:07 GMT', 7_000],
    ['is over when its date is past', 'Thu, 15 Jan 2026 03:11:59 GMT', 0],
    ['is bounded to a day', '999999999999', 86_400_000],
    ['is bounded to a day as a date too', 'Thu, 15 Jan 2099 03:12:07 GMT', 86_400_000],
    ['is no negative number', '-5', undefined],
    ['is no fraction', '1.5', undefined],
    ['is no word', 'soon', undefined],
    ['is no date that does not exist', 'Thu, 99 Jan 2026 03:12:07 GMT', undefined],
    ['is not empty', '', undefined],
  ];
  for (const [title, value, expected] of rows) it(title, () => assert.equal(read(value), expected));

  it('counts with 429 and 503 only', () => {
    assert.equal(read('1', 429), 1000);
    assert.equal(read('1', 301), undefined);
    assert.equal(read('1', 502), undefined);
    assert.equal(
      retryAfterMs(503, [], () => NOW),
      undefined,
    );
  });
});
