/**
 * Writes an event log of any length, for measuring what reads one: a steady load of requests over a few backends, with
 * probes that fail now and then, broken answers, clients that leave and reloads, all driven through the real core.
 *
 *     node bench/make-log.ts FOLDER ENTRIES [SEGMENT_BYTES]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Decision, Fact } from '../src/actors/events.ts';
import { createRandom } from '../src/simulation/random.ts';
import { backend, coreConfig } from '../test/support/core.ts';
import { createRecorder } from '../test/support/recorder.ts';

/** Requests under way at a time. */
const CONCURRENCY = 64;
const FACTS_PER_PROBE_ROUND = 3000;
const FACTS_PER_RELOAD = 500_000;
const FACTS_PER_MS = 30;
const START = Date.UTC(2026, 0, 1);
/** No two at one address, since a config like that is refused, and a what-if would run without them. */
const BACKENDS = ['a', 'b', 'c', 'd'].map((name, index) => ({
  ...backend(`${name}.internal:8000`, 1 + (index % 3)),
  port: 8000 + index,
}));
const CONFIG = coreConfig({ backends: BACKENDS, pool: { size: 40 } });

const [folder, wanted, segmentBytes = '67108864'] = process.argv.slice(2);
if (folder === undefined || wanted === undefined) {
  process.stderr.write('usage: make-log.ts FOLDER ENTRIES [SEGMENT_BYTES]\n');
  process.exitCode = 64;
} else {
  mkdirSync(folder, { recursive: true });
  const recorder = createRecorder({
    segmentBytes: Number(segmentBytes),
    checkpointEvery: 10_000,
    write: (name, text) => writeFileSync(join(folder, name), text),
  });
  const load = createLoad(createRandom(7));
  recorder.take({ type: 'gateway.started', version: '0.1.0', config: CONFIG }, START);
  for (let taken = 1; taken < Number(wanted); taken += 1) {
    load.obey(recorder.take(load.next(taken), START + Math.floor(taken / FACTS_PER_MS)));
  }
  recorder.end();
}

type Held = { readonly request: number; readonly lease: number; started: boolean };

function createLoad(random: () => number) {
  const held: Held[] = [];
  /** Facts that follow from decisions, and probes of a round. */
  const due: Fact[] = [];
  let lastRequest = 0;

  const receive = (): Fact => {
    lastRequest += 1;
    return {
      type: 'request.received',
      request: lastRequest,
      requestId: `${Math.floor(random() * 2 ** 32).toString(16)}-4a1c-4d5e-8f90-${lastRequest}`,
      method: 'POST',
      path: '/v1/chat/completions',
      bodyBytes: 812,
      replayable: true,
    };
  };

  const advance = (one: Held): Fact => {
    const { request, lease } = one;
    if (!one.started) {
      one.started = true;
      return { type: 'response.started', request, lease, status: 200 };
    }
    held.splice(held.indexOf(one), 1);
    const chance = random();
    if (chance < 0.002) return { type: 'client.aborted', request };
    const amount = { bytes: 9120, chunks: 120 };
    return chance < 0.003
      ? { type: 'response.failed', request, lease, reason: 'reset', written: true, ...amount }
      : { type: 'response.ended', request, lease, status: 200, ...amount, reusable: true };
  };

  const probe = (id: string): Fact =>
    random() < 0.05
      ? { type: 'probe.failed', backend: id, reason: 'timeout', latencyMs: 1000 }
      : { type: 'probe.succeeded', backend: id, status: 200, latencyMs: Math.floor(random() * 20) };

  return {
    next(taken: number): Fact {
      if (taken % FACTS_PER_RELOAD === 0) return { type: 'config.reloaded', config: CONFIG };
      if (taken % FACTS_PER_PROBE_ROUND === 0) due.push(...BACKENDS.map(({ id }) => probe(id)));
      const first = due.shift();
      if (first !== undefined) return first;
      const one = held[Math.floor(random() * held.length)];
      return held.length < CONCURRENCY || one === undefined ? receive() : advance(one);
    },
    obey(decisions: readonly Decision[]): void {
      for (const decision of decisions) {
        if (decision.type === 'socket.requested') {
          due.push({ type: 'socket.opened', backend: decision.backend, socket: decision.socket });
        } else if (decision.type === 'lease.granted') {
          held.push({ request: decision.request, lease: decision.lease, started: false });
        }
      }
    },
  };
}
