/** Runs `reprise explain` as an operator does, in a process of its own. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

export type CommandOutcome = { readonly code: number; readonly stdout: string; readonly stderr: string };

export function runCommand(...args: string[]): Promise<CommandOutcome> {
  return runCommandIn({}, ...args);
}

/** @param env variables beside those of the surroundings, of which none colours or shifts the output */
export function runCommandIn(env: Record<string, string>, ...args: string[]): Promise<CommandOutcome> {
  const { FORCE_COLOR: _force, NO_COLOR: _no, ...clean } = process.env;
  return new Promise((done) => {
    execFile(
      process.execPath,
      [CLI, 'explain', ...args],
      { env: { ...clean, TZ: 'UTC', ...env } },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        done({ code, stdout, stderr });
      },
    );
  });
}
