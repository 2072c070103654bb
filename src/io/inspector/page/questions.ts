/**
 * The questions of the page to the server. Each is asked once at a time: while the reader drags the slider, only the last
 * place is asked for. Of steps none is left out. What comes goes to the state, and so does the reason if nothing comes.
 */
import type { Moment, StepTarget, StepTo } from '../api.ts';
import type { Client, Point } from './client.ts';
import { entryQuery } from './model/event-filter.ts';
import { createInTurn, createLatest, type Latest } from './model/latest.ts';
import { bucketsFor } from './model/rates.ts';
import { type Action, boundsOf, type PageState } from './model/state.ts';
import { windowOf } from './model/time-window.ts';

export type Parts = {
  readonly client: Client;
  readonly state: () => PageState;
  readonly dispatch: (action: Action) => void;
  /** A steady clock, in milliseconds. */
  readonly localNow: () => number;
  /** What is known of the gateway's clock. */
  readonly gatewayNow: () => number;
};

export type Questions = {
  readonly overview: Latest<void>;
  readonly moment: Latest<WantedMoment>;
  /** By the query of `entriesWanted`. */
  readonly entries: Latest<string>;
  readonly chart: Latest<void>;
  readonly story: Latest<string>;
  readonly step: (wanted: WantedStep) => void;
};

type WantedMoment = {
  readonly point: Point;
  readonly movesCursor: boolean;
  /** Hears of the moment once it is shown. */
  readonly came?: (moment: Moment) => void;
};
type WantedStep = {
  readonly to: StepTo;
  /** Asked when it is this step's turn. */
  readonly from: () => Point;
  readonly found: (target: StepTarget) => void;
};

const ENTRIES_SHOWN = 60;

export function createQuestions(parts: Parts): Questions {
  const { client, dispatch } = parts;
  const watched =
    <Question>(ask: (question: Question) => Promise<void>) =>
    (question: Question) =>
      ask(question).catch((error: unknown) =>
        dispatch({ type: 'set', values: { trouble: messageOf(error) } }),
      );
  const guarded = <Question>(ask: (question: Question) => Promise<void>) =>
    createLatest<Question>(watched(ask));
  return {
    overview: guarded<void>(() => fetchOverview(parts)),
    moment: guarded((wanted) => fetchMoment(parts, wanted)),
    entries: guarded((wanted) => fetchEntries(parts, wanted)),
    chart: guarded<void>(async () => dispatch({ type: 'set', values: { chart: await client.chart() } })),
    story: guarded(async (id) => dispatch({ type: 'storyCame', id, story: await client.request(id) })),
    step: createInTurn<WantedStep>(watched((wanted) => fetchStep(parts, wanted))),
  };
}

async function fetchOverview({ client, state, dispatch, gatewayNow }: Parts): Promise<void> {
  const { width, view } = state();
  const bounds = boundsOf(state());
  const shown = bounds === null ? null : windowOf(view, bounds);
  const buckets = bucketsFor(width, shown === null ? Number.POSITIVE_INFINITY : shown.until - shown.from);
  const overview = await client.overview(buckets, view.spanMs === null ? null : shown);
  dispatch({ type: 'overviewCame', overview, now: gatewayNow() });
}

async function fetchMoment({ client, state, dispatch }: Parts, wanted: WantedMoment): Promise<void> {
  const moment = await client.moment(wanted.point);
  const { mode } = state();
  // The reader has paused while the end was being asked for, or has started while a place to stay at was.
  if (wanted.movesCursor ? mode !== 'paused' : wanted.point === 'end' && mode !== 'following') return;
  dispatch({ type: 'momentCame', moment, movesCursor: wanted.movesCursor });
  wanted.came?.(moment);
}

async function fetchStep({ client }: Parts, { to, from, found }: WantedStep): Promise<void> {
  const point = from();
  const { seq } = point !== 'end' && 'seq' in point ? point : await client.moment(point);
  found(await client.step(seq, to));
}

async function fetchEntries({ client, state, dispatch }: Parts, wanted: string): Promise<void> {
  const entries = await client.entries(wanted);
  if (entriesWanted(state()) !== wanted && state().mode === 'paused') return;
  dispatch({ type: 'set', values: { entries } });
}

/** The query of the entries to show; undefined as long as there is none, or no moment to show them for. */
export function entriesWanted({ overview, moment, range, filter }: PageState): string | undefined {
  if (moment === null || overview?.last == null) return undefined;
  return entryQuery(filter, range === 'moment' ? { before: moment.seq + 1 } : range, ENTRIES_SHOWN);
}

/** What went wrong, for the reader. */
export function messageOf(error: unknown): string {
  // What `fetch` throws where nobody listens any more; browsers word it differently.
  if (error instanceof TypeError) return 'The server does not answer. What is shown is what was known last.';
  return error instanceof Error ? error.message : String(error);
}
