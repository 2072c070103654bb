/** A copy of the product and the simulator in a temporary folder, into which deliberate faults are put: never into the tree. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Mutation } from './mutations/mutation.ts';

const ROOT = resolve(import.meta.dirname, '..');

export type MutatedCopy = Disposable & {
  readonly folder: string;
  /** Puts the fault in. @returns a function that takes it out again */
  put(mutation: Mutation): () => void;
};

export function createCopy(): MutatedCopy {
  const folder = mkdtempSync(join(tmpdir(), 'reprise-mutants-'));
  for (const part of ['src', 'simulation', 'package.json'])
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return {
    folder,
    put({ name, file, before, after }) {
      const path = join(folder, file);
      const source = readFileSync(path, 'utf8');
      if (source.split(before).length !== 2)
        throw new Error(`${name}: ${file} does not have its text exactly once`);
      writeFileSync(
        path,
        source.replace(before, () => after),
      );
      return () => writeFileSync(path, source);
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
