/** A long wait is mostly others getting their turn; a run of such lines is told by its first, its last and a count. */
import type { LifeEvent } from '../../actors/explain/life.ts';

/** An event of a timeline, or how many like it were left out between the one before and the one after. */
export type Told =
  | { readonly event: LifeEvent }
  | { readonly leftOut: number; readonly what: 'served' | 'left' | 'rejected' };

/** Runs up to this long are told in full. */
const SHORT_RUN = 4;

/** @returns the timeline with the middle of each long run of the same change in the line left out */
export function shortenLineRuns(timeline: readonly LifeEvent[]): Told[] {
  const told: Told[] = [];
  for (let index = 0; index < timeline.length; ) {
    const run = runFrom(timeline, index);
    const [first] = run;
    const last = run.at(-1);
    if (first === undefined || last === undefined) break;
    const what = kindOf(first);
    if (run.length <= SHORT_RUN || what === undefined) told.push(...run.map((event) => ({ event })));
    else told.push({ event: first }, { leftOut: run.length - 2, what }, { event: last });
    index += run.length;
  }
  return told;
}

function runFrom(timeline: readonly LifeEvent[], start: number): LifeEvent[] {
  const first = timeline[start];
  if (first === undefined) return [];
  const what = kindOf(first);
  if (what === undefined) return [first];
  let end = start + 1;
  for (let next = timeline[end]; next !== undefined && kindOf(next) === what; next = timeline[end]) end += 1;
  return timeline.slice(start, end);
}

/** How the line in front has become shorter, if that is what the event tells. */
function kindOf(event: LifeEvent): 'served' | 'left' | 'rejected' | undefined {
  if (event.type !== 'line' || event.what === 'overtook' || event.what === 'returned') return undefined;
  return event.what;
}
