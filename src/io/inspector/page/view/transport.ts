/** The controls of time: where the page stands, and how to get elsewhere. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { SPEEDS } from '../model/playback.ts';
import { behindEnd } from '../model/state.ts';
import { type View, WHOLE } from '../model/time-window.ts';
import { day, duration, grouped, preciseClock, zone } from '../model/words.ts';
import type { Context } from './context.ts';
import { iconButton } from './parts.ts';

export function transport(context: Context): TemplateResult {
  const { state, actions, bounds } = context;
  const { mode, moment, overview } = state;
  const isNothing = bounds === null;
  const button = (
    name: string,
    icon: Parameters<typeof iconButton>[0]['icon'],
    key: string,
    run: Parameters<typeof actions.run>[0],
  ) => iconButton({ name, icon, key, isDisabled: isNothing, onClick: () => actions.run(run) });
  return html`<div class="transport" role="toolbar" aria-label="Time">
    <div class="buttons">
      ${button('Previous state change', 'previousChange', 'Shift ←', 'previousChange')}
      ${button('Step back', 'back', '←', 'previousEntry')}
      ${
        mode === 'paused'
          ? button('Play', 'play', 'Space', 'playPause')
          : button('Pause', 'pause', 'Space', 'playPause')
      }
      ${button('Step forward', 'forward', '→', 'nextEntry')}
      ${button('Next state change', 'nextChange', 'Shift →', 'nextChange')}
    </div>
    ${speed(context)}
    <p class="where">
      ${
        moment === null
          ? nothing
          : html`<time>${preciseClock(state.cursor ?? moment.at)}</time>
            <span class="date">${day(moment.at)} ${zone(moment.at)}</span>
            <span class="seq">entry ${grouped(moment.seq)}</span>`
      }
    </p>
    ${zoomControls(context)}
    ${overview?.source.kind === 'live' ? liveButton(context) : nothing}
  </div>`;
}

function speed({ state, actions }: Context): TemplateResult {
  return html`<label class="speed">
    <span>Speed</span>
    <select @change=${(event: Event) => actions.speed(Number((event.target as HTMLSelectElement).value))}>
      ${SPEEDS.map((each) => html`<option value=${each} .selected=${each === state.speed}>${each}×</option>`)}
    </select>
  </label>`;
}

const MINUTE = 60_000;
const SPANS: readonly (readonly [string, number])[] = [
  ['1 min', MINUTE],
  ['5 min', 5 * MINUTE],
  ['1 h', 60 * MINUTE],
];

function zoomControls({ state, actions, bounds }: Context): TemplateResult | typeof nothing {
  if (bounds === null) return nothing;
  const whole = bounds.until - bounds.from;
  const { spanMs } = state.view;
  const choice = (name: string, view: View, isOn: boolean, says: string) => html`<button
    type="button"
    aria-pressed=${isOn}
    title=${says}
    @click=${() => actions.view(view)}
  >
    ${name}
  </button>`;
  const around = (span: number): View => ({
    spanMs: span,
    until: state.mode === 'following' ? null : (state.cursor ?? bounds.until) + span / 2,
  });
  return html`<div class="zoom" role="group" aria-label="How much time is shown">
    ${SPANS.filter(([, span]) => span < whole).map(([name, span]) =>
      choice(name, around(span), spanMs === span, `Show ${name}`),
    )}
    ${choice('All', WHOLE, spanMs === null || spanMs >= whole, `Show all of it, ${duration(whole)} (0)`)}
    ${iconButton({ name: 'Zoom out', icon: 'zoomOut', key: '−, or Ctrl and wheel', onClick: () => actions.run('zoomOut') })}
    ${iconButton({ name: 'Zoom in', icon: 'zoomIn', key: '+, or Ctrl and wheel', onClick: () => actions.run('zoomIn') })}
  </div>`;
}

function liveButton({ state, actions }: Context): TemplateResult {
  const isOn = state.mode === 'following';
  const behind = behindEnd(state);
  const words = isOn ? 'Live' : behind === 0 ? 'Go live' : `Go live, ${grouped(behind)} entries since`;
  return html`<button
    type="button"
    class="live ${isOn ? 'on' : ''}"
    aria-pressed=${isOn}
    title=${isOn ? 'What is shown follows the gateway' : 'Follow the gateway (End)'}
    @click=${() => actions.run('toEnd')}
  >
    <i aria-hidden="true"></i>${words}
  </button>`;
}
