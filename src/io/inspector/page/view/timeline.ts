/** The timeline: its picture, the line and the slider over it, and what the pointer does there. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { guard } from 'lit-html/directives/guard.js';
import { live } from 'lit-html/directives/live.js';
import { atOf, panned, type TimeWindow, xOf, zoomed } from '../model/time-window.ts';
import { layoutOf, type TimelineLayout } from '../model/timeline-layout.ts';
import { clockBeside, duration, preciseClock } from '../model/words.ts';
import type { Context } from './context.ts';
import { empty } from './parts.ts';
import { readout } from './readout.ts';
import { timelinePicture } from './timeline-picture.ts';
import { vars } from './vars.ts';

/** How much of the shown time one press of an arrow key moves the slider. */
const SLIDER_STEPS = 400;
const WHEEL_ZOOM = 1.0015;

export function timeline(context: Context): TemplateResult {
  const { state, shown } = context;
  const isKnown = state.overview !== null && shown !== null && state.width > 0;
  // One element whatever it holds, since its width is watched.
  return html`<section class="timeline" aria-label="Timeline" id="timeline">
    ${isKnown ? plot(context, shown) : empty(waitingWords(context))}
  </section>`;
}

function plot(context: Context, shown: TimeWindow): TemplateResult {
  const { state, ids } = context;
  const { overview, width, chosen } = state;
  const layout = layoutOf(width, ids.length);
  return html`<div
    class="plot"
    ${vars({ '--gutter': `${layout.gutter}px`, '--plot-width': `${layout.plotWidth}px`, '--plot-height': `${layout.height}px` })}
  >
    ${guard([overview, shown.from, shown.until, width, chosen], () => timelinePicture(context, layout, shown))}
    <div
      class="surface"
      @pointerdown=${(event: PointerEvent) => press(event, context)}
      @pointermove=${(event: PointerEvent) => drag(event, context)}
      @pointerleave=${() => context.actions.hover(null)}
      @wheel=${{ handleEvent: (event: WheelEvent) => turn(event, context), passive: false }}
    ></div>
    ${cursorLine(context, layout, shown)} ${slider(context, shown)} ${readout(context, layout, shown)}
  </div>`;
}

function waitingWords({ state: { overview, trouble } }: Context): string {
  if (overview === null) return trouble === '' ? 'Waiting for the first answer …' : 'Nothing is known yet.';
  return overview.notes.length > 0
    ? 'There is no history of which a timeline could be drawn.'
    : 'Nothing is recorded yet. The timeline begins with the first entry.';
}

function cursorLine({ state: { cursor } }: Context, layout: TimelineLayout, shown: TimeWindow) {
  if (cursor === null || cursor < shown.from || cursor > shown.until) return nothing;
  return html`<div class="cursor" ${vars({ '--x': `${xOf(cursor, shown, layout.plotWidth)}px` })}></div>`;
}

function slider({ state: { cursor }, actions, asOf }: Context, shown: TimeWindow): TemplateResult {
  const at = cursor ?? shown.until;
  const place = Math.min(shown.until, Math.max(shown.from, at));
  return html`<input
    class="slider"
    type="range"
    aria-label="Time"
    aria-valuetext=${`${clockBeside(at, asOf)}, ${duration(shown.until - at)} before the right edge`}
    min=${shown.from}
    max=${shown.until}
    step=${Math.max(1, (shown.until - shown.from) / SLIDER_STEPS)}
    .value=${live(String(place))}
    title=${preciseClock(at)}
    @input=${(event: InputEvent) => actions.goTo({ at: Number((event.target as HTMLInputElement).value) })}
  />`;
}

function pointerAt(event: MouseEvent, shown: TimeWindow): { at: number; x: number; y: number } {
  const box = (event.currentTarget as Element).getBoundingClientRect();
  const x = event.clientX - box.left;
  return { at: atOf(x, shown, box.width), x, y: event.clientY - box.top };
}

/** Marks lie above the surface and have clicks of their own; anywhere else a press moves the slider. */
function press(event: PointerEvent, { actions, shown }: Context): void {
  if (event.button !== 0 || shown === null) return;
  (event.currentTarget as Element).setPointerCapture(event.pointerId);
  actions.goTo({ at: pointerAt(event, shown).at });
}

function drag(event: PointerEvent, { actions, shown }: Context): void {
  if (shown === null) return;
  const { at, x, y } = pointerAt(event, shown);
  if ((event.currentTarget as Element).hasPointerCapture(event.pointerId)) actions.goTo({ at });
  else if (event.pointerType === 'mouse') actions.hover({ x, y });
}

/**
 * Sideways, or with Shift, pans; with Ctrl (which is also what a pinch on a touchpad sends) zooms. A plain turn scrolls the
 * page, as it does everywhere else.
 */
function turn(event: WheelEvent, { actions, shown, bounds }: Context): void {
  if (shown === null || bounds === null) return;
  const sideways = event.shiftKey ? event.deltaY + event.deltaX : event.deltaX;
  if (event.ctrlKey || event.metaKey || event.altKey) {
    event.preventDefault();
    actions.view(zoomed(shown, bounds, WHEEL_ZOOM ** event.deltaY, pointerAt(event, shown).at));
  } else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
    event.preventDefault();
    actions.view(panned(shown, bounds, sideways / (event.currentTarget as Element).clientWidth));
  }
}
