/**
 * Simulated runs recorded by the real event log, on a disk that fails at random: each entry is in the log or in a gap, and
 * the losses are counted truly. The faults are drawn from the seed; when they strike is up to the machine.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { chance, type Draw, drawFor, oneOf, spread } from '../../simulation/draw.ts';
import { runScenario } from '../../simulation/run.ts';
import { drawScenario } from '../../simulation/scenario.ts';
import { checkLog, record, temporaryFolder } from '../support/event-log.ts';
import { type FaultyDisk, faultyDisk } from '../support/faulty-disk.ts';

const STEPS = 400;
const BUDGET_MS = 8_000;
const OPERATIONS = ['create', 'open', 'write', 'sync', 'truncate', 'remove', 'syncFolder'] as const;

/** Breaks the disk in one way, or mends it, or has it hang for some turns. @returns what lets it go on */
function befall(disk: FaultyDisk, draw: Draw): (() => void) | undefined {
  if (chance(draw, 0.2)) return disk.hang();
  if (chance(draw, 0.5)) mend(disk);
  else {
    disk.takeBytes = chance(draw, 0.5) ? spread(draw, 1, 5_000) : undefined;
    disk.break(oneOf(draw, OPERATIONS), oneOf(draw, ['ENOSPC', 'EIO', 'EMFILE']));
  }
  return undefined;
}

function mend(disk: FaultyDisk): void {
  for (const operation of OPERATIONS) disk.break(operation, undefined);
  disk.takeBytes = undefined;
}

async function recordOne(seed: number): Promise<void> {
  using folder = temporaryFolder();
  const draw = drawFor(seed, 'real disk');
  const disk = faultyDisk();
  const settings = {
    segmentBytes: spread(draw, 5_000, 200_000),
    bufferBytes: spread(draw, 5_000, 500_000),
    checkpointEntries: spread(draw, 10, 1_000),
  };
  const timing = { retryMs: 1 };
  const recorded = await record(folder.path, { files: disk.files, settings, timing, isStarted: false });
  let release: (() => void) | undefined;
  for (const { fact } of runScenario(drawScenario(seed, STEPS)).entries) {
    recorded.take(fact);
    if (chance(draw, 0.3)) await nextTurn();
    // Most strike where it hurts most: when the log goes on after a failure, and marks a gap.
    if (!chance(draw, recorded.log.stats().state === 'failed' ? 0.3 : 0.03)) continue;
    release?.();
    release = befall(disk, draw);
  }
  release?.();
  mend(disk);
  await recorded.until(({ state, writtenSeq, seq }) => state === 'recording' && writtenSeq === seq);
  await recorded.log.close();
  const { seq, dropped, gaps } = recorded.log.stats();
  const found = await checkLog(folder.path);
  const missing = found.gaps.reduce((sum, gap) => sum + gap.dropped, 0);
  assert.deepEqual([missing, found.gaps.length], [dropped, gaps], 'what is missing was counted');
  assert.equal(found.entries.length + missing, seq, 'each entry is there or in a gap');
}

it('whatever the disk does, the log has each entry or counts it', async (context) => {
  const first = randomInt(2 ** 31);
  const until = performance.now() + BUDGET_MS;
  let seed = first;
  for (; performance.now() < until || seed < first + 3; seed += 1) {
    await assert.doesNotReject(() => recordOne(seed), `seed ${seed}`);
  }
  context.diagnostic(`seeds ${first} to ${seed - 1}`);
});
