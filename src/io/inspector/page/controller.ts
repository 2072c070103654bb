/**
 * Carries out what the reader asks for and keeps the page up to date: asks the server, and tells the state what came.
 * Nothing is asked twice at a time, and while the reader drags the slider only the last place is asked for.
 */
import type { StepTo } from '../api.ts';
import type { Client, Point } from './client.ts';
import { entryQuery } from './model/event-filter.ts';
import { createLatest } from './model/latest.ts';
import { advanced } from './model/playback.ts';
import { bucketsFor } from './model/rates.ts';
import { type Action, boundsOf, type Change, type PageState } from './model/state.ts';
import { windowOf } from './model/time-window.ts';

export type Controller = {
  /** Asks for what has to be asked again and again; to be called about every `TICK_MS`. */
  tick(): void;
  /** Shows a moment, and stays there. */
  goTo(point: Point): void;
  step(to: StepTo): void;
  playOrPause(): void;
  follow(): void;
  /** Asks for the figures of the view again, when the reader has changed it. */
  refreshOverview(): void;
  search(id: string): void;
  carryOut(change: Change): void;
};

export const TICK_MS = 50;
const MOMENT_EVERY_MS = 250;
const PLAYED_MOMENT_EVERY_MS = 100;
const OVERVIEW_EVERY_MS = 1000;
const ENTRIES_EVERY_MS = 1000;
/** While nothing moves, a new place is shown at once. */
const ENTRIES_SETTLE_MS = 150;
const ENTRIES_SHOWN = 60;

type Parts = {
  readonly client: Client;
  readonly state: () => PageState;
  readonly dispatch: (action: Action) => void;
  /** A steady clock, in milliseconds. */
  readonly localNow: () => number;
  /** What is known of the gateway's clock. */
  readonly gatewayNow: () => number;
};

export function createController(parts: Parts): Controller {
  const { client, state, dispatch, localNow } = parts;
  const guarded = <Question>(ask: (question: Question) => Promise<void>) =>
    createLatest<Question>((question) => ask(question).catch((error: unknown) => complain(parts, error)));
  const askOverview = guarded<void>(() => fetchOverview(parts));
  const askMoment = guarded((wanted: WantedMoment) => fetchMoment(parts, wanted));
  const askEntries = guarded((wanted: string) => fetchEntries(parts, wanted));
  const askChart = guarded<void>(async () =>
    dispatch({ type: 'set', values: { chart: await client.chart() } }),
  );
  const askStory = guarded(async (id: string) =>
    dispatch({ type: 'storyCame', id, story: await client.request(id) }),
  );
  const askStep = guarded(async (to: StepTo) => {
    const { moment } = state();
    if (moment === null) return;
    const target = await client.step(moment.seq, to);
    if (target !== null) goTo({ seq: target.seq });
    else dispatch({ type: 'set', values: { notice: NOTHING_THERE[to] } });
  });

  const due = createDueTimes(localNow);
  let isPlaced = false;
  let shownEntries = '';
  let lastTick = localNow();

  const goTo = (point: Point) => {
    isPlaced = true;
    const isTime = point !== 'end' && 'at' in point;
    if (isTime) dispatch({ type: 'moved', at: point.at });
    else dispatch({ type: 'modeSet', mode: 'paused' });
    // The slider stays where the reader put it, even if nothing happened just then.
    askMoment({ point, movesCursor: !isTime });
  };

  const refreshEntries = () => {
    const wanted = entriesWanted(state());
    if (wanted === undefined || wanted === shownEntries) return;
    const isMoving = state().mode !== 'paused' && state().range === 'moment';
    if (!due('entries', isMoving ? ENTRIES_EVERY_MS : ENTRIES_SETTLE_MS)) return;
    shownEntries = wanted;
    askEntries(wanted);
  };

  return {
    tick() {
      const now = localNow();
      const elapsed = now - lastTick;
      lastTick = now;
      const { mode, overview, chart } = state();
      if (mode === 'playing') {
        play(parts, elapsed);
        const { cursor } = state();
        if (cursor !== null && due('moment', PLAYED_MOMENT_EVERY_MS)) {
          askMoment({ point: { at: cursor }, movesCursor: false });
        }
      } else if (mode === 'following' && overview?.last != null && due('moment', MOMENT_EVERY_MS)) {
        askMoment({ point: 'end', movesCursor: false });
      }
      if (isGrowing(overview) && due('overview', OVERVIEW_EVERY_MS)) askOverview();
      if (chart === null && due('chart', OVERVIEW_EVERY_MS)) askChart();
      // A recording is opened at its end, unless the address names a moment.
      if (!isPlaced && overview?.last != null && overview.source.kind === 'recording') goTo('end');
      refreshEntries();
    },
    goTo,
    step: (to) => askStep(to),
    playOrPause: () => startOrStop(parts, askMoment),
    follow() {
      const isLive = state().overview?.source.kind === 'live';
      if (isLive) dispatch({ type: 'modeSet', mode: 'following' });
      else goTo('end');
    },
    refreshOverview: () => askOverview(),
    search(id) {
      const wanted = id.trim();
      dispatch({ type: 'set', values: { search: wanted === '' ? null : { id: wanted, story: null } } });
      if (wanted !== '') askStory(wanted);
    },
    carryOut(change) {
      const tell = (notice: string) => dispatch({ type: 'set', values: { notice } });
      client.change(change).then(tell, (error: unknown) => tell(messageOf(error)));
    },
  };
}

const NOTHING_THERE: Readonly<Record<StepTo, string>> = {
  nextEntry: 'This is the last entry.',
  previousEntry: 'This is the first entry.',
  nextChange: 'No backend changes its state after this.',
  previousChange: 'No backend changes its state before this.',
};

type WantedMoment = { readonly point: Point; readonly movesCursor: boolean };

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
  // The reader has paused while the end was being asked for.
  if (wanted.point === 'end' && !wanted.movesCursor && state().mode !== 'following') return;
  dispatch({ type: 'momentCame', moment, movesCursor: wanted.movesCursor });
}

async function fetchEntries({ client, state, dispatch }: Parts, wanted: string): Promise<void> {
  const entries = await client.entries(wanted);
  if (entriesWanted(state()) !== wanted && state().mode === 'paused') return;
  dispatch({ type: 'set', values: { entries } });
}

/** The query of the entries to show; undefined as long as there is no moment to show them for. */
function entriesWanted({ moment, range, filter }: PageState): string | undefined {
  if (moment === null) return undefined;
  return entryQuery(filter, range === 'moment' ? { before: moment.seq + 1 } : range, ENTRIES_SHOWN);
}

/** Whether there is more to come: from a gateway, or from a log that is still being read. */
function isGrowing(overview: PageState['overview']): boolean {
  if (overview === null || overview.source.kind === 'live') return true;
  return overview.progress.bytes < overview.progress.bytesTotal;
}

function play({ state, dispatch }: Parts, elapsedMs: number): void {
  const { cursor, speed } = state();
  const bounds = boundsOf(state());
  if (cursor === null || bounds === null) return;
  dispatch({ type: 'played', ...advanced(cursor, elapsedMs, speed, bounds.until) });
}

function startOrStop({ state, dispatch }: Parts, askMoment: (wanted: WantedMoment) => void): void {
  const { mode, cursor, overview } = state();
  if (mode !== 'paused') {
    dispatch({ type: 'modeSet', mode: 'paused' });
    return;
  }
  const bounds = boundsOf(state());
  const isAtEnd = cursor === null || bounds === null || cursor >= bounds.until;
  // At the end of a recording there is nothing to play but the whole of it.
  if (isAtEnd && overview?.source.kind === 'recording' && overview.first !== null) {
    dispatch({ type: 'moved', at: overview.first.at });
    askMoment({ point: { seq: overview.first.seq }, movesCursor: true });
  }
  dispatch({ type: 'modeSet', mode: 'playing' });
}

/** @returns a function that tells whether it is time again for something, and remembers that it said so */
function createDueTimes(localNow: () => number): (what: string, everyMs: number) => boolean {
  const last = new Map<string, number>();
  return (what, everyMs) => {
    const now = localNow();
    if (now - (last.get(what) ?? Number.NEGATIVE_INFINITY) < everyMs) return false;
    last.set(what, now);
    return true;
  };
}

function complain({ dispatch }: Parts, error: unknown): void {
  dispatch({ type: 'set', values: { trouble: messageOf(error) } });
}

function messageOf(error: unknown): string {
  // What `fetch` throws where nobody listens any more; browsers word it differently.
  if (error instanceof TypeError) return 'The server does not answer. What is shown is what was known last.';
  return error instanceof Error ? error.message : String(error);
}
