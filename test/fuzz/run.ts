/** Runs cases in worlds, a few at a time, and collects what is wrong with the case that it was seen at. */

import { converse } from './conversation.ts';
import { readRequests } from './http/requests.ts';
import { judgeAdmin, judgeRequests, readAnswers } from './judge.ts';
import { judgeAnswer } from './judge-answer.ts';
import { makeCase, WORLD_CASES } from './make.ts';
import { addressOf } from './markers.ts';
import { startWorld, type World } from './world.ts';

export type RunOptions = {
  readonly seed: number;
  /** Numbers of cases, the second not included. */
  readonly from: number;
  readonly to: number;
  /** No new world is begun after this, in terms of `performance.now()`. */
  readonly until?: number;
  /** Told after each world. */
  report?(progress: Progress): void;
};

export type Progress = {
  readonly cases: number;
  /** Requests of bystanders that were answered. */
  readonly answered: number;
  readonly failures: readonly string[];
};

const AT_A_TIME = 32;
const QUIET_MS = { valid: 10_000, other: 80 };

/** @returns all that was wrong, each with the seed and the case that shows it again */
export async function run({
  seed,
  from,
  to,
  until = Number.POSITIVE_INFINITY,
  report,
}: RunOptions): Promise<Progress> {
  const failures: string[] = [];
  let cases = 0;
  let answered = 0;
  for (let first = from; first < to && performance.now() < until; ) {
    const number = Math.floor(first / WORLD_CASES);
    const last = Math.min(to, (number + 1) * WORLD_CASES);
    const complain = (what: string) =>
      failures.push(`world ${number} (cases ${first} to ${last - 1}): ${what}`);
    const stopWatching = watchProcess(complain);
    const world = await startWorld(seed, number, complain);
    let next = first;
    const work = async () => {
      while (next < last) {
        const index = next++;
        for (const what of await runCase(world, seed, index)) failures.push(`case ${index}: ${what}`);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
    answered += world.answered();
    await world.end();
    stopWatching();
    cases += last - first;
    first = last;
    report?.({ cases, answered, failures });
  }
  return { cases, answered, failures };
}

async function runCase(world: World, seed: number, number: number): Promise<string[]> {
  const made = makeCase(seed, number);
  const address = addressOf(number);
  const sent = made.pieces.join('');
  const stream = readRequests(sent);
  const { isValid = false, isForAdmin = false } = made;
  const expected = stream.requests.length + (stream.tail.fault === 'malformed' ? 1 : 0);
  if (made.prepared !== undefined) world.records.prepared.set(made.marker, made.prepared);
  const told = await converse({
    port: isForAdmin ? world.adminPort : world.port,
    address,
    pieces: made.pieces,
    pauseMs: made.pauseMs ?? 0,
    isEnough: (text) => readAnswers(text, stream.requests, false).answers.length >= expected,
    quietMs: isValid ? QUIET_MS.valid : QUIET_MS.other,
  });
  const seen = world.records.seen.get(address) ?? [];
  world.records.seen.delete(address);
  world.records.prepared.delete(made.marker);
  world.records.given.delete(made.marker);
  const evidence = { address, sent, stream, told, seen, isValid };
  const wrong = isForAdmin
    ? judgeAdmin(evidence)
    : made.prepared === undefined
      ? judgeRequests(evidence)
      : judgeAnswer(evidence, made.prepared);
  if (wrong.length === 0) return [];
  return [
    `${made.what}: ${wrong.join('; ')}\n    sent ${JSON.stringify(made.pieces)}` +
      `${made.prepared === undefined ? '' : `\n    answered ${JSON.stringify(made.prepared)}`}` +
      `\n    received ${JSON.stringify(told.text)}`,
  ];
}

/** Errors that nobody caught would end a daemon. @returns what ends the watch */
function watchProcess(complain: (what: string) => void): () => void {
  const onError = (error: unknown) =>
    complain(`not caught: ${error instanceof Error ? error.stack : String(error)}`);
  process.on('uncaughtException', onError);
  process.on('unhandledRejection', onError);
  return () => {
    process.off('uncaughtException', onError);
    process.off('unhandledRejection', onError);
  };
}
