/** What is under the pointer on the timeline, in words beside it. */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { Overview } from '../../api.ts';
import { spanAt } from '../model/bands.ts';
import { atOf, type TimeWindow } from '../model/time-window.ts';
import type { Strip, TimelineLayout } from '../model/timeline-layout.ts';
import { counted, preciseClock, rate } from '../model/words.ts';
import type { Context } from './context.ts';
import { vars } from './vars.ts';

/** So wide may the words become; further to the right they stand on the left of the pointer. */
const WIDTH = 260;

export function readout(
  context: Context,
  layout: TimelineLayout,
  shown: TimeWindow,
): TemplateResult | typeof nothing {
  const { hover, overview } = context.state;
  if (hover === null || overview === null) return nothing;
  const at = atOf(hover.x, shown, layout.plotWidth);
  const isAtRight = hover.x > layout.plotWidth - WIDTH;
  return html`<div
    class="readout ${isAtRight ? 'at-right' : ''}"
    aria-hidden="true"
    ${vars({ '--x': `${hover.x}px`, '--y': `${hover.y}px` })}
  >
    <b>${preciseClock(at)}</b>
    ${wordsAt(context, overview, layout, at, hover.y).map((words) => html`<span>${words}</span>`)}
  </div>`;
}

function wordsAt(
  { ids }: Context,
  overview: Overview,
  layout: TimelineLayout,
  at: number,
  y: number,
): string[] {
  if (isIn(layout.bands, y)) {
    const id = ids[Math.floor((y - layout.bands.top) / layout.rowHeight)];
    const band = overview.backends.find(({ backend }) => backend === id);
    const span = band === undefined ? undefined : spanAt(band, at);
    return span === undefined || id === undefined ? [] : [`${id} ${span.state}`, span.reason];
  }
  const { rates } = overview;
  const bucket = Math.floor((at - rates.from) / rates.bucketMs);
  const perSecond = (values: readonly number[] = []) => ((values[bucket] ?? 0) * 1000) / rates.bucketMs;
  if (isIn(layout.rates, y)) {
    const placed = ids
      .map((id) => ({ id, value: perSecond(rates.placed[id]) }))
      .filter(({ value }) => value > 0);
    const sum = placed.reduce((total, { value }) => total + value, 0);
    const most = placed.toSorted((one, other) => other.value - one.value).slice(0, 6);
    return [`${rate(sum)} requests/s`, ...most.map(({ id, value }) => `${id}: ${rate(value)}`)];
  }
  if (isIn(layout.failures, y)) {
    return [`${rate(perSecond(rates.failed))} failed/s`, `${rate(perSecond(rates.rejected))} rejected/s`];
  }
  if (isIn(layout.waiting, y)) return [`${counted(rates.waiting[bucket] ?? 0, 'request')} in line at most`];
  return [];
}

function isIn({ top, height }: Strip, y: number): boolean {
  return y >= top && y < top + height;
}
