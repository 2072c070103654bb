/**
 * The entries behind a keyframe, read from the log again. Those looked at last are kept, since people look at the same
 * place for a while.
 */
import type { Entry } from '../../../actors/events.ts';
import type { CoreSnapshot } from '../../../actors/snapshot.ts';
import { ReadError, readChunks } from '../../event-log/reader-files.ts';
import { createLineSplitter } from '../../event-log/reader-lines.ts';
import type { Keyframe } from './keyframes.ts';
import type { LogIndex } from './log-index.ts';

/** The entries of a stretch, and the state before them. */
type StretchEntries = { readonly entries: readonly Entry[]; readonly state: CoreSnapshot };

type Found = { readonly entries: Entry[]; state: CoreSnapshot | undefined };

/** What is asked about is in the log no longer. */
export class GoneError extends Error {
  override readonly name = 'GoneError';
}

/** Entries kept in all. */
const MOST_KEPT = 60_000;
/** Stretches kept, however short they are: each has a state, which may be large. */
const MOST_STATES = 32;

export class Stretches {
  readonly #index: LogIndex;
  /** Used last, last. */
  readonly #kept = new Map<Keyframe, StretchEntries>();

  constructor(index: LogIndex) {
    this.#index = index;
  }

  /**
   * @throws GoneError if the files are gone
   */
  async of(keyframe: Keyframe): Promise<StretchEntries> {
    if (keyframe === this.#index.keyframes.last) {
      const { tail, tailState } = this.#index;
      if (tailState !== undefined) return { entries: tail, state: tailState };
    }
    const kept = this.#kept.get(keyframe);
    if (kept !== undefined && kept.entries.at(-1)?.seq === keyframe.last.seq) {
      this.#keep(keyframe, kept);
      return kept;
    }
    const read = await this.#read(keyframe, keyframe.last.seq);
    this.#keep(keyframe, read);
    return read;
  }

  /** @param last the last entry that is wanted */
  async #read(keyframe: Keyframe, last: number): Promise<StretchEntries> {
    const { spot, state, seq } = keyframe;
    const { files } = this.#index;
    const from = files.indexOf(spot.path);
    const found: Found = { entries: [], state: state === undefined ? undefined : JSON.parse(state) };
    if (from === -1) throw new GoneError(`the entries behind ${seq} have been removed from the log`);
    for (const [index, path] of files.slice(from).entries()) {
      if (isWhole(found, seq, last)) break;
      await readInto(found, path, index === 0 ? spot.byte : 0, seq, last);
    }
    const before = found.state;
    if (before === undefined) throw new GoneError(`the state of entry ${seq} cannot be read any more`);
    return { entries: found.entries, state: before };
  }

  #keep(keyframe: Keyframe, read: StretchEntries): void {
    this.#kept.delete(keyframe);
    this.#dropForgotten();
    this.#kept.set(keyframe, read);
    let total = [...this.#kept.values()].reduce((sum, { entries }) => sum + entries.length, 0);
    for (const [oldest, { entries }] of this.#kept) {
      const isRoom = total <= MOST_KEPT && this.#kept.size <= MOST_STATES;
      if (isRoom || oldest === keyframe) return;
      this.#kept.delete(oldest);
      total -= entries.length;
    }
  }

  /** The index has joined some to others since, or forgotten them: nobody can ask for them any more. */
  #dropForgotten(): void {
    const present = new Set(this.#index.keyframes.all);
    for (const keyframe of this.#kept.keys()) if (!present.has(keyframe)) this.#kept.delete(keyframe);
  }
}

/** Whether all that is wanted was found: the state after `seq`, and the entries behind it up to `last`. */
function isWhole({ entries, state }: Found, seq: number, last: number): boolean {
  return state !== undefined && (entries.at(-1)?.seq ?? seq) >= last;
}

/** Reads on in one file. */
async function readInto(found: Found, path: string, byte: number, seq: number, last: number): Promise<void> {
  const splitter = createLineSplitter(path);
  try {
    for await (const chunk of readChunks({ path, compression: 'none' }, () => undefined, byte)) {
      for (const { line } of splitter.push(chunk)) {
        if (line === undefined) continue;
        if ('fact' in line) {
          if (line.seq > last) return;
          found.entries.push(line);
        } else if (line.type === 'snapshot') found.state ??= line.state;
        if (isWhole(found, seq, last)) return;
      }
    }
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    throw new GoneError(`the log cannot be read there any more: ${error.message}`, { cause: error });
  }
}
