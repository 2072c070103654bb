/** Beneath the bands: requests per second of each backend one upon the other, what failed, and how many were in line. */
import { nothing, type SVGTemplateResult, svg } from 'lit-html';
import type { Overview, Rates } from '../../api.ts';
import { identityOf } from '../model/identity.ts';
import { areaOf, type Column, columnsOf, greatest, niceCeiling, stacked, sumOf } from '../model/rates.ts';
import type { TimeWindow } from '../model/time-window.ts';
import type { Strip, TimelineLayout } from '../model/timeline-layout.ts';
import { grouped, rate } from '../model/words.ts';
import type { Context } from './context.ts';

/** More areas cannot be told apart; then the sum is shown, and the share of the chosen backend in it. */
const MOST_AREAS = 8;

type Layer = { readonly name: string; readonly className: string; readonly d: string };

export function rateAreas(
  context: Context,
  { rates }: Overview,
  layout: TimelineLayout,
  shown: TimeWindow,
): SVGTemplateResult {
  const { gutter, plotWidth } = layout;
  const columns = (values: readonly number[], scale: 'perSecond' | 'count' = 'perSecond') =>
    columnsOf(values, rates, shown, plotWidth, scale);
  const ceiling = niceCeiling(greatest(columns(sumOf(Object.values(rates.placed)))));
  const { top, height } = layout.rates;
  return svg`<g class="rates">
    <line class="base" x1=${gutter} x2=${gutter + plotWidth} y1=${top + height} y2=${top + height} />
    <g transform="translate(${gutter} ${top})">
      ${layersOf(context, rates, columns, ceiling, height).map(
        ({ name, className, d }) => svg`<path class="area ${className}" d=${d}><title>${name}</title></path>`,
      )}
    </g>
    ${caption(layout, layout.rates, 'requests/s', rate(ceiling))}
    ${failureBars(layout, columns(rates.failed), columns(rates.rejected))}
    ${waitingLine(layout, columns(rates.waiting, 'count'))}
  </g>`;
}

function layersOf(
  { ids, identities, state }: Context,
  { placed }: Rates,
  columns: (values: readonly number[]) => Column[],
  ceiling: number,
  height: number,
): Layer[] {
  if (ids.length > MOST_AREAS) {
    const all = columns(sumOf(Object.values(placed)));
    const layers = [{ name: 'all backends', className: 'all', d: areaOf(null, all, ceiling, height) }];
    const own = state.chosen === null ? undefined : placed[state.chosen];
    if (own === undefined || state.chosen === null) return layers;
    const { colour } = identityOf(identities, state.chosen);
    const d = areaOf(null, columns(own), ceiling, height);
    return [...layers, { name: state.chosen, className: `colour-${colour}`, d }];
  }
  let below: Column[] | null = null;
  return ids.map((id) => {
    const upper: Column[] = stacked(below, columns(placed[id] ?? []));
    const d = areaOf(below, upper, ceiling, height);
    if (upper.length > 0) below = upper;
    return { name: id, className: `colour-${identityOf(identities, id).colour}`, d };
  });
}

function failureBars(
  layout: TimelineLayout,
  failed: readonly Column[],
  rejected: readonly Column[],
): SVGTemplateResult {
  const { top, height } = layout.failures;
  const total = stacked(failed, rejected);
  const most = greatest(total);
  const ceiling = niceCeiling(most);
  return svg`<g class="failures">
    <line class="base" x1=${layout.gutter} x2=${layout.gutter + layout.plotWidth} y1=${top + height} y2=${top + height} />
    <g transform="translate(${layout.gutter} ${top})">
      <path class="area rejected" fill="url(#fill-rejected)" d=${areaOf(failed, total, ceiling, height)}><title>rejected</title></path>
      <path class="area failed" d=${areaOf(null, failed, ceiling, height)}><title>failed</title></path>
    </g>
    ${caption(layout, layout.failures, 'failed/s', most === 0 ? '' : rate(ceiling))}
  </g>`;
}

function waitingLine(layout: TimelineLayout, waiting: readonly Column[]): SVGTemplateResult {
  const { top, height } = layout.waiting;
  const most = greatest(waiting);
  const ceiling = niceCeiling(most);
  return svg`<g class="waiting">
    <line class="base" x1=${layout.gutter} x2=${layout.gutter + layout.plotWidth} y1=${top + height} y2=${top + height} />
    <path
      class="area in-line"
      transform="translate(${layout.gutter} ${top})"
      d=${areaOf(null, waiting, ceiling, height)}
    ><title>requests in line, at most</title></path>
    ${caption(layout, layout.waiting, 'in line', most === 0 ? '' : grouped(ceiling))}
  </g>`;
}

/** The name of a strip on the left, and the value at its top. */
function caption({ gutter }: TimelineLayout, { top, height }: Strip, name: string, ceiling: string) {
  if (gutter < 60) return nothing;
  const isLow = height < 30;
  return svg`<g class="caption" aria-hidden="true">
    <text x="4" y=${isLow ? top + height / 2 + 4 : top + 10}>${name}</text>
    <text x=${gutter - 6} y=${isLow ? top + height / 2 + 4 : top + 10} text-anchor="end">${ceiling}</text>
  </g>`;
}
