/** Helpers of the what-if tests: a scenario is recorded, read, and asked about under another config, all in memory. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { decodeLine } from '../../src/io/event-log/lines.ts';
import { type Damage, readLog } from '../../src/io/event-log/reader.ts';
import { type OtherConfig, planConfig } from '../../src/io/whatif/config.ts';
import { type Summary, summarize } from '../../src/io/whatif/summary.ts';
import { configAtStart } from '../../src/simulation/simulate.ts';
import {
  askWhatIf,
  createRecordingReader,
  type Recording,
  type WhatIf,
} from '../../src/simulation/what-if.ts';
import { recordScenario, type Scenario } from '../support/scenario.ts';

/** Reads one segment that begins with a start of the gateway. */
export function readText(text: string): Recording {
  const reader = createRecordingReader();
  let isFirst = true;
  for (const line of text.trimEnd().split('\n')) {
    const decoded = decodeLine(line);
    assert.ok(decoded.ok);
    reader.take(decoded.line, !isFirst);
    if ('type' in decoded.line && decoded.line.type === 'snapshot') isFirst = false;
  }
  return reader.finish();
}

/** Reads a whole log that must not be damaged. */
export async function readPath(path: string): Promise<Recording> {
  const reader = createRecordingReader();
  const onDamage = (damage: Damage) => assert.fail(JSON.stringify(damage));
  for await (const items of readLog(path, { onDamage })) {
    for (const { line, continuous } of items) reader.take(line, continuous);
  }
  return reader.finish();
}

export type Answer = WhatIf & { readonly was: Summary; readonly wouldBe: Summary };

export function ask(recording: Recording, other: OtherConfig, seed = 1): Answer {
  const plan = planConfig(other);
  const answer = askWhatIf(
    recording,
    (run) => plan.forRun({ whole: run.config, core: configAtStart(run) }),
    seed,
  );
  const until = recording.runs.at(-1)?.end.at ?? 0;
  return { ...answer, was: summarize(answer.before, until), wouldBe: summarize(answer.after, until) };
}

/** What would be if these keys were set. */
export function whatIf(scenario: Scenario, ...set: readonly string[]): Answer {
  return ask(readText(recordScenario(scenario).text), { set });
}

/** The record comes back: every decision, every total, and nothing assumed. */
export function assertUnchanged(answer: Answer): void {
  assert.deepEqual(answer.reproduction, { missed: 0, firstMissed: undefined });
  assert.equal(answer.differences.count, 0);
  assert.deepEqual(answer.changed, []);
  assert.equal(answer.exactUntil, undefined);
  assert.equal(answer.answers.moved + answer.answers.drawn + answer.answers.borrowed, 0);
  assert.deepEqual(answer.wouldBe, answer.was);
}

export function backendOf({ backends }: Summary, id: string): Summary['backends'][number] {
  const backend = backends.find((candidate) => candidate.id === id);
  assert.ok(backend, `there is no ${id}`);
  return backend;
}

/** A folder for this test. */
export function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'reprise-whatif-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** Writes the log of a scenario. @returns its folder */
export function writeLog(t: TestContext, scenario: Scenario): string {
  const path = folder(t);
  const { name, text } = recordScenario(scenario);
  writeFileSync(join(path, name), text);
  return path;
}

export type Run = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Runs the command line in a time zone that is the same everywhere. */
export function reprise(...args: readonly string[]): Promise<Run> {
  const cli = join(import.meta.dirname, '../../src/cli.ts');
  return new Promise((resolve) => {
    const env = { ...process.env, TZ: 'UTC', NODE_NO_WARNINGS: '1' };
    execFile(process.execPath, [cli, ...args], { env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}
