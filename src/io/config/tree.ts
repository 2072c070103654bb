/**
 * The shape of the schema: sections within sections, and at the leaves the keys, each with its format, its default
 * and its documentation. A key is known by its path, such as `pool.queue.max`.
 */

import type { FormatSpec } from './formats.ts';

export type Leaf<Value = unknown> = FormatSpec & {
  readonly default: Value;
  readonly doc: string;
  /** The default in words, where it depends on the surroundings. */
  readonly defaultDoc?: string;
  /** A second, shorter variable beside the one that the key itself gives. */
  readonly shortEnv?: string;
  /** A change takes effect only after a restart. */
  readonly restart?: true;
};

export type Tree<Values> = {
  readonly [Key in keyof Values]: Values[Key] extends string | number | boolean | readonly unknown[]
    ? Leaf<Values[Key]>
    : Tree<Values[Key]>;
};

export type Section = { readonly [key: string]: Section | Leaf };

/** @returns whether the node is a key with a value; else it is a section. */
export function isLeaf(node: Section | Leaf): node is Leaf {
  return Object.hasOwn(node, 'default');
}

/** @returns the leaves by their keys, in the order of the schema. */
export function leavesOf(section: Section, prefix = ''): Map<string, Leaf> {
  const leaves = new Map<string, Leaf>();
  for (const [name, node] of Object.entries(section)) {
    if (isLeaf(node)) leaves.set(prefix + name, node);
    else for (const [key, leaf] of leavesOf(node, `${prefix}${name}.`)) leaves.set(key, leaf);
  }
  return leaves;
}

/** @returns the value that a key has in a configuration, or undefined if there is none. */
export function valueAt(values: object, key: string): unknown {
  let value: unknown = values;
  for (const name of key.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.entries(value).find(([own]) => own === name)?.[1];
  }
  return value;
}
