/**
 * Loads the configuration: flags beat the environment, which beats the file, which beats the defaults, key by key.
 * All problems of all sources are found before anything is refused, and nothing is half applied.
 */

import { resolve } from 'node:path';
import { missingToken } from './admin-token.ts';
import { CONFIG_VARIABLE, readEnvironment } from './environment.ts';
import { type ConfigFile, readConfigFile } from './file.ts';
import { type ConfigFlags, readFlags } from './flags.ts';
import { judge } from './judge.ts';
import { type Layer, merge, type ReadLayer } from './layers.ts';
import { listenerClash } from './listeners.ts';
import { ConfigError, type ConfigProblem, type Origin, problem } from './problems.ts';
import { type Config, schema } from './schema.ts';
import { leavesOf } from './tree.ts';

export type LoadedConfig = {
  readonly config: Config;
  /** For each key where its value came from; `backends` is one key. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** Absolute path of the file that was read, if one was given. */
  readonly file?: string;
};

export type LoadInput = {
  readonly flags: ConfigFlags;
  /** Usually `process.env`; only variables that begin with `REPRISE_` are read. */
  readonly env: NodeJS.ProcessEnv;
  /** Whether the log goes to a terminal, which decides the default of `logging.format`. */
  readonly isTerminal: boolean;
};

/**
 * Reads and checks everything anew. Call it with the same input again to reload: the file is read again.
 *
 * A wrong value is a problem even where a stronger source hides it; the next start may be without that source.
 *
 * @throws ConfigError with every problem, if there is any.
 */
export function loadConfig({ flags, env, isTerminal }: LoadInput): LoadedConfig {
  const tree = schema(isTerminal);
  const leaves = leavesOf(tree);
  const file = chooseFile(flags, env);
  const read: ReadLayer[] = [
    ...(file === undefined ? [] : [readConfigFile(file, tree)]),
    readEnvironment(env, leaves),
    { layer: readFlags(flags, leaves), problems: [] },
  ];
  const problems = read.flatMap((source) => [...source.problems, ...problemsIn(source.layer, isTerminal)]);

  const merged = merge(read.map((source) => source.layer));
  const { config } = judge(valuesOf(merged), isTerminal);
  const origins = new Map<string, Origin>(
    [...leaves.keys()].map((key) => [key, merged.get(key)?.origin ?? { from: 'default' }]),
  );
  // While one of the two addresses is in doubt, a clash between them would be a guess.
  if (!problems.some(({ key }) => /^(?:config|(?:server|admin)\.(?:host|port))$/.test(key))) {
    problems.push(...listenerClash(config, origins));
  }
  if (!problems.some(({ key }) => /^(?:config|admin\.(?:host|token))$/.test(key))) {
    problems.push(...missingToken(config, origins));
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { config, origins, ...(file === undefined ? {} : { file: file.path }) };
}

function chooseFile(flags: ConfigFlags, env: NodeJS.ProcessEnv): ConfigFile | undefined {
  if (flags.config !== undefined) {
    return { name: flags.config, path: resolve(flags.config), chosenBy: { from: 'flag', name: '--config' } };
  }
  const name = env[CONFIG_VARIABLE];
  if (name === undefined || name === '') return undefined;
  return { name, path: resolve(name), chosenBy: { from: 'environment', name: CONFIG_VARIABLE } };
}

function problemsIn(layer: Layer, isTerminal: boolean): ConfigProblem[] {
  const { faults } = judge(valuesOf(layer), isTerminal);
  return faults.map(({ key, at, value, expected }) =>
    problem(key + at, value, layer.get(key)?.origin ?? { from: 'default' }, expected),
  );
}

function valuesOf(layer: Layer): Map<string, unknown> {
  return new Map([...layer].map(([key, { value }]) => [key, value]));
}
