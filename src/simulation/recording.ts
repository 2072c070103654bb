/**
 * What a log says about the world around the core, taken out of its entries: what came from outside, and for each
 * lease how long everything took and how it ended. A log is one or more runs, each with a state it begins with: a start
 * of the gateway begins a run, and so does a gap, since what lies in it is not known.
 */
import type { Decision, Fact, UpstreamFailure } from '../actors/events.ts';
import type { LogLine } from '../actors/log-lines.ts';
import type { CoreSnapshot } from '../actors/snapshot.ts';
import { createInterner, createWords, type Words } from './columns.ts';
import { createDecided, type Decided } from './decided.ts';
import { createLeaseRecorder } from './lease-recorder.ts';

export type Point = { readonly at: number; readonly seq: number };
/** How long after the one before it something came, and which entry says so. */
export type Lapse = { readonly ms: number; readonly seq: number };

/** One lease as it was recorded. What is undefined was not seen before the client left or the run ended. */
export type Service = {
  readonly request: number;
  readonly backend: string;
  /** Method and path: requests of one kind take alike. */
  readonly kind: string;
  readonly reused: boolean;
  /** It was under way when the run began, so that its beginning is not known. */
  readonly partial: boolean;
  readonly requested: Point | undefined;
  opened:
    | (Lapse & ({ readonly ok: true } | { readonly ok: false; readonly reason: UpstreamFailure }))
    | undefined;
  granted: Point | undefined;
  /** These four are counted from the grant. */
  started: (Lapse & AnswerHead) | undefined;
  ended: (Lapse & ServiceEnd) | undefined;
  closed: Lapse | undefined;
  /** The client left. */
  abandonedMs: number | undefined;
  /** Counted from the end: the backend closed the idle socket, or how long it was at least kept open. */
  idleClosed: Lapse | undefined;
  idleMs: number | undefined;
  /** The next attempt of the same request. */
  next: Service | undefined;
};

/** `retryAfterMs` is how long the backend asked to be left alone. */
export type AnswerHead = { readonly status: number; readonly retryAfterMs?: number };

export type ServiceEnd =
  | (AnswerHead & {
      readonly ok: true;
      readonly bytes: number;
      readonly chunks: number;
      readonly reusable: boolean;
    })
  | {
      readonly ok: false;
      readonly bytes: number;
      readonly chunks: number;
      readonly reason: UpstreamFailure;
      readonly written: boolean;
    };

export type Wait = {
  readonly request: number;
  readonly deadline: number;
  leftAt: number | undefined;
  fired: Point | undefined;
};

/** A timer that was set for the end of an ejection. */
export type RecordedEjection = {
  readonly backend: string;
  readonly deadline: number;
  fired: Point | undefined;
};

/** A socket that idled when the run began. */
export type KeptSocket = { closed: Point | undefined; lastSeenAt: number };

export type OutsideFact = Point & { readonly fact: Fact };
export type RecordedStep = Point & { readonly fact: Fact; readonly decisions: readonly Decision[] };

export type RecordedRun = {
  readonly start: Point;
  readonly snapshot: CoreSnapshot;
  /** The effective config as the header has it. */
  readonly config: unknown;
  /** What came from outside, in order. */
  readonly outside: OutsideFact[];
  readonly decided: Decided;
  /** By request the first of its attempts, which leads to the others. */
  readonly services: Map<number, Service>;
  readonly waits: Map<number, Wait[]>;
  readonly ejections: RecordedEjection[];
  readonly kept: Map<number, KeptSocket>;
  /** Of each request its method and path. */
  readonly kinds: Words;
  entries: number;
  end: Point;
  /** Whether nothing was under way when it ended. */
  endedIdle: boolean;
};

export type RunCollector = {
  /** @param continuous false for a snapshot that what was read before does not lead to */
  take(line: LogLine, continuous: boolean): void;
  /** All runs; call it once, when the log has ended. */
  finish(): RecordedRun[];
};

/** @param onStep hears of each entry, and of each run as it begins */
export function createRunCollector(onStep: {
  begin(run: RecordedRun): void;
  step(step: RecordedStep): void;
}): RunCollector {
  const runs: RecordedRun[] = [];
  let config: unknown;
  let recorder: ReturnType<typeof createLeaseRecorder> | undefined;
  const shared = createSharer();

  const close = () => {
    const run = runs.at(-1);
    if (run !== undefined && recorder !== undefined) run.endedIdle = recorder.finish() === 0;
  };

  return {
    take(line, continuous) {
      const run = runs.at(-1);
      if ('fact' in line) {
        if (run === undefined || recorder === undefined) return;
        const { seq, at, fact, decisions } = line;
        const step: RecordedStep = { seq, at, fact, decisions };
        run.entries += 1;
        run.end = { seq, at };
        run.decided.note(seq, at, decisions);
        if (isFromOutside(fact)) run.outside.push({ seq, at, fact: shared(fact) });
        recorder.take(step);
        onStep.step(step);
      } else if (line.type === 'segment') config = line.config;
      else if (line.type === 'snapshot' && !continuous) {
        close();
        const begun = beginRun({ seq: line.seq, at: line.at }, line.state, config);
        runs.push(begun);
        recorder = createLeaseRecorder(begun);
        onStep.begin(begun);
      }
    },
    finish() {
      close();
      return runs;
    },
  };
}

function beginRun(start: Point, snapshot: CoreSnapshot, config: unknown): RecordedRun {
  return {
    start,
    snapshot,
    config,
    outside: [],
    decided: createDecided(),
    services: new Map(),
    waits: new Map(),
    ejections: [],
    kept: new Map(),
    kinds: createWords(),
    entries: 0,
    end: start,
    endedIdle: false,
  };
}

/** A line that is read brings texts of its own: of the few methods and paths that many requests have, one is kept. */
function createSharer(): (fact: Fact) => Fact {
  const texts = createInterner();
  const sharedText = (text: string) => texts.words[texts.numberOf(text) - 1] ?? text;
  return (fact) =>
    fact.type === 'request.received'
      ? { ...fact, method: sharedText(fact.method), path: sharedText(fact.path) }
      : fact;
}

/** Every lease of a run, request by request. */
export function* servicesOf({ services }: RecordedRun): Generator<Service> {
  for (const first of services.values()) {
    for (let each: Service | undefined = first; each !== undefined; each = each.next) yield each;
  }
}

/** Everything else follows from what the core decided, and so is simulated. */
function isFromOutside(fact: Fact): boolean {
  switch (fact.type) {
    case 'socket.opened':
    case 'socket.failed':
    case 'socket.closed':
    case 'response.started':
    case 'response.ended':
    case 'response.failed':
      return false;
    case 'timer.fired':
      return fact.timer === 'sweep';
    default:
      return true;
  }
}
