/** Scripted runs of the core, recorded into a log on disk, for explaining. All times are UTC. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { CoreConfig, Decision, Fact } from '../../src/actors/events.ts';
import type { Life } from '../../src/actors/explain/life.ts';
import type { Watcher } from '../../src/actors/explain/playback.ts';
import { type RequestReport, watchRequests } from '../../src/actors/explain/request-watch.ts';
import type { Point } from '../../src/io/event-log/replay-range.ts';
import { paintNothing } from '../../src/io/explain/format.ts';
import { type Played, playLog } from '../../src/io/explain/play.ts';
import { formatLife } from '../../src/io/explain/request-text.ts';
import { createRecorder } from '../support/recorder.ts';

process.env.TZ = 'UTC';

export const START = Date.UTC(2026, 10, 23, 3, 12, 0);

export type Script = {
  /** Takes facts in, all at the time it is. @returns what was decided about them */
  take(...facts: readonly Fact[]): Decision[];
  /** Takes facts in and records none of them. */
  lose(...facts: readonly Fact[]): void;
  /** Lets time pass. */
  wait(ms: number): Script;
  /** Ends this run of the gateway and begins another. */
  restart(config: CoreConfig): void;
};

/**
 * Plays a script to a recorder.
 *
 * @returns the folder with the log; it is removed after the tests
 */
export function record(config: CoreConfig, play: (script: Script) => void, segmentBytes = 1e9): string {
  const folder = mkdtempSync(join(tmpdir(), 'explain-'));
  after(() => rmSync(folder, { recursive: true }));
  const recorder = createRecorder({
    segmentBytes,
    checkpointEvery: 1000,
    write: (name, text) => writeFileSync(join(folder, name), text),
  });
  let at = START;
  const script: Script = {
    take: (...facts) => facts.flatMap((fact) => recorder.take(fact, at)),
    lose(...facts) {
      for (const fact of facts) recorder.lose(fact, at);
    },
    wait(ms) {
      at += ms;
      return script;
    },
    restart(next) {
      recorder.restart();
      script.take({ type: 'gateway.started', version: 'test', config: next });
    },
  };
  script.take({ type: 'gateway.started', version: 'test', config });
  play(script);
  recorder.end();
  return folder;
}

export function play(path: string, watcher: Watcher, until?: Point): Promise<Played> {
  return playLog(path, watcher, until, () => {});
}

export async function reportOf(path: string, id: string): Promise<RequestReport> {
  const watch = watchRequests(id);
  await play(path, watch);
  return watch.report();
}

/** The life of the one request with this id. */
export async function lifeOf(path: string, id: string): Promise<Life> {
  const { requests } = await reportOf(path, id);
  const [life, ...others] = requests;
  if (life === undefined || others.length > 0) throw new Error(`${requests.length} requests are ${id}`);
  return life;
}

/** Its timeline as text, without the head. */
export function textOf(life: Life): string {
  return formatLife(life, paintNothing).join('\n');
}

export function opened(backend: string, socket: number): Fact {
  return { type: 'socket.opened', backend, socket };
}
