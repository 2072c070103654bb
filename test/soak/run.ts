/**
 * Chaos and soak: the real daemon in front of backends that are killed, frozen, cut off, drained and reconfigured at random,
 * while clients hold streams and leave at random; in a soak the daemon itself is killed and starved, too. It goes in rounds,
 * each with trouble first and then rest, and at rest nothing may be left over; so a leak shows in the round in which it
 * came about.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '../../src/simulation/random.ts';
import { type Calm, createCalm } from './calm.ts';
import { type Crowd, createCrowd } from './crowd.ts';
import { type DaemonProcess, startDaemonProcess } from './daemon-process.ts';
import { type Fleet, startBackends } from './fleet.ts';
import { gatewayTroubles } from './gateway-troubles.ts';
import { growthOf, restLine } from './growth.ts';
import { createHurts } from './hurts.ts';
import { type Rest, restOf } from './quiet.ts';
import { replay } from './replay.ts';
import { BUFFER_BYTES, settingsFor } from './settings.ts';
import { mountSmallDisk, type SmallDisk } from './small-disk.ts';
import { createTroubles, type Troubles } from './troubles.ts';
import { createTurns } from './turns.ts';
import type { Verdict } from './verdict.ts';
import { LEGEND, lineOf } from './watch.ts';

export type RunOptions = {
  readonly durationMs: number;
  /** Clients that hold a stream each. */
  readonly streams: number;
  /** Pieces that a stream has at most; 45 if not given, which takes up to 9 s. */
  readonly mostPieces?: number;
  readonly seed: number;
  /** Whether the gateway itself is killed, and its disk and its descriptors run out. */
  readonly isSoak: boolean;
  /** Gets each line. */
  readonly say: (line: string) => void;
};

const ROUND_MS = 75_000;
const MOST_PIECES = 45;
/** For streams to end, sockets to be closed, and a look at what is left. */
const CALM_SHARE = 0.3;
/** Rounds in which a soak kills the gateway; in the others it has to show that it does not grow. */
const KILLING_SHARE = 0.4;

type Run = RunOptions & {
  readonly crowd: Crowd;
  readonly daemon: DaemonProcess;
  readonly fleet: Fleet;
  readonly troubles: Troubles;
  readonly calm: Calm;
  readonly disk: SmallDisk | undefined;
  readonly faults: string[];
  readonly rests: Rest[];
  /** Of all rounds, those that are over. */
  progress: number;
};

/** @returns what was wrong; the folder of the run, with log and event log, is kept if anything was */
export async function runAmongFaults(options: RunOptions): Promise<Verdict> {
  const folder = mkdtempSync(join(tmpdir(), 'reprise-run-'));
  options.say(`seed ${options.seed}, ${options.streams} streams, folder ${folder}`);
  options.say(LEGEND);
  using disk = options.isSoak ? mountSmallDisk(join(folder, 'disk'), options.say) : undefined;
  const eventLogDir = join(disk?.path ?? folder, 'events');
  mkdirSync(eventLogDir);
  const verdict = await runIn(folder, eventLogDir, disk, options);
  if (verdict.isClean) {
    disk?.[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  } else if (disk !== undefined) {
    cpSync(eventLogDir, join(folder, 'events'), { recursive: true });
  }
  return verdict;
}

async function runIn(
  folder: string,
  eventLogDir: string,
  disk: SmallDisk | undefined,
  options: RunOptions,
): Promise<Verdict> {
  const { say, streams, seed, isSoak, mostPieces = MOST_PIECES } = options;
  const random = createRandom(seed);
  const now = () => performance.now();
  const hurts = createHurts(now);
  const calm = createCalm();
  const turns = createTurns();
  const descriptorLimit = 300 + 3 * streams;
  await using fleet = await startBackends(hurts, calm);
  const config = settingsFor(fleet.backends(), streams);
  const limited = isSoak ? { descriptorLimit } : {};
  await using daemon = await startDaemonProcess({ folder, eventLogDir, config, ...limited });
  const crowd = createCrowd({
    ...{ url: daemon.url, streams, mostPieces, random, now, hurts },
    bufferBytes: BUFFER_BYTES,
    onFault: (fault) => say(`WRONG: ${fault}`),
  });
  const mayKill = () => run.progress < KILLING_SHARE;
  const own = { daemon, hurts, calm, turns, disk, descriptorLimit, mayKill };
  const more = isSoak ? gatewayTroubles(own) : [];
  const troubles = createTroubles({ daemon, fleet, calm, random, streams, turns, more });
  const run: Run = {
    ...options,
    ...{ crowd, daemon, fleet, troubles, calm, disk },
    ...{ faults: [], rests: [], progress: 0 },
  };
  await goThrough(run).catch((error: unknown) => {
    run.faults.push(`the run could not go on: ${String(error)}`);
  });
  const code = await daemon.life.stop();
  if (code !== 0 && !daemon.life.hasDied) run.faults.push(`the gateway ended with ${code} on SIGTERM`);
  run.faults.push(...daemon.mistakes().map((line) => `the gateway logged: ${line}`));
  run.faults.push(...(await replay(eventLogDir, say)));
  return conclude(run);
}

/** Round after round, until the time is over. */
async function goThrough(run: Run): Promise<void> {
  const { daemon, crowd, say, faults } = run;
  const begun = performance.now();
  const atFirst = await restOf(daemon, faults);
  say(`at first: ${restLine(atFirst)}`);
  const seconds = setInterval(async () => {
    // Nothing that follows would say any more.
    if (daemon.life.hasDied) run.calm.begin();
    say(await lineOf(Math.round((performance.now() - begun) / 1000), crowd, daemon));
  }, 1_000);
  await goRounds(run, atFirst).finally(() => clearInterval(seconds));
}

async function goRounds(run: Run, atFirst: Rest): Promise<void> {
  const { durationMs, daemon, say, rests, faults } = run;
  const rounds = Math.max(1, Math.round(durationMs / ROUND_MS));
  for (let round = 1; round <= rounds; round += 1) {
    await makeTrouble(run, (durationMs / rounds) * (1 - CALM_SHARE));
    if (daemon.life.hasDied) {
      faults.push('the gateway ended by itself');
      break;
    }
    const rest = await restOf(daemon, faults, atFirst);
    rests.push(rest);
    run.progress = round / rounds;
    say(`round ${round} of ${rounds}, at rest: ${restLine(rest)}`);
  }
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
  if (daemon.life.hasDied) return crowd.pause();
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
