/**
 * A layer is what one source says: some keys, each with a raw value and its origin. Layers lie on one another, and
 * for each key the highest that has it wins.
 */

import type { ConfigProblem, Origin } from './problems.ts';

export type Setting = { readonly value: unknown; readonly origin: Origin };
export type Layer = ReadonlyMap<string, Setting>;

/** A source that was read: its layer, and what could not become part of it (unknown keys, for example). */
export type ReadLayer = { readonly layer: Layer; readonly problems: readonly ConfigProblem[] };

/** @returns the settings that win; later layers beat earlier ones, key by key. */
export function merge(layers: readonly Layer[]): Layer {
  return new Map(layers.flatMap((layer) => [...layer]));
}
