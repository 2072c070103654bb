/** Runs `reprise whatif`: reads the log, asks the question, and writes the answer as text, JSON or a page. */
import { writeFile } from 'node:fs/promises';
import type { RecordedRun } from '../../simulation/recording.ts';
import { configAtStart, type RunPlan } from '../../simulation/simulate.ts';
import { askWhatIf, type Recording } from '../../simulation/what-if.ts';
import type { Damage } from '../event-log/reader.ts';
import { LogRefusedError } from '../event-log/reader-files.ts';
import { type ChangedKey, type ConfigPlan, type OtherConfig, planConfig } from './config.ts';
import { exceptionsIn } from './exceptions.ts';
import { notesOn } from './notes.ts';
import { readRecording } from './read.ts';
import { createReport } from './report.ts';
import { formatWhatIf } from './text.ts';

const EXIT_DAMAGED = 3;
/** From sysexits.h: EX_USAGE. */
const EXIT_USAGE = 64;

export type WhatIfFlags = OtherConfig & {
  readonly json?: true;
  readonly html?: string;
  readonly seed: string;
};

/**
 * @param refuse ends the command with a message about a wrong flag; it throws
 * @returns the exit code
 * @throws ConfigError if the other config is not valid
 */
export async function runWhatIf(
  path: string,
  flags: WhatIfFlags,
  refuse: (message: string) => never,
): Promise<number> {
  const seed = Number(flags.seed);
  if (!Number.isSafeInteger(seed)) refuse(`--seed ${flags.seed} is not a whole number`);
  const other = planConfig(flags);
  const damage: Damage[] = [];
  try {
    const recording = await readRecording(path, damage);
    if (recording.runs.length === 0) {
      process.stderr.write(
        `reprise: nothing of the log in ${path} can be read: ${damage[0]?.problem ?? 'it is empty'}\n`,
      );
      return damage.length > 0 ? EXIT_DAMAGED : EXIT_USAGE;
    }
    const isWritten = await answer(path, flags, { recording, other, seed, damage });
    if (!isWritten) return EXIT_USAGE;
    return damage.length > 0 ? EXIT_DAMAGED : 0;
  } catch (error) {
    if (!(error instanceof LogRefusedError)) throw error;
    process.stderr.write(`reprise: ${error.message}\n`);
    return EXIT_USAGE;
  }
}

type Question = {
  readonly recording: Recording;
  readonly other: ConfigPlan;
  readonly seed: number;
  readonly damage: readonly Damage[];
};

/** @returns false if the page could not be written; the answer is printed all the same */
async function answer(
  path: string,
  flags: WhatIfFlags,
  { recording, other, seed, damage }: Question,
): Promise<boolean> {
  const plans = new Map<RecordedRun, RunPlan>();
  const planFor = (run: RecordedRun): RunPlan => {
    const plan = plans.get(run) ?? other.forRun(recordedConfigOf(run));
    plans.set(run, plan);
    return plan;
  };
  const result = askWhatIf(recording, planFor, seed);
  const changed = changedInAnyRun(recording, other);
  const exceptions = exceptionsIn(changed, recording.runs.map(recordedConfigOf), other);
  const notes = notesOn({ recording, plans, changed, exceptions, isFixed: other.isFixed });
  const report = createReport({ path, recording, answer: result, changed, exceptions, seed, notes, damage });
  process.stdout.write(`${flags.json ? JSON.stringify(report) : formatWhatIf(report)}\n`);
  if (flags.html === undefined) return true;
  const { renderPage } = await import('./page.ts');
  return writePage(flags.html, renderPage(report, { before: result.before, after: result.after }));
}

async function writePage(file: string, page: string): Promise<boolean> {
  try {
    await writeFile(file, page);
    process.stderr.write(`reprise: the page is in ${file}\n`);
    return true;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`reprise: the page cannot be written to ${file} (--html): ${reason}\n`);
    return false;
  }
}

function recordedConfigOf(run: RecordedRun) {
  return { whole: run.config, core: configAtStart(run) };
}

/** Each key once, with the values of the first run in which it differs. */
function changedInAnyRun({ runs }: Recording, other: ConfigPlan): ChangedKey[] {
  const changed = new Map<string, ChangedKey>();
  for (const run of runs) {
    for (const key of other.changedKeys(recordedConfigOf(run))) {
      if (!changed.has(key.key)) changed.set(key.key, key);
    }
  }
  return [...changed.values()];
}
