/** What the operator's log says of breaches: each kind once, in few words, however often it is found. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import { createBreachReport } from '../../src/io/breach-report.ts';

/** The lines that are logged where these breaches are found, one look after the other, and how many are counted. */
function reported(...looks: readonly (readonly string[])[]): { lines: string[]; count: number } {
  const lines: string[] = [];
  const report = createBreachReport(pino({}, { write: (line) => void lines.push(line) }));
  for (const [index, breaches] of looks.entries()) report.take({ seq: index + 1, breaches });
  return { lines, count: report.count };
}

describe('the report of breaches', () => {
  it('says where a breach was found', () => {
    const { lines } = reported([], ['a drains without a lease']);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /a drains without a lease.*around entry 2/);
  });

  it('says it once where only the numbers in it change, and counts each', () => {
    const { lines, count } = reported(['a counts 5 leases and has 4'], ['a counts 12 leases and has 11']);
    assert.deepEqual([lines.length, count], [1, 2]);
  });

  it('says it once where it comes and goes', () => {
    const breach = ['request 7 waits and a has room'];
    assert.deepEqual(reported(breach, [], breach, []).lines.length, 1);
  });

  it('tells backends apart by the numbers in their names', () => {
    const breaches = ['10.0.0.1:8000 drains without a lease', '10.0.0.2:8000 drains without a lease'];
    assert.equal(reported(...breaches.map((breach) => [breach])).lines.length, 2);
  });

  it('says what is new beside what is known', () => {
    const { lines } = reported(
      ['request 1 waits and a has room'],
      ['request 2 waits and a has room', 'other'],
    );
    assert.equal(lines.length, 2);
    assert.doesNotMatch(lines[1] ?? '', /has room/);
  });

  it('says it briefly where a whole line of requests is in it', () => {
    const line = Array.from({ length: 100_000 }, (_, index) => index).join();
    const { lines } = reported([`the line is ${line}, and 3 requests wait`]);
    assert.ok((lines[0] ?? '').length < 1000, `${lines[0]?.length} characters`);
  });
});
