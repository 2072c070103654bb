/**
 * The stretch of time that the timeline shows, and what can be done to it: zoom, pan, follow the end. All times are
 * milliseconds since the epoch.
 */

export type TimeWindow = { readonly from: number; readonly until: number };

/** What the reader asked for; the window follows from it and from how far the log goes. */
export type View = {
  /** How much time is shown; null shows all of it. */
  readonly spanMs: number | null;
  /** The right edge; null keeps it at the end. */
  readonly until: number | null;
};

export const WHOLE: View = { spanMs: null, until: null };

/** Less cannot be told apart, since the log's clock counts milliseconds. */
const MIN_SPAN_MS = 20;

/** @returns the window to draw: never beyond what is known, and never empty */
export function windowOf(view: View, bounds: TimeWindow): TimeWindow {
  const whole = Math.max(MIN_SPAN_MS, bounds.until - bounds.from);
  const spanMs = Math.max(MIN_SPAN_MS, Math.min(view.spanMs ?? whole, whole));
  const lowest = bounds.from + spanMs;
  const highest = Math.max(lowest, bounds.until);
  const until = Math.min(highest, Math.max(lowest, view.until ?? highest));
  return { from: until - spanMs, until };
}

/**
 * @param factor below 1 shows less time, above 1 more
 * @param around a time that stays where it is on the screen
 */
export function zoomed(shown: TimeWindow, bounds: TimeWindow, factor: number, around: number): View {
  const before = shown.until - shown.from;
  const whole = bounds.until - bounds.from;
  const spanMs = Math.max(MIN_SPAN_MS, before * factor);
  if (spanMs >= whole) return WHOLE;
  const share = (Math.min(shown.until, Math.max(shown.from, around)) - shown.from) / before;
  const until = around + (1 - share) * spanMs;
  return atEnd({ spanMs, until }, bounds);
}

/** @param share of the window's width; negative goes back in time */
export function panned(shown: TimeWindow, bounds: TimeWindow, share: number): View {
  const spanMs = shown.until - shown.from;
  const { until } = windowOf({ spanMs, until: shown.until + share * spanMs }, bounds);
  return atEnd({ spanMs, until }, bounds);
}

/** Moves the view only as far as needed to show a time, with some room in the direction it came from. */
export function showing(view: View, bounds: TimeWindow, at: number): View {
  if (view.spanMs === null) return view;
  const shown = windowOf(view, bounds);
  if (at >= shown.from && at <= shown.until) return view;
  const spanMs = shown.until - shown.from;
  const until = at < shown.from ? at + spanMs * 0.9 : at + spanMs * 0.1;
  return atEnd({ spanMs, until }, bounds);
}

/** A view that touches the end sticks to it. */
function atEnd(view: { spanMs: number; until: number }, bounds: TimeWindow): View {
  return view.until >= bounds.until ? { ...view, until: null } : view;
}

export function xOf(at: number, { from, until }: TimeWindow, width: number): number {
  return ((at - from) / (until - from)) * width;
}

export function atOf(x: number, { from, until }: TimeWindow, width: number): number {
  return from + (Math.min(width, Math.max(0, x)) / width) * (until - from);
}
