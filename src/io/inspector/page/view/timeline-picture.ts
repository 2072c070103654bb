/** The picture of the timeline: states as bands, requests per second beneath, and the marks above. */
import { html, nothing, type SVGTemplateResult, svg, type TemplateResult } from 'lit-html';
import type { Band, Overview, Span } from '../../api.ts';
import { boxesOf } from '../model/bands.ts';
import { identityOf } from '../model/identity.ts';
import { groupMarks, MARK_NAMES } from '../model/marks.ts';
import { ticksOf } from '../model/ticks.ts';
import { type TimeWindow, xOf } from '../model/time-window.ts';
import { labelledRows, type TimelineLayout } from '../model/timeline-layout.ts';
import { clock, counted, duration, shorten } from '../model/words.ts';
import type { Context } from './context.ts';
import { markShape } from './mark-shape.ts';
import { rateAreas } from './rate-areas.ts';

const MARKS_APART = 13;
const TICK_WIDTH = 72;
const LABEL_CHARACTERS = 15;
/** A row in one of these has its name, even where not all do. */
const TROUBLE: ReadonlySet<Span['state']> = new Set(['unhealthy', 'ejected', 'draining', 'drained']);

export function timelinePicture(context: Context, layout: TimelineLayout, shown: TimeWindow): TemplateResult {
  const { overview } = context.state;
  if (overview === null) return html``;
  return html`<svg
    class="picture"
    width=${layout.gutter + layout.plotWidth + 14}
    height=${layout.height}
    role="group"
    aria-label=${describe(overview, shown)}
  >
    ${axis(layout, shown)} ${bandRows(context, overview, layout, shown)}
    ${rateAreas(context, overview, layout, shown)} ${markRow(context, overview, layout, shown)}
  </svg>`;
}

function describe({ backends }: Overview, { from, until }: TimeWindow): string {
  return `${counted(backends.length, 'backend')} from ${clock(from)} to ${clock(until)}, ${duration(until - from)}`;
}

function axis({ gutter, plotWidth, axis, bands }: TimelineLayout, shown: TimeWindow): SVGTemplateResult {
  const ticks = ticksOf(shown, Math.floor(plotWidth / TICK_WIDTH));
  return svg`<g class="axis" aria-hidden="true">
    ${ticks.map(({ at, label }) => {
      const x = gutter + xOf(at, shown, plotWidth);
      // A label at either edge would be cut off.
      const isAtEdge = x < gutter + 24 || x > gutter + plotWidth - 24;
      return svg`<line class="grid" x1=${x} x2=${x} y1=${bands.top} y2=${axis.top} />
        ${isAtEdge ? nothing : svg`<text x=${x} y=${axis.top + 13} text-anchor="middle">${label}</text>`}`;
    })}
  </g>`;
}

function bandRows(
  context: Context,
  overview: Overview,
  layout: TimelineLayout,
  shown: TimeWindow,
): SVGTemplateResult {
  const { bands, rowHeight } = layout;
  const rows = context.ids.map((id) => ({ id, band: bandOf(overview, id) }));
  const labelled = labelledRows(
    rows.map(({ id, band }) => ({
      matters: id === context.state.chosen || band.spans.some(({ state }) => TROUBLE.has(state)),
    })),
    rowHeight,
  );
  return svg`<g class="bands">
    ${rows.map(({ id, band }, index) => {
      const top = bands.top + index * rowHeight;
      return svg`<g class=${id === context.state.chosen ? 'row chosen' : 'row'} data-backend=${id}>
        ${bandBoxes(band, layout, shown, top)}
        ${labelled.has(index) ? rowLabel(context, id, layout, top) : nothing}
      </g>`;
    })}
  </g>`;
}

function bandOf({ backends }: Overview, id: string): Band {
  return backends.find(({ backend }) => backend === id) ?? { backend: id, spans: [] };
}

/** Rows at least so high have a box for each span; in lower ones all spans of a state are one shape. */
const BOX_HEIGHT = 10;

/** Trouble is drawn higher than health, so that it stands out without its colour as well. */
function bandBoxes(
  band: Band,
  { gutter, plotWidth, rowHeight }: TimelineLayout,
  shown: TimeWindow,
  top: number,
): SVGTemplateResult[] {
  const boxes = boxesOf(band, shown, plotWidth);
  const placeOf = (state: Span['state']) => {
    const isWell = state === 'healthy' || state === 'removed' || state === 'unknown';
    const height = Math.max(3, Math.round(rowHeight * (isWell ? 0.4 : 0.76)));
    return { y: top + (rowHeight - height) / 2, height };
  };
  if (rowHeight >= BOX_HEIGHT) {
    return boxes.map(({ x, width, span: { state } }) => {
      const { y, height } = placeOf(state);
      const rx = Math.min(2, width / 2);
      return svg`<rect class="band state-${state}" fill="url(#fill-${state})" x=${gutter + x} y=${y} width=${width} height=${height} rx=${rx} />`;
    });
  }
  return [...Map.groupBy(boxes, ({ span }) => span.state)].map(([state, group]) => {
    const { y, height } = placeOf(state);
    const d = group.map(
      ({ x, width }) => `M${round(gutter + x)} ${y}h${round(width)}v${height}h${round(-width)}z`,
    );
    return svg`<path class="band state-${state}" fill="url(#fill-${state})" d=${d.join('')} />`;
  });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function rowLabel(
  { identities, actions }: Context,
  id: string,
  { gutter, rowHeight }: TimelineLayout,
  top: number,
): SVGTemplateResult {
  const { letter, colour } = identityOf(identities, id);
  const middle = top + rowHeight / 2;
  const size = Math.min(15, Math.max(12, rowHeight - 4));
  const isNarrow = gutter < 60;
  const textWidth = Math.max(size, letter.length * 8 + 4);
  return svg`<g class="name" @click=${() => actions.choose(id)}>
    <rect class="letter-box colour-${colour}" x="4" y=${middle - size / 2} width=${textWidth} height=${size} rx="3" />
    <text class="letter" x=${4 + textWidth / 2} y=${middle + 3.5} text-anchor="middle">${letter}</text>
    ${isNarrow ? nothing : svg`<text class="id" x=${10 + textWidth} y=${middle + 4}>${shorten(id, LABEL_CHARACTERS)}</text>`}
    <title>${id}</title>
  </g>`;
}

function markRow(
  { actions }: Context,
  { marks }: Overview,
  { gutter, plotWidth, marks: strip, axis }: TimelineLayout,
  shown: TimeWindow,
): SVGTemplateResult {
  const middle = strip.top + strip.height / 2;
  return svg`<g class="marks">
    ${groupMarks(marks, shown, plotWidth, MARKS_APART).map(({ x, mark, count, title }) => {
      const name = `${MARK_NAMES[mark.kind]} ${mark.backend ?? ''}, ${clock(mark.at)}${count > 1 ? ` and ${count - 1} more` : ''}`;
      return svg`<g
        class="mark mark-${mark.kind}"
        transform="translate(${gutter + x} ${middle})"
        role="img"
        aria-label=${name}
        data-seq=${mark.seq}
        @click=${() => actions.goTo({ seq: mark.seq })}
      >
        <line class="stem" y1="7" y2=${axis.top - middle} />
        <rect class="target" x="-7" y="-9" width="14" height="18" />
        ${markShape(mark.kind)}
        ${count > 1 ? svg`<circle class="more" cx="6" cy="-6" r="2.2" />` : nothing}
        <title>${title}</title>
      </g>`;
    })}
  </g>`;
}
