/** Logs for tests: recorded from a random world, altered, and put into a folder that goes away with the test. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { crc32 } from 'node:zlib';
import { type Damage, type LogItem, readLog } from '../../src/io/event-log/reader.ts';
import { ACTION_KINDS, createWorld, type World } from './random-world.ts';
import { createRecorder } from './recorder.ts';

/** The content of each file by its name, oldest first. */
export type LogFiles = ReadonlyMap<string, string | Uint8Array>;

export type WorldOptions = {
  readonly segmentBytes?: number;
  readonly checkpointEvery?: number;
  /** How many facts are lost at the places where the disk is too slow. */
  readonly lose?: { readonly every: number; readonly count: number };
};

/** Records each world as one run of the gateway. */
export function recordWorlds(worlds: readonly World[], options: WorldOptions = {}): Map<string, string> {
  const { segmentBytes = 8_000, checkpointEvery = 7, lose } = options;
  const files = new Map<string, string>();
  const write = (name: string, text: string) => files.set(name, text);
  const recorder = createRecorder({ segmentBytes, checkpointEvery, write });
  for (const [index, { history }] of worlds.entries()) {
    if (index > 0) recorder.restart();
    for (const [step, { fact, at }] of history.entries()) {
      const isLost = lose !== undefined && step % lose.every >= lose.every - lose.count;
      if (isLost) recorder.lose(fact, at);
      else recorder.take(fact, at);
    }
  }
  recorder.end();
  return files;
}

/** A world in which something of everything happens; the same number always gives the same one. */
export function busyWorld(seed: number, steps: number): World {
  const world = createWorld();
  for (let step = 1; step <= steps; step += 1) {
    const mixed = Math.imul(seed * 7919 + step, 2654435761) >>> 0;
    world.act((mixed >>> 8) % ACTION_KINDS, mixed >>> 16);
  }
  return world;
}

/** @returns the folder with the files in it */
export function folderOf(t: TestContext, files: LogFiles): string {
  const folder = mkdtempSync(join(tmpdir(), 'reprise-log-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of files) writeFileSync(join(folder, name), content);
  return folder;
}

/** @returns the files with one of them changed, or left out where `change` gives undefined */
export function withFile<Content extends string | Uint8Array>(
  files: ReadonlyMap<string, Content>,
  name: string,
  change: (content: Content) => Content | undefined,
): Map<string, Content> {
  const changed = new Map<string, Content>();
  for (const [each, content] of files) {
    const next = each === name ? change(content) : content;
    if (next !== undefined) changed.set(each, next);
  }
  return changed;
}

/** @returns the text with its lines changed */
export function withLines(text: string, change: (lines: string[]) => readonly string[]): string {
  return change(text.split('\n').slice(0, -1))
    .map((line) => `${line}\n`)
    .join('');
}

/** A line that was changed by somebody who knows about CRCs, and keeps its number. @param line without its newline */
export function resealed(line: string, change: (own: string) => string): string {
  const { own = '', number = '' } = /^(?<own>.*)(?<number>,"n":\d+),"crc":\d+\}$/.exec(line)?.groups ?? {};
  const covered = `${change(own)}${number}`;
  return `${covered},"crc":${crc32(covered)}}`;
}

export type Reading = { items: LogItem[]; damage: Damage[]; seqs: number[] };

/** Reads a whole log; `seqs` are the numbers of its entries. */
export async function readAll(path: string): Promise<Reading> {
  const damage: Damage[] = [];
  const items: LogItem[] = [];
  for await (const batch of readLog(path, { onDamage: (each) => damage.push(each) })) items.push(...batch);
  const seqs = items.flatMap(({ line }) => ('fact' in line ? [line.seq] : []));
  return { items, damage, seqs };
}

/** The number of the first entry of a segment, as its name says. */
export function firstSeq(name: string): number {
  return Number(/\d{16}/.exec(name)?.[0]);
}
