/**
 * Helpers of the config tests: `load` puts a file, variables and flags together and loads them; `problemsOf` gives
 * the lines a refused configuration is reported with, the temporary file's path shortened to FILE.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { ConfigFlags } from '../../src/io/config/flags.ts';
import { type LoadedConfig, loadConfig } from '../../src/io/config/load.ts';
import { ConfigError, formatProblem } from '../../src/io/config/problems.ts';

export type Given = {
  /** Content of the file: a text or bytes as they are, anything else as JSON. */
  file?: unknown;
  env?: Record<string, string>;
  flags?: ConfigFlags;
  isTerminal?: boolean;
};

const folder = mkdtempSync(join(tmpdir(), 'reprise-config-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

/** Writes a file for this test run. @returns its path. */
export function writeFile(content: unknown): string {
  files += 1;
  const path = join(folder, `${files}.json`);
  const isRaw = typeof content === 'string' || content instanceof Uint8Array;
  writeFileSync(path, isRaw ? content : JSON.stringify(content));
  return path;
}

/** @throws ConfigError as loadConfig does. */
export function load({ file, env = {}, flags = {}, isTerminal = false }: Given): LoadedConfig {
  const config = file === undefined ? {} : { config: writeFile(file) };
  return loadConfig({ flags: { ...config, ...flags }, env, isTerminal });
}

/** @returns the error that refuses the given sources; fails if they are accepted or another error is thrown. */
export function refusal(given: Given): ConfigError {
  try {
    load(given);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('expected the configuration to be refused, but it was accepted');
}

/** @returns the reported problems, one line each. */
export function problemsOf(given: Given): string[] {
  return refusal(given).problems.map((each) => formatProblem(each).replaceAll(/\S*\/\d+\.json/g, 'FILE'));
}
