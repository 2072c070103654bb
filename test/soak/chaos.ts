/**
 * The chaos run: the real daemon in front of backends that are killed, frozen, cut off, drained and reconfigured at
 * random, while clients hold streams and leave at random. It goes in rounds, each with trouble first and then rest, and
 * at rest nothing may be left over; so a leak shows in the round in which it came about.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '../../src/simulation/random.ts';
import { createCalm } from './calm.ts';
import { type Crowd, createCrowd } from './crowd.ts';
import { type DaemonProcess, startDaemonProcess } from './daemon-process.ts';
import { type Fleet, startBackends } from './fleet.ts';
import { growthOf, restLine } from './growth.ts';
import { createHurts } from './hurts.ts';
import { type Rest, restOf } from './quiet.ts';
import { replay } from './replay.ts';
import { BUFFER_BYTES, settingsFor } from './settings.ts';
import { createTroubles, type Troubles } from './troubles.ts';
import type { Verdict } from './verdict.ts';
import { LEGEND, lineOf } from './watch.ts';

export type ChaosOptions = {
  readonly durationMs: number;
  /** Clients that hold a stream each. */
  readonly streams: number;
  readonly seed: number;
  /** Gets each line. */
  readonly say: (line: string) => void;
};

const ROUND_MS = 75_000;
/** For streams to end, sockets to be closed, and a look at what is left. */
const CALM_SHARE = 0.3;

type Run = ChaosOptions & {
  readonly crowd: Crowd;
  readonly daemon: DaemonProcess;
  readonly fleet: Fleet;
  readonly troubles: Troubles;
  readonly calm: ReturnType<typeof createCalm>;
  readonly faults: string[];
  readonly rests: Rest[];
};

/** @returns what was wrong; the folder of the run, with log and event log, is kept if anything was */
export async function runChaos(options: ChaosOptions): Promise<Verdict> {
  const { say, streams, seed } = options;
  const folder = mkdtempSync(join(tmpdir(), 'reprise-chaos-'));
  const eventLogDir = join(folder, 'events');
  mkdirSync(eventLogDir);
  const random = createRandom(seed);
  const now = () => performance.now();
  const hurts = createHurts(now);
  const calm = createCalm();
  say(`seed ${seed}, ${streams} streams, folder ${folder}`);
  say(LEGEND);
  await using fleet = await startBackends(hurts, calm);
  await using daemon = await startDaemonProcess({
    folder,
    eventLogDir,
    config: settingsFor(fleet.backends(), streams),
  });
  const crowd = createCrowd({ url: daemon.url, streams, random, now, hurts, bufferBytes: BUFFER_BYTES });
  const troubles = createTroubles({ daemon, fleet, calm, random, streams });
  const run: Run = { ...options, crowd, daemon, fleet, troubles, calm, faults: [], rests: [] };
  await goThrough(run);
  const code = await daemon.stop();
  if (code !== 0) run.faults.push(`the gateway ended with ${code} on SIGTERM`);
  run.faults.push(...daemon.mistakes().map((line) => `the gateway logged: ${line}`));
  run.faults.push(...(await replay(eventLogDir, say)));
  const verdict = conclude(run);
  if (verdict.isClean) rmSync(folder, { recursive: true });
  return verdict;
}

/** Round after round, until the time is over. */
async function goThrough(run: Run): Promise<void> {
  const { durationMs, daemon, crowd, say, rests, faults } = run;
  const begun = performance.now();
  const atFirst = await restOf(daemon, faults);
  say(`at first: ${restLine(atFirst)}`);
  const seconds = setInterval(async () => {
    say(await lineOf(Math.round((performance.now() - begun) / 1000), crowd, daemon));
  }, 1_000);
  const rounds = Math.max(1, Math.round(durationMs / ROUND_MS));
  for (let round = 1; round <= rounds; round += 1) {
    await makeTrouble(run, (durationMs / rounds) * (1 - CALM_SHARE));
    const rest = await restOf(daemon, faults, atFirst);
    rests.push(rest);
    say(`round ${round} of ${rounds}, at rest: ${restLine(rest)}`);
  }
  clearInterval(seconds);
}

/** Everybody at it for so long; resolves when all clients have their answers and all is whole again. */
async function makeTrouble(run: Run, ms: number): Promise<void> {
  const { calm, crowd, troubles, fleet, daemon, streams, faults } = run;
  calm.end();
  crowd.resume();
  const trouble = troubles.run();
  await calm.pass(ms);
  calm.begin();
  await trouble;
  fleet.reset();
  daemon.configure(settingsFor(fleet.backends(), streams));
  const status = await daemon.reload();
  if (status !== 200) faults.push(`a reload of a sound config was answered with ${status}`);
  for (const { name } of fleet.others) await daemon.restore(name);
  await crowd.pause();
}

function conclude({ crowd, troubles, faults, rests, say }: Run): Verdict {
  const all = [...crowd.faults.texts, ...faults, ...growthOf(rests)];
  const more = crowd.faults.count - crowd.faults.texts.length;
  say(`trouble: ${listOf(troubles.made)}`);
  say(`of ${crowd.asked} requests: ${listOf(crowd.outcomes)}`);
  for (const fault of all) say(`WRONG: ${fault}`);
  if (more > 0) say(`and ${more} more wrong answers`);
  const isClean = all.length === 0;
  say(isClean ? 'verdict: clean' : `verdict: ${all.length + more} faults`);
  return { isClean, faults: all };
}

function listOf(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .toSorted(([, one], [, other]) => other - one)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
