/** Short runs among faults, so that the long ones can be trusted to run; docs/soak.md tells of those. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { it } from 'node:test';
import { runAmongFaults } from './run.ts';
import { runStale } from './stale.ts';

const STREAMS = 30;
const DURATION_MS = 5_000;
const MOST_PIECES = 15;

it('streams come through among backends that fail and a gateway that is killed, and nothing is left over', async (t) => {
  const lines: string[] = [];
  const seed = randomInt(1, 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const say = (line: string) => void lines.push(line);
  const verdict = await runAmongFaults({
    durationMs: DURATION_MS,
    streams: STREAMS,
    mostPieces: MOST_PIECES,
    seed,
    isSoak: true,
    say,
  });
  assert.deepEqual(verdict.faults, [], lines.join('\n'));
  for (const line of lines.slice(-4)) t.diagnostic(line);
  assert.match(lines.join('\n'), /^ +\d+ s \| asked \d+/m, 'no line each second');
});

it('no client sees that a backend closes idle sockets at any moment', async (t) => {
  const lines: string[] = [];
  const seed = randomInt(1, 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const { faults, counts } = await runStale({ requests: 1_000, seed, say: (line) => void lines.push(line) });
  assert.deepEqual(faults, [], lines.join('\n'));
  assert.ok(counts.late > 0 && counts.idleFin > 0 && counts.idleReset > 0, 'no socket was stale');
  for (const line of lines.slice(-4)) t.diagnostic(line);
});
