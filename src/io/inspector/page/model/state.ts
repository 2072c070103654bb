/** All that the page knows, as one value, and how it changes: what is drawn follows from it and from nothing else. */
import type { Chart, EntryPage, InspectedBackend, Moment, Overview, RequestStory } from '../../api.ts';
import { type EntryRange, EVERYTHING, type EventFilter } from './event-filter.ts';
import { changesBetween } from './spoken.ts';
import { showing, type TimeWindow, type View, WHOLE } from './time-window.ts';

/** `following` stays at the end of a live log; `playing` runs through recorded time. */
export type Mode = 'following' | 'paused' | 'playing';

/** What an operator is asked to confirm. */
export type Change =
  | { readonly kind: 'drain' | 'restore'; readonly backend: string }
  | { readonly kind: 'reload' };

export type PageState = {
  readonly overview: Overview | null;
  readonly moment: Moment | null;
  readonly chart: Chart | null;
  readonly mode: Mode;
  /** Where the slider stands. The moment is what was at this time, once the server has answered. */
  readonly cursor: number | null;
  /** The time at a live gateway, as far as is known. */
  readonly now: number | null;
  readonly speed: number;
  readonly view: View;
  /** The backend the reader chose; until then the page shows the one in the worst state. */
  readonly chosen: string | null;
  readonly filter: EventFilter;
  readonly range: EntryRange | 'moment';
  readonly entries: EntryPage | null;
  readonly eventsAs: 'list' | 'lanes';
  /** The entry that is shown whole. */
  readonly opened: number | null;
  readonly search: { readonly id: string; readonly story: RequestStory | null } | null;
  readonly question: Change | null;
  /** What came of the last thing that was asked for. */
  readonly notice: string;
  /** Why the server does not answer; empty while it does. */
  readonly trouble: string;
  /** Read out by screen readers. */
  readonly spoken: string;
  readonly showsHelp: boolean;
  /** Pixels that the timeline has from side to side. */
  readonly width: number;
  /** Where the pointer is over the timeline. */
  readonly hover: Hover | null;
};

export type Hover = { readonly x: number; readonly y: number };

export const INITIAL: PageState = {
  overview: null,
  moment: null,
  chart: null,
  mode: 'following',
  cursor: null,
  now: null,
  speed: 1,
  view: WHOLE,
  chosen: null,
  filter: EVERYTHING,
  range: 'moment',
  entries: null,
  eventsAs: 'list',
  opened: null,
  search: null,
  question: null,
  notice: '',
  trouble: '',
  spoken: '',
  showsHelp: false,
  width: 0,
  hover: null,
};

/** So much of a live log is shown at first. */
const LIVE_SPAN_MS = 5 * 60_000;

export type Action =
  | { readonly type: 'overviewCame'; readonly overview: Overview; readonly now: number }
  | { readonly type: 'momentCame'; readonly moment: Moment; readonly movesCursor: boolean }
  | { readonly type: 'moved'; readonly at: number }
  | { readonly type: 'played'; readonly at: number; readonly isAtEnd: boolean }
  | { readonly type: 'modeSet'; readonly mode: Mode }
  | { readonly type: 'viewSet'; readonly view: View }
  | { readonly type: 'filterSet'; readonly filter: Partial<EventFilter> }
  | { readonly type: 'storyCame'; readonly id: string; readonly story: RequestStory }
  | { readonly type: 'set'; readonly values: Partial<Settable> };

/** What is set without a further thought. */
type Settable = Pick<
  PageState,
  | 'chart'
  | 'speed'
  | 'chosen'
  | 'range'
  | 'entries'
  | 'eventsAs'
  | 'opened'
  | 'search'
  | 'question'
  | 'notice'
  | 'trouble'
  | 'showsHelp'
  | 'width'
  | 'hover'
>;

export function reduce(state: PageState, action: Action): PageState {
  switch (action.type) {
    case 'overviewCame':
      return withOverview(state, action.overview, action.now);
    case 'momentCame':
      return withMoment(state, action.moment, action.movesCursor);
    case 'moved':
      return withCursor({ ...state, mode: 'paused', range: 'moment' }, action.at);
    case 'played':
      return withCursor({ ...state, mode: action.isAtEnd ? modeAtEnd(state) : state.mode }, action.at);
    case 'modeSet':
      return withMode(state, action.mode);
    case 'viewSet':
      return { ...state, view: action.view };
    case 'filterSet':
      return { ...state, filter: { ...state.filter, ...action.filter }, range: 'moment', entries: null };
    case 'storyCame':
      if (state.search?.id !== action.id) return state;
      return { ...state, search: { id: action.id, story: action.story } };
    case 'set':
      return { ...state, ...action.values };
  }
}

function withOverview(state: PageState, overview: Overview, now: number): PageState {
  const isFirst = state.overview === null;
  const isLive = overview.source.kind === 'live';
  const next: PageState = { ...state, overview, trouble: '', now: isLive ? now : null };
  if (!isFirst) return next;
  return isLive
    ? { ...next, view: { spanMs: LIVE_SPAN_MS, until: null } }
    : { ...next, mode: state.mode === 'following' ? 'paused' : state.mode };
}

function withMoment(state: PageState, moment: Moment, movesCursor: boolean): PageState {
  const next = {
    ...state,
    moment,
    trouble: '',
    spoken: changesBetween(state.moment, moment) || state.spoken,
  };
  if (state.mode === 'following') return { ...next, cursor: moment.at };
  return movesCursor ? withCursor({ ...next, range: 'moment' }, moment.at) : next;
}

function withMode(state: PageState, mode: Mode): PageState {
  if (mode !== 'following') return { ...state, mode };
  return { ...state, mode, range: 'moment', view: { ...state.view, until: null } };
}

/** Playback that has reached the end goes on with what comes, if anything still comes. */
function modeAtEnd({ overview }: PageState): Mode {
  return overview?.source.kind === 'live' ? 'following' : 'paused';
}

function withCursor(state: PageState, at: number): PageState {
  const bounds = boundsOf(state);
  return { ...state, cursor: at, view: bounds === null ? state.view : showing(state.view, bounds, at) };
}

/** How far time goes: from the first entry to the last, or to now where the gateway runs. Null while nothing is known. */
export function boundsOf({ overview, now }: Pick<PageState, 'overview' | 'now'>): TimeWindow | null {
  if (overview === null || overview.first === null || overview.last === null) return null;
  return { from: overview.first.at, until: Math.max(overview.last.at, now ?? 0) };
}

/** Each backend that the log knows, those of the moment first. */
export function backendIdsOf({ overview, moment }: Pick<PageState, 'overview' | 'moment'>): string[] {
  return [
    ...new Set([
      ...(overview?.backends ?? []).map(({ backend }) => backend),
      ...(moment?.backends ?? []).map(({ id }) => id),
    ]),
  ];
}

const WORST_FIRST: readonly InspectedBackend['state'][] = [
  'unhealthy',
  'ejected',
  'draining',
  'drained',
  'healthy',
  'removed',
];

/** The backend whose chart is shown large. */
export function selectedBackend({ chosen, moment }: PageState): InspectedBackend | undefined {
  const backends = moment?.backends ?? [];
  const own = backends.find(({ id }) => id === chosen);
  if (own !== undefined) return own;
  return WORST_FIRST.flatMap((state) => backends.filter((backend) => backend.state === state))[0];
}

/** Entries that have come since the moment shown, while it does not follow. */
export function behindEnd({ overview, moment, mode }: PageState): number {
  if (mode === 'following' || overview?.last == null || moment === null) return 0;
  return Math.max(0, overview.last.seq - moment.seq);
}
