/**
 * The other config of a what-if. It is judged as every config is, and put together in one of two ways: a file replaces
 * the recorded config from start to end; without one, what is set on the command line is changed in the recorded config,
 * reloads included. The environment does not count, since it is not the one that was recorded.
 */
import { resolve } from 'node:path';
import type { CoreConfig } from '../../actors/events.ts';
import type { Timings } from '../../simulation/outside.ts';
import type { RunPlan } from '../../simulation/simulate.ts';
import { changedKeys } from '../config/describe.ts';
import { readConfigFile } from '../config/file.ts';
import { fromTexts } from '../config/formats.ts';
import { judge } from '../config/judge.ts';
import { type Layer, merge, type Setting } from '../config/layers.ts';
import { nearest } from '../config/nearest.ts';
import { ConfigError, type ConfigProblem, type Origin, problem } from '../config/problems.ts';
import { type Config, schema } from '../config/schema.ts';
import { withoutSecrets } from '../config/secrets.ts';
import { leavesOf, valueAt } from '../config/tree.ts';
import { coreConfigOf } from '../live-config.ts';

export type OtherConfig = {
  readonly config?: string;
  /** Texts such as `health.fall=5`. */
  readonly set?: readonly string[];
  readonly backend?: readonly string[];
};

export type RecordedConfig = {
  /** The effective config as the log has it, or nothing. */
  readonly whole: unknown;
  /** The part that decisions depend on, as the facts have it. */
  readonly core: CoreConfig;
};

export type ChangedKey = { readonly key: string; readonly before: unknown; readonly after: unknown };

export type ConfigPlan = {
  /** In the run that begins with this config. */
  forRun(recorded: RecordedConfig): RunPlan;
  changedKeys(recorded: RecordedConfig): ChangedKey[];
  /** Keys whose recorded value is not valid by today's rules, so that their default stands in its place. */
  refusedKeys(recorded: RecordedConfig): string[];
  /** Whether the other config was given whole, so that recorded reloads are left out. */
  readonly isFixed: boolean;
};

const TREE = schema(false);
const LEAVES = leavesOf(TREE);
/** Where the values of the recorded config come from, if one of them should be refused. */
const RECORDED: Origin = { from: 'file', name: 'the recorded config' };

/** @throws ConfigError with everything that is wrong with the other config */
export function planConfig(other: OtherConfig): ConfigPlan {
  const file = readFile(other.config);
  const flags = readFlags(other);
  const problems = [file, flags].flatMap(({ layer, problems: found }) => [...found, ...problemsIn(layer)]);
  if (problems.length > 0) throw new ConfigError(problems);

  const isFixed = other.config !== undefined;
  const configFor = (recorded: Config): Config => {
    const base = isFixed ? withBackends(file.layer, recorded) : layerOf(recorded);
    return judge(valuesOf(merge([base, flags.layer])), false).config;
  };
  return {
    isFixed,
    refusedKeys: (recorded) => judgeRecorded(recorded).refused,
    changedKeys(recorded) {
      const config = recordedConfig(recorded);
      // A secret that is blotted out in the record is no change, and is not to be shown either.
      const [before, after] = [withoutSecrets(config), withoutSecrets(configFor(config))];
      return changedKeys(before, after).map((key) => ({
        key,
        before: valueAt(before, key),
        after: valueAt(after, key),
      }));
    },
    forRun(recorded) {
      const before = recordedConfig(recorded);
      return {
        isFixed,
        core: (core) => coreConfigOf(configFor(isFixed ? before : recordedConfig({ ...recorded, core }))),
        before: timingsOf(before),
        after: timingsOf(configFor(before)),
      };
    },
  };
}

type Read = { readonly layer: Layer; readonly problems: readonly ConfigProblem[] };

function readFile(name: string | undefined): Read {
  if (name === undefined) return { layer: new Map(), problems: [] };
  const chosenBy: Origin = { from: 'flag', name: '--config' };
  return readConfigFile({ name, path: resolve(name), chosenBy }, TREE);
}

/** Reads `--set` and `--backend`, which beat the file as the flags of `serve` do. */
function readFlags({ set = [], backend }: OtherConfig): Read {
  const layer = new Map<string, Setting>();
  const problems: ConfigProblem[] = [];
  const origin: Origin = { from: 'flag', name: '--set' };
  for (const text of set) {
    const equals = text.indexOf('=');
    const key = equals < 0 ? text : text.slice(0, equals);
    const leaf = LEAVES.get(key);
    if (equals < 0)
      problems.push(problem(key, undefined, origin, 'is without a value; it must be KEY=VALUE'));
    else if (leaf === undefined) {
      const guess = nearest(key, [...LEAVES.keys()]);
      const hint = guess === undefined ? 'see reprise config' : `did you mean ${guess}?`;
      problems.push(problem(key, text.slice(equals + 1), origin, `is not a known key; ${hint}`));
    } else {
      const value = text.slice(equals + 1);
      const texts = leaf.format === 'backends' ? value.split(';') : [value];
      layer.set(key, { value: fromTexts(texts, leaf), origin });
    }
  }
  const leaf = LEAVES.get('backends');
  if (backend !== undefined && leaf !== undefined) {
    layer.set('backends', { value: fromTexts(backend, leaf), origin: { from: 'flag', name: '--backend' } });
  }
  return { layer, problems };
}

function problemsIn(layer: Layer): ConfigProblem[] {
  return judge(valuesOf(layer), false).faults.map(({ key, at, value, expected }) =>
    problem(key + at, value, layer.get(key)?.origin ?? RECORDED, expected),
  );
}

function valuesOf(layer: Layer): Map<string, unknown> {
  return new Map([...layer].map(([key, { value }]) => [key, value]));
}

function layerOf(config: Config): Layer {
  return new Map([...LEAVES.keys()].map((key) => [key, { value: valueAt(config, key), origin: RECORDED }]));
}

/** A file that names no backends is about the others: a config without any would say nothing. */
function withBackends(file: Layer, recorded: Config): Layer {
  if (file.has('backends')) return file;
  return new Map([...file, ['backends', { value: recorded.backends, origin: RECORDED }]]);
}

/** What a key stands at in a record from before there was such a key: at nothing of the kind. */
const BEFORE_ITS_TIME: ReadonlyMap<string, unknown> = new Map([
  ['health.slowStartMs', 0],
  ['pool.maxLifetimeMs', 0],
  ['outlier.consecutiveFailures', 0],
  ['retry.budgetShare', 10],
]);

/** The facts are the authority on what decisions depend on; the rest is as the log's header has it, or the default. */
function recordedConfig(recorded: RecordedConfig): Config {
  return judgeRecorded(recorded).config;
}

function judgeRecorded({ whole, core }: RecordedConfig): { config: Config; refused: string[] } {
  const values = new Map<string, unknown>();
  for (const key of LEAVES.keys()) {
    const value =
      valueAt(core, key) ??
      BEFORE_ITS_TIME.get(key) ??
      (typeof whole === 'object' && whole !== null ? valueAt(whole, key) : undefined);
    if (value !== undefined) values.set(key, value);
  }
  // A key of a later Reprise, or a limit that has changed since, must not keep the log from being used.
  const refused = new Set(judge(values, false).faults.map(({ key }) => key));
  for (const key of refused) values.delete(key);
  return { config: judge(values, false).config, refused: [...refused] };
}

function timingsOf({ health, pool, upstream, retry }: Config): Timings {
  return {
    probeIntervalMs: health.intervalMs,
    probeTimeoutMs: health.timeoutMs,
    sweepIntervalMs: pool.sweepIntervalMs,
    connectTimeoutMs: upstream.connectTimeoutMs,
    headersTimeoutMs: upstream.headersTimeoutMs,
    bufferBytes: retry.bufferBytes,
  };
}
