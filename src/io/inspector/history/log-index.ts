/**
 * The index of a log: everything the page's overview shows, and the states from which any moment can be reached. It is
 * built in one pass by replay, and grows with the log.
 */
import { dirname, join } from 'node:path';
import { type Core, poolOf, statusOfBackend } from '../../../actors/core.ts';
import type { Entry } from '../../../actors/events.ts';
import { changesIn } from '../../../actors/explain/history.ts';
import { createPlayback, type Playback, type Scene, type Stretch } from '../../../actors/explain/playback.ts';
import type { SnapshotLine } from '../../../actors/log-lines.ts';
import { type CoreSnapshot, takeSnapshot } from '../../../actors/snapshot.ts';
import type { Damage, LogItem } from '../../event-log/reader.ts';
import { grouped } from '../../explain/format.ts';
import { stretchWords } from '../../explain/stretch-words.ts';
import type { Instant } from '../api.ts';
import { BandTable } from './bands.ts';
import { type Keyframe, type KeyframeLimits, Keyframes, type Spot } from './keyframes.ts';
import { MarkTable } from './marks.ts';
import { reasonOf } from './moment.ts';
import { RateTable } from './rates.ts';
import { copyRecent, createRecent, noteRecent, type Recent } from './recent.ts';

const DAMAGE_NOTED = 20;
const DIVERGED = 'replay differs from the record';

export class LogIndex {
  readonly bands = new BandTable();
  readonly rates = new RateTable();
  readonly marks = new MarkTable();
  readonly keyframes: Keyframes;
  /** The entries behind the last keyframe. */
  tail: Entry[] = [];
  /** The state of the last keyframe, at hand like its entries, whatever has become of its file. */
  #tailState: CoreSnapshot | undefined;
  /** The files that have been read, oldest first; the last one may grow. */
  files: string[] = [];
  entries = 0;
  first: Instant | null = null;
  last: Instant | null = null;
  recent: Recent | undefined;
  /** The version of Reprise that wrote the last segment. */
  product = '';
  readonly #folder: string;
  readonly #playback: Playback;
  readonly #notes: string[] = [];
  /** The snapshot that begins the next stretch, and where it stands. */
  #opening: { readonly spot: Spot; readonly line: SnapshotLine } | undefined;
  #item: LogItem | undefined;
  #segment = '';
  #hasStopped = true;
  #trustedUntil: Instant | null = null;
  #isDiverged = false;

  /** @param path of the log, a folder or a file */
  constructor(path: string, isFolder: boolean, limits?: Partial<KeyframeLimits>) {
    this.keyframes = new Keyframes(limits);
    this.#folder = isFolder ? path : dirname(path);
    this.#playback = createPlayback({
      begin: (scene) => this.#begin(scene),
      before: () => undefined,
      after: (entry, scene) => this.#after(entry, scene),
    });
  }

  take(item: LogItem): void {
    this.#item = item;
    const { line, place } = item;
    // A header may be damaged, so that a segment begins with any line.
    if (place.segment !== this.#segment) {
      this.#segment = place.segment;
      this.files.push(this.#spotOf(item).path);
    }
    if ('fact' in line) this.#takeEntry(line, item);
    else {
      if (line.type === 'segment') this.product = line.product;
      else if (line.type === 'snapshot') this.#takeSnapshot(line, item);
      this.#playback.take(item);
    }
  }

  /** Damage stands before the next item. */
  damage({ segment, line, problem, readable, tornBytes }: Damage): void {
    this.#playback.interrupt();
    if (this.#notes.length === DAMAGE_NOTED) this.#notes.push('there is more damage than is told here');
    if (this.#notes.length > DAMAGE_NOTED) return;
    this.#notes.push(
      tornBytes > 0
        ? `the last line of ${segment} is not complete (${grouped(tornBytes)} bytes); it was left out`
        : `${segment}, line ${line}: ${problem}; can be read: ${readable}`,
    );
  }

  /** What is wrong with the log, in words. */
  notes(): string[] {
    const { divergence, stretches } = this.#playback;
    const missing = stretches.reduce((sum, { began, missing }) => sum + (began === 'log' ? 0 : missing), 0);
    return [
      ...this.#notes,
      ...(missing === 0 ? [] : [`${grouped(missing)} entries of the log are missing`]),
      ...(divergence === undefined
        ? []
        : [
            `from entry ${divergence.seq} on the core decides otherwise than recorded, so nothing is told up to the next snapshot; run reprise replay`,
          ]),
    ];
  }

  /** The core at the end of what was read; undefined before the first entry, and behind a divergence. */
  get scene(): Scene | undefined {
    return this.#playback.isInterrupted ? undefined : this.#playback.scene;
  }

  /** The state of the last keyframe; undefined before the first. */
  get tailState(): CoreSnapshot | undefined {
    const text = this.keyframes.last?.state;
    if (text !== undefined) this.#tailState ??= JSON.parse(text);
    return this.#tailState;
  }

  /** The segments before this file have been removed. */
  forgetBefore(path: string): void {
    this.files.splice(0, Math.max(0, this.files.indexOf(path)));
    // The last one stays though its file is gone, until there is another: so this looks at all each time.
    if (!this.keyframes.dropWhile(({ spot }) => !this.files.includes(spot.path))) return;
    const [oldest] = this.keyframes.all;
    if (oldest === undefined) return;
    this.first = { seq: oldest.seq, at: oldest.at };
    this.bands.forgetBefore(oldest);
    this.rates.forgetBefore(oldest.at);
    this.marks.forgetBefore(oldest.seq);
  }

  #takeSnapshot(line: SnapshotLine, item: LogItem): void {
    const { scene, last, recent } = this;
    if (!item.continuous || this.#isDiverged || this.#opening !== undefined)
      this.#opening = { spot: this.#spotOf(item), line };
    else if (scene !== undefined && last !== null && recent !== undefined) {
      // One at least in each file, since the files before may be removed.
      this.#push(
        { ...last, state: undefined, spot: this.#spotOf(item), recent: copyRecent(recent) },
        line.state,
      );
    }
  }

  #takeEntry(entry: Entry, item: LogItem): void {
    if (this.keyframes.isDue && this.#opening === undefined) this.#addKeyframe(item);
    const instant = { seq: entry.seq, at: entry.at };
    this.#playback.take(item);
    const isTrusted = !this.#playback.isInterrupted;
    if (!isTrusted && !this.#isDiverged) this.#diverge(entry);
    this.#isDiverged = !isTrusted;
    if (isTrusted) this.#trustedUntil = instant;
    this.entries += 1;
    this.first ??= instant;
    this.last = instant;
    this.tail.push(entry);
    const keyframe = this.keyframes.last;
    if (keyframe === undefined) return;
    keyframe.last = instant;
    keyframe.entries += 1;
    if (isTrusted) keyframe.trusted = entry.seq;
  }

  #diverge(entry: Entry): void {
    this.bands.interrupt(entry, DIVERGED);
    this.marks.add('gap', entry, 'from here on the core decides otherwise than recorded');
  }

  #addKeyframe(item: LogItem): void {
    const { scene, last, recent } = this;
    if (scene === undefined || last === null || recent === undefined) return;
    const state = JSON.stringify(takeSnapshot(scene.core));
    this.#push({ ...last, state, spot: this.#spotOf(item), recent: copyRecent(recent) });
  }

  /** @param state unless it is in the keyframe */
  #push(keyframe: Pick<Keyframe, 'seq' | 'at' | 'spot' | 'state' | 'recent'>, state?: CoreSnapshot): void {
    const { seq, at } = keyframe;
    this.keyframes.add({ ...keyframe, last: { seq, at }, trusted: seq, entries: 0 });
    this.tail = [];
    this.#tailState = state;
  }

  #begin(scene: Scene): void {
    const { stretch, core } = scene;
    const opening = this.#opening;
    const before = this.#trustedUntil;
    if (opening === undefined || this.#item === undefined) return;
    this.#opening = undefined;
    const isNewRun = stretch.began === 'run';
    const recent = createRecent(core);
    if (!isNewRun && this.recent !== undefined) recent.picks = [...this.recent.picks];
    this.recent = recent;
    const { spot, line } = opening;
    const at = before !== null && line.at < before.at && !isNewRun ? before.at : line.at;
    this.#push({ seq: line.seq, at, state: undefined, spot, recent: copyRecent(recent) }, line.state);
    if (before !== null) {
      this.bands.interrupt({ seq: before.seq + 1, at: before.at }, this.#whyUnknown(stretch));
    }
    if (core.backends.size > 0) this.#endAbsent(stretch, core);
    for (const [id] of core.backends) {
      const state = statusOfBackend(core, id);
      if (state !== undefined) this.bands.change(id, stretch, state, reasonOf(core, id));
    }
    this.#markBeginning(stretch);
  }

  #whyUnknown({ began, missing, reason }: Stretch): string {
    if (began === 'run')
      return this.#hasStopped ? 'the gateway did not run' : 'the gateway ended without a stop';
    if (began === 'divergence') return DIVERGED;
    const entries = `${grouped(missing)} entries are missing`;
    return began === 'damage'
      ? `the log is damaged; ${entries}`
      : `${entries}${reason === null ? '' : ` (${reason})`}`;
  }

  #markBeginning(stretch: Stretch): void {
    if (stretch.began === 'run') {
      const crashed = this.#hasStopped ? '' : '; the run before it ended without a stop';
      // The entry that begins it: before that there is nothing to be seen.
      const { seq, at } = this.#item?.line ?? stretch;
      this.marks.add('started', { seq, at }, `the gateway started${crashed}`);
    } else if (stretch.began !== 'log') this.marks.add('gap', stretch, stretchWords(stretch));
    this.#hasStopped = false;
  }

  #after(entry: Entry, { core }: Scene): void {
    if (this.recent === undefined) return;
    noteRecent(this.recent, entry, core);
    this.rates.note(entry, poolOf(core).waiting.length);
    this.marks.note(entry);
    for (const { backend, to } of changesIn(entry, core)) {
      this.bands.change(
        backend,
        entry,
        to,
        to === 'removed' ? 'removed from the config' : reasonOf(core, backend),
      );
    }
    // Only now: a run begins with a core that has no config yet.
    if (entry.fact.type === 'gateway.started') this.#endAbsent(entry, core);
    if (entry.decisions.some(({ type }) => type === 'gateway.stopped')) {
      this.#hasStopped = true;
      this.bands.interrupt(entry, 'the gateway did not run');
    }
  }

  /** No entry says of a backend that it is gone if it left the config while nothing was recorded. */
  #endAbsent(instant: Instant, core: Core): void {
    for (const backend of this.bands.present()) {
      if (!core.backends.has(backend)) {
        this.bands.change(backend, instant, 'removed', 'not in the config any more');
      }
    }
  }

  #spotOf({ place }: LogItem): Spot {
    return { path: join(this.#folder, plainName(place.segment)), byte: place.byte };
  }
}

/** Whoever reads a segment by its plain name finds it also once it is compressed. */
function plainName(file: string): string {
  return file.replace(/\.(?:zst|gz)$/, '');
}
