/** The clients of a fault run: some hold streams, some ask short questions, some upload, and any may leave at any point. */
import http from 'node:http';
import { setTimeout as pass } from 'node:timers/promises';
import { type Ask, ask, type Leave, type Outcome } from './client.ts';
import type { Hurts } from './hurts.ts';
import { faultOf } from './judge.ts';
import type { Fault, Framing } from './wish.ts';

export type CrowdOptions = {
  readonly url: string;
  /** Clients that hold a stream each; a tenth as many ask short questions beside them. */
  readonly streams: number;
  /** Pieces that a stream has at most, one each 100 to 200 ms. */
  readonly mostPieces: number;
  readonly random: () => number;
  readonly now: () => number;
  readonly hurts: Hurts;
  /** Bytes beyond which the gateway keeps no body to send it again. */
  readonly bufferBytes: number;
  /** Gets each of the first wrong answers in words, as it comes. */
  readonly onFault: (fault: string) => void;
};

export type Crowd = {
  /** How often each kind of outcome came; refusals under their code. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** What was wrong, the first few in words. */
  readonly faults: { count: number; readonly texts: string[] };
  readonly asked: number;
  readonly inFlight: number;
  /** Lets the clients ask. */
  resume(): void;
  /** Lets none begin; resolves when all that were under way have ended. */
  pause(): Promise<void>;
};

const FAULTS_TOLD = 20;
const NOBODY_THERE_MS = 2_000;
const FRAMINGS: readonly Framing[] = ['chunked', 'sized', 'closing'];

export function createCrowd(options: CrowdOptions): Crowd {
  const { url, streams, random, now, hurts } = options;
  const agent = new http.Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, timeout: 20_000 });
  const outcomes = new Map<string, number>();
  const faults = { count: 0, texts: [] as string[] };
  let asked = 0;
  let inFlight = 0;
  let isPaused = true;
  let running: Promise<unknown> = Promise.resolve();

  const once = async (draw: (marker: string) => Ask) => {
    asked += 1;
    inFlight += 1;
    const drawn = draw(`m${asked}-${Math.floor(random() * 2 ** 32).toString(36)}`);
    const since = now();
    const outcome = await ask(url, agent, drawn);
    inFlight -= 1;
    const name = nameOf(outcome);
    outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
    const fault = faultOf(drawn, outcome, hurts, since);
    if (fault !== undefined) {
      faults.count += 1;
      if (faults.texts.length < FAULTS_TOLD) {
        faults.texts.push(fault);
        options.onFault(fault);
      }
    }
    return outcome.kind !== 'unanswered';
  };
  const loop = async (draw: (marker: string) => Ask, mostIdleMs: number) => {
    await pass(random() * mostIdleMs);
    while (!isPaused) {
      const isAnswered = await once(draw);
      // Who finds nobody there does not ask again at once.
      await pass(random() * (isAnswered ? mostIdleMs : NOBODY_THERE_MS));
    }
  };
  return {
    outcomes,
    faults,
    get asked() {
      return asked;
    },
    get inFlight() {
      return inFlight;
    },
    resume() {
      isPaused = false;
      const holding = Array.from({ length: streams }, () => loop((marker) => stream(marker, options), 100));
      const short = Array.from({ length: Math.ceil(streams / 10) }, () =>
        loop((marker) => question(marker, options), 200),
      );
      running = Promise.all([...holding, ...short]);
    },
    async pause() {
      isPaused = true;
      await running;
      agent.destroy();
    },
  };
}

function nameOf(outcome: Outcome): string {
  if (outcome.kind === 'refused' || outcome.kind === 'told') return `${outcome.kind} ${outcome.code}`;
  if (outcome.kind === 'unanswered') return `unanswered ${outcome.code}`;
  return outcome.kind;
}

function stream(marker: string, { random, mostPieces }: CrowdOptions): Ask {
  const pieces = 5 + Math.floor(random() ** 2 * (mostPieces - 5));
  return {
    wish: {
      marker,
      framing: random() < 0.9 ? 'events' : 'chunked',
      pieces,
      firstMs: Math.floor(random() * 300),
      gapMs: 100 + Math.floor(random() * 100),
      ...maybeFault(random, pieces),
    },
    promptBytes: Math.floor(random() * 4_000),
    readPauseMs: random() < 0.05 ? Math.floor(random() * 400) : 0,
    ...maybeLeave(random, 3_000, pieces * 150),
  };
}

function question(marker: string, { random, bufferBytes }: CrowdOptions): Ask {
  const pieces = Math.floor(random() * 6);
  return {
    wish: {
      marker,
      framing: FRAMINGS[Math.floor(random() * FRAMINGS.length)] ?? 'sized',
      pieces,
      firstMs: random() < 0.5 ? 0 : Math.floor(random() * 100),
      gapMs: 0,
      ...maybeFault(random, pieces),
    },
    promptBytes: Math.floor(random() < 0.05 ? random() * 4 * bufferBytes : random() * 8_000),
    readPauseMs: 0,
    ...maybeLeave(random, 60, pieces * 150),
  };
}

function maybeFault(random: () => number, pieces: number): { fault?: Fault } {
  if (random() > 0.02) return {};
  const after = Math.floor(random() * pieces);
  const faults: readonly Fault[] = [
    { kind: 'status', status: 500 },
    { kind: 'garbage' },
    { kind: 'reset', after },
    { kind: 'close', after },
    { kind: 'stall', after },
  ];
  const fault = faults[Math.floor(random() * faults.length)];
  // Without a piece there is nothing to break off after.
  return fault === undefined || pieces === 0 ? {} : { fault };
}

function maybeLeave(random: () => number, mostWaitMs: number, mostBytes: number): { leave?: Leave } {
  if (random() > 0.15) return {};
  const how = random() < 0.5 ? 'reset' : 'close';
  const phase = random();
  if (phase < 0.2) return { leave: { how, when: 'sending' } };
  if (phase < 0.6) return { leave: { how, when: 'waiting', afterMs: random() * mostWaitMs } };
  return { leave: { how, when: 'reading', afterBytes: random() * mostBytes } };
}
