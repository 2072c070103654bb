/** The project as its own tests read it, and how they complain: where, what is wrong, and what to do instead. */
import assert from 'node:assert/strict';
import { textFiles } from './tidy-files.ts';
import { lineAt } from './tidy-scan.ts';
import { readSource, type Source } from './tidy-source.ts';

/** A table of exceptions must be exact, so that it only shrinks. Each entry says why it is there. */
export type Exceptions<Key extends string = string> = Readonly<Record<Key, string>>;

export const files = textFiles();
export const sources = files
  .filter(({ path }) => path.endsWith('.ts'))
  .map(({ path, text }) => readSource(path, text));
export const under = (...folders: readonly string[]) =>
  sources.filter(({ path }) => folders.some((folder) => path.startsWith(folder)));
export const product = under('src/', 'mock/');
export const byPath = new Map(sources.map((source) => [source.path, source]));
export const textOf = (path: string) => files.find((file) => file.path === path)?.text;
export const manifest = JSON.parse(textOf('package.json') ?? '{}') as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  scripts: Record<string, string>;
};

export function assertNone(complaints: readonly string[]): void {
  if (complaints.length > 0) assert.fail(`${complaints.length} found:\n  ${complaints.join('\n  ')}\n`);
}

/** One complaint for each place in one view of these sources that fits. */
export function complain(
  among: readonly Source[],
  view: 'text' | 'code' | 'comments',
  pattern: RegExp,
  complaint: (found: string) => string,
): string[] {
  return among.flatMap((source) =>
    [...source[view].matchAll(pattern)].map(
      ({ 0: found, index }) => `${source.path}:${lineAt(source.text, index)}: ${complaint(found.trim())}`,
    ),
  );
}

/** Complains about exceptions that nothing needs any more. */
export function stale(exceptions: object, needed: Iterable<string>): string[] {
  const known = new Set(needed);
  return Object.keys(exceptions)
    .filter((key) => !known.has(key))
    .map((key) => `nothing needs the exception for ${key} any more; take it out`);
}
