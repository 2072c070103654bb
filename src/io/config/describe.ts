/**
 * The configuration told to people: its effective values and where each came from, what differs between two of
 * them, and the reference of all keys.
 */

import { isDeepStrictEqual } from 'node:util';

import { backendToText } from './backend-text.ts';
import { variableOf } from './environment.ts';
import { expectedBy } from './formats.ts';
import type { LoadedConfig } from './load.ts';
import { formatOrigin } from './problems.ts';
import { type Config, schema } from './schema.ts';
import { withoutSecrets } from './secrets.ts';
import { leavesOf, valueAt } from './tree.ts';

/** `key` has an index for backends (`backends[0]`); `origin` is as `formatOrigin` writes it. */
export type ConfigRow = { readonly key: string; readonly value: unknown; readonly origin: string };

export type ConfigReferenceRow = {
  readonly key: string;
  /** The variable that the key itself gives, such as `REPRISE_SERVER_PORT`. */
  readonly env: string;
  /** The short variable that does the same, such as `REPRISE_PORT`, if there is one. */
  readonly shortEnv?: string;
  /** The default as JSON, or in words where it depends on the surroundings. */
  readonly default: string;
  readonly doc: string;
  /** What a value must be. */
  readonly expected: string;
  /** Whether a change takes effect only after a restart. */
  readonly restart: boolean;
};

const LEAVES = leavesOf(schema(false));

/** The keys whose change takes effect only after a restart. */
export const restartKeys: ReadonlySet<string> = new Set(
  [...LEAVES].filter(([, leaf]) => leaf.restart === true).map(([key]) => key),
);

/** @returns one row per key in the order of the schema; one per backend, in its short form, for `backends`. */
export function describeConfig({
  config: loaded,
  origins,
}: Pick<LoadedConfig, 'config' | 'origins'>): ConfigRow[] {
  const config = withoutSecrets(loaded);
  return [...LEAVES.keys()].flatMap((key): ConfigRow[] => {
    const origin = formatOrigin(origins.get(key) ?? { from: 'default' });
    if (key !== 'backends' || config.backends.length === 0) {
      return [{ key, value: valueAt(config, key), origin }];
    }
    return config.backends.map((backend, index) => {
      return { key: `backends[${index}]`, value: backendToText(backend), origin };
    });
  });
}

/** @returns the keys whose values differ, in the order of the schema; `backends` is one key. */
export function changedKeys(before: Config, after: Config): string[] {
  return [...LEAVES.keys()].filter((key) => !isDeepStrictEqual(valueAt(before, key), valueAt(after, key)));
}

/** @returns all keys with their variables, defaults and documentation, in the order of the schema. */
export function configReference(): ConfigReferenceRow[] {
  return [...LEAVES].map(([key, leaf]) => ({
    key,
    env: variableOf(key),
    ...(leaf.shortEnv === undefined ? {} : { shortEnv: leaf.shortEnv }),
    default: leaf.defaultDoc ?? JSON.stringify(leaf.default),
    doc: leaf.doc,
    expected: expectedBy(leaf),
    restart: leaf.restart === true,
  }));
}

/** @returns the rows as an aligned table with a heading, without a newline at the end. */
export function formatTable(rows: readonly ConfigRow[]): string {
  const heading = { key: 'KEY', value: 'VALUE', origin: 'FROM' };
  const cells = [heading, ...rows.map((row) => ({ ...row, value: inOneCell(row.value) }))];
  const keyWidth = Math.max(...cells.map((cell) => cell.key.length));
  const valueWidth = Math.max(...cells.map((cell) => cell.value.length));
  return cells
    .map(({ key, value, origin }) => `${key.padEnd(keyWidth)}  ${value.padEnd(valueWidth)}  ${origin}`)
    .join('\n');
}

/** A certificate in its short form. */
function inWords(item: unknown): string {
  return typeof item === 'object' && item !== null ? Object.values(item).join(',') : String(item);
}

function inOneCell(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '(none)' : value.map(inWords).join(', ');
  return String(value);
}
