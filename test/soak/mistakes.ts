/** Finds in the log of a gateway what must not be there, whatever is done to its backends. */
import { readFileSync } from 'node:fs';

const ERROR_LEVEL = 50;
/** Errors that a run brings about on purpose. */
const EXPECTED = /the config was not reloaded|cannot be written|event log in .* is damaged|EMFILE/;

/** @returns the lines that tell of errors, those excepted that a run brings about on purpose */
export function mistakesIn(path: string): string[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => {
    if (line === '') return false;
    const level = /^\{"level":(\d+|"[a-z]+")/.exec(line)?.[1];
    // Whatever is no line of the log was written by Node itself: a warning, or the stack of a crash.
    if (level === undefined) return true;
    const isError = Number(level) >= ERROR_LEVEL || level === '"error"' || level === '"fatal"';
    return isError && !EXPECTED.test(line);
  });
}
