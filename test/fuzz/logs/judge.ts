/**
 * What all that read a log make of a damaged one: each says what is wrong, or gives what the good log gives; none crashes.
 * A daemon starts upon it, records, and what it has recorded can be read.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { watchRequests } from '../../../src/actors/explain/request-watch.ts';
import { LogRefusedError } from '../../../src/io/event-log/reader-files.ts';
import { replayLog } from '../../../src/io/event-log/replay-log.ts';
import { playLog } from '../../../src/io/explain/play.ts';
import { readRecording } from '../../../src/io/inspector/history/reading.ts';
import { record } from '../../support/event-log.ts';
import { type Reading, readAll } from '../../support/recorded-log.ts';
import { drawFor } from '../random.ts';
import { damagedLog, type Files } from './damage.ts';

/** @returns what is wrong with how that damage is taken; nothing, if all is well */
export async function judgeDamage(seed: number, number: number): Promise<string[]> {
  const { good, damaged, what } = damagedLog(drawFor(seed, 'log', number));
  const folder = mkdtempSync(join(tmpdir(), 'reprise-fuzz-'));
  try {
    const path = put(join(folder, 'damaged'), damaged);
    const whole = await readAll(put(join(folder, 'good'), good));
    const wrong = [
      ...(await judgeReading(path, whole)),
      ...(await attempt('replay', () => judgeReplay(path))),
      ...(await attempt('explain', () => playLog(path, watchRequests('1'), undefined, () => {}))),
      ...(await attempt('inspect', () => inspect(path))),
      ...(await judgeRestart(path)),
    ];
    return wrong.map((each) => `log ${number} with ${what}: ${each}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function put(path: string, files: Files): string {
  mkdirSync(path);
  for (const [name, content] of files) writeFileSync(join(path, name), content);
  return path;
}

/** Runs it; that there is no log at all may be said, anything else thrown is a crash. */
async function attempt(name: string, run: () => Promise<unknown>): Promise<string[]> {
  try {
    const outcome = await run();
    return typeof outcome === 'string' ? [`${name}: ${outcome}`] : [];
  } catch (error) {
    if (error instanceof LogRefusedError) return [];
    return [`${name} crashed: ${error instanceof Error ? error.stack : String(error)}`];
  }
}

/** Without a word of damage, what is read is the good log, but for whole lines at its ends. */
async function judgeReading(path: string, whole: Reading): Promise<string[]> {
  return attempt('read', async () => {
    const { items, damage } = await readAll(path);
    if (damage.length > 0) return undefined;
    const [good, read] = [whole, { items }].map((each) => each.items.map(({ line }) => JSON.stringify(line)));
    const from = good?.indexOf(read?.[0] ?? '') ?? -1;
    const isPart = read?.every((line, index) => line === good?.[from + index]) ?? false;
    return isPart ? undefined : 'what was read in silence is no part of the good log';
  });
}

/** A divergence without damage would blame the core for what the disk has done. */
async function judgeReplay(path: string): Promise<string | undefined> {
  const { firstTrouble, firstDivergence } = await replayLog(path);
  if (firstTrouble !== 'divergence') return undefined;
  return `the core is blamed: ${JSON.stringify(firstDivergence?.divergence)}`;
}

async function inspect(path: string): Promise<string | undefined> {
  const reading = await readRecording(path);
  await reading.done;
  return undefined;
}

/** A gateway starts on it, as after a crash, and serves a few requests. */
async function judgeRestart(path: string): Promise<string[]> {
  return attempt('a restart', async () => {
    const recorded = await record(path);
    for (let count = 0; count < 3; count += 1) recorded.serve();
    await recorded.log.close();
    const { state, dropped, seq } = recorded.log.stats();
    if (state !== 'closed' || dropped > 0) return `the log is ${state} and has dropped ${dropped} entries`;
    const { seqs } = await readAll(path);
    const own = Array.from(
      { length: seq - recorded.log.firstSeq + 1 },
      (_, index) => recorded.log.firstSeq + index,
    );
    const missing = own.filter((each) => !seqs.includes(each));
    if (missing.length > 0) return `entries ${missing} of the new run cannot be read`;
    const { firstTrouble } = await replayLog(path, { from: { seq: recorded.log.firstSeq } });
    return firstTrouble === 'divergence' ? 'the new run does not replay' : undefined;
  });
}
