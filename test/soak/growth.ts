/** Judges whether a gateway grows: what it holds at rest, after each round of a run. */
import type { Rest } from './quiet.ts';

/** Compiled code, caches that fill once, and what a garbage collector leaves. */
const SLACK_BYTES = 3 * 1024 * 1024;
const SLACK_SHARE = 0.05;

/**
 * Compares the last rounds of the process that lived last with its first; the very first is left out where there are
 * enough, since a process warms up in it.
 *
 * @returns what has grown, in words
 */
export function growthOf(all: readonly Rest[]): string[] {
  const rests = all.filter(({ starts }) => starts === all.at(-1)?.starts);
  const [first, ...others] = rests.length > 3 ? rests.slice(1) : rests;
  // One round may end just after something was compiled; the least of the last three is not to be more.
  const late = others.slice(-3);
  if (first === undefined || late.length === 0) return [];
  const grown: string[] = [];
  const compare = (what: string, from: number, to: number) => {
    if (to > from * (1 + SLACK_SHARE) + SLACK_BYTES)
      grown.push(`${what} grew from ${mib(from)} to ${mib(to)}`);
  };
  compare('heap', first.heapBytes, Math.min(...late.map(({ heapBytes }) => heapBytes)));
  compare(
    'memory of buffers',
    first.externalBytes,
    Math.min(...late.map(({ externalBytes }) => externalBytes)),
  );
  for (const kind of Object.keys(late.at(-1)?.handles ?? {})) {
    const [before, after] = [
      first.handles[kind] ?? 0,
      Math.min(...late.map(({ handles }) => handles[kind] ?? 0)),
    ];
    if (after > before + SPARE_HANDLES) grown.push(`handles of kind ${kind} grew from ${before} to ${after}`);
  }
  return grown;
}

/** A probe or two that are under way. */
const SPARE_HANDLES = 6;

/** One line about what a gateway holds at rest. */
export function restLine({ heapBytes, externalBytes, rssBytes, handles, sockets }: Rest): string {
  const kinds = Object.entries(handles).map(([kind, count]) => `${kind} ${count}`);
  return `heap ${mib(heapBytes)} buffers ${mib(externalBytes)} rss ${mib(rssBytes)} sockets ${sockets ?? '?'} handles: ${kinds.join(', ')}`;
}

function mib(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
