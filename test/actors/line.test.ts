/** The line by itself: order of arrival, whoever comes back or leaves. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { joinLine, leaveLine } from '../../src/actors/line.ts';

describe('the line', () => {
  const cases: readonly (readonly [title: string, request: number, expected: readonly number[]])[] = [
    ['puts one who comes last at its end', 9, [2, 5, 7, 9]],
    ['gives one who comes back its old place', 4, [2, 4, 5, 7]],
    ['puts one who came before all at its head', 1, [1, 2, 5, 7]],
  ];
  for (const [title, request, expected] of cases) {
    it(title, () => {
      const waiting = [2, 5, 7];
      joinLine(waiting, request);
      assert.deepEqual(waiting, expected);
    });
  }

  it('lets one go, and stays as it is where one goes who is not in it', () => {
    const waiting = [2, 5, 7];
    leaveLine(waiting, 5);
    leaveLine(waiting, 9);
    assert.deepEqual(waiting, [2, 7]);
  });
});
