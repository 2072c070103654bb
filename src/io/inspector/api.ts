/**
 * What the inspector's page asks for and what it gets: the contract between the page in `page/` and the server beside
 * it. A live gateway and a recorded log are asked the same questions, since a live gateway is read from its log, too.
 *
 * Times are milliseconds since the epoch. Every answer is JSON and bounded, whatever the length of the log.
 *
 *     GET /inspector/api/overview?buckets=N       -> Overview   (with from=TIME&until=TIME its rates are of that time only)
 *     GET /inspector/api/moment?seq=N | at=TIME   -> Moment     (neither: the end of what is known)
 *     GET /inspector/api/entries?...              -> EntryPage  (see EntryQuery)
 *     GET /inspector/api/step?seq=N&to=...        -> StepTarget (the seq of the next or previous entry or state change)
 *     GET /inspector/api/request?id=ID            -> RequestStory
 *     GET /inspector/api/chart                    -> Chart
 */
import type { Entry } from '../../actors/events.ts';
import type { BackendView } from '../../actors/view.ts';

/** A point of the log. */
export type Instant = { readonly seq: number; readonly at: number };

export type Overview = {
  readonly source: {
    readonly kind: 'live' | 'recording';
    /** What is shown, such as the address of the gateway or the folder of the log. */
    readonly title: string;
    readonly version: string;
    /** Whether drain, restore and reload can be asked for. */
    readonly canChange: boolean;
  };
  /** How much of the log has been read; a long one is shown while it is still being read. */
  readonly progress: { readonly entries: number; readonly bytes: number; readonly bytesTotal: number };
  readonly first: Instant | null;
  readonly last: Instant | null;
  /** What is wrong with the log or its recording, in words; empty if all is well. */
  readonly notes: readonly string[];
  readonly backends: readonly Band[];
  readonly rates: Rates;
  readonly marks: readonly Mark[];
};

/** The states of one backend over time. */
export type Band = { readonly backend: string; readonly spans: readonly Span[] };

export type Span = {
  readonly from: number;
  readonly until: number;
  /** `unknown` where the log has a gap or the gateway did not run. */
  readonly state: BackendView['state'] | 'unknown';
  readonly reason: string;
  /** The entry with which it began. */
  readonly seq: number;
};

/** Counts per bucket of time; bucket `i` covers `from + i * bucketMs` up to the next. */
export type Rates = {
  readonly from: number;
  readonly bucketMs: number;
  /** Requests that were placed on each backend. */
  readonly placed: Readonly<Record<string, readonly number[]>>;
  readonly rejected: readonly number[];
  readonly failed: readonly number[];
  /** Greatest number of requests in line. */
  readonly waiting: readonly number[];
};

export type MarkKind =
  | 'started'
  | 'stopped'
  | 'reloaded'
  | 'reloadRefused'
  | 'drained'
  | 'restored'
  | 'fell'
  | 'rose'
  | 'gap';

/** Something worth finding again. At most a few thousand are sent, the rarer kinds first. */
export type Mark = Instant & { readonly kind: MarkKind; readonly backend?: string; readonly text: string };

/** The state of everything after one entry. */
export type Moment = Instant & {
  readonly phase: 'running' | 'stopping' | 'stopped';
  readonly thresholds: { readonly fall: number; readonly rise: number };
  readonly backends: readonly InspectedBackend[];
  /** The last picks, oldest first, 200 at most. */
  readonly picks: readonly Pick[];
  /** The first requests in line, 50 at most, and how many there are. */
  readonly waiting: readonly { readonly request: number; readonly since: number }[];
  readonly waitingTotal: number;
  readonly inFlight: number;
  /** Requests received in the second before, and how many of them went to each backend. */
  readonly perSecond: { readonly received: number; readonly placed: Readonly<Record<string, number>> };
};

export type InspectedBackend = BackendView & {
  /** Since when it is in its state, and why. */
  readonly since: Instant | null;
  readonly reason: string;
  /** The last transition of its machine, also one that led back to the same state. */
  readonly lastTransition: Transition | null;
  /** The last that led to another state; null if it has been in the same one as far as is known. */
  readonly lastChange: Transition | null;
  /** Why the next request may go there, or may not. */
  readonly eligibility: 'eligible' | 'full' | 'unhealthy' | 'ejected' | 'draining' | 'drained' | 'removed';
};

/** What a backend's machine did on an event. */
export type Transition = Instant & { readonly event: string; readonly from: string; readonly to: string };

export type Pick = Instant & { readonly request: number; readonly backend: string };

export type EntryQuery = {
  /** Entries before or after this one; the last ones without either. */
  readonly before?: number;
  readonly after?: number;
  /** 500 at most. */
  readonly limit?: number;
  /** Only entries whose fact, or one of whose decisions, is of one of these types. */
  readonly types?: readonly string[];
  readonly backend?: string;
  readonly request?: number;
};

export type EntryPage = {
  /** Oldest first. */
  readonly entries: readonly Entry[];
  /** How far was looked: a rare kind may be further away than one answer looks. Ask again from there. */
  readonly searched: { readonly from: number; readonly until: number };
  readonly hasBefore: boolean;
  readonly hasAfter: boolean;
};

export type StepTo = 'nextEntry' | 'previousEntry' | 'nextChange' | 'previousChange';
/** Null where there is none in that direction. */
export type StepTarget = Instant | null;

/** What `reprise explain` says of a request. */
export type RequestStory = {
  readonly isFound: boolean;
  readonly lines: readonly string[];
  /** The entries in which the requests of this id arrived. */
  readonly arrivals: readonly Instant[];
};

/** A machine's definition, laid out: boxes and lines in one plane, whose unit is a pixel. */
export type Chart = {
  readonly machine: string;
  readonly width: number;
  readonly height: number;
  readonly states: readonly ChartState[];
  readonly transitions: readonly ChartTransition[];
};

export type ChartBox = {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
};

export type ChartState = ChartBox & {
  readonly id: string;
  readonly isInitial: boolean;
  readonly isFinal: boolean;
};

export type ChartTransition = {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly event: string;
  readonly guard: string | null;
  readonly actions: readonly string[];
  /** Corners of the line, from the edge of one box to the edge of the other. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly label: ChartBox;
};
