/** The files of the project, as git would see them, for the checks of `tidy.test.ts`. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');

export type TextFile = { readonly path: string; readonly text: string };

/**
 * Every text file that is committed or would be: whatever `.gitignore` does not name. It is read from the disk and
 * not asked of git, so that it works in an exported copy, and for files not added yet.
 */
export function textFiles(): TextFile[] {
  const isIgnored = ignoredBy(readFileSync(join(ROOT, '.gitignore'), 'utf8'));
  const files: TextFile[] = [];
  const walk = (folder: string) => {
    for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
      const path = `${folder}${entry.name}`;
      if (entry.name === '.git' || isIgnored(entry.name, entry.isDirectory())) continue;
      if (entry.isDirectory()) walk(`${path}/`);
      else if (entry.isFile()) files.push(...read(path));
    }
  };
  walk('');
  return files;
}

/** None, if it is not text or was removed meanwhile by another test. */
function read(path: string): TextFile[] {
  if (lstatSync(join(ROOT, path), { throwIfNoEntry: false }) === undefined) return [];
  const text = readFileSync(join(ROOT, path), 'utf8');
  return text.includes('\0') ? [] : [{ path, text }];
}

/** Understands names, `*.suffix` and `folder/`, which is all that our `.gitignore` has. */
function ignoredBy(gitignore: string): (name: string, isFolder: boolean) => boolean {
  const patterns = gitignore.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  for (const pattern of patterns) {
    if (!/^\*?[\w.-]+\/?$/.test(pattern)) {
      throw new Error(`.gitignore: ${pattern} is more than test/support/tidy-files.ts understands; teach it`);
    }
  }
  return (name, isFolder) =>
    patterns.some((pattern) => {
      if (pattern.startsWith('*')) return name.endsWith(pattern.slice(1));
      return pattern === name || (isFolder && pattern === `${name}/`);
    });
}
