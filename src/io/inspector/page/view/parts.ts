/** Small pieces that several panels share. */
import { html, nothing, svg, type TemplateResult } from 'lit-html';
import type { Span } from '../../api.ts';
import type { Identity } from '../model/identity.ts';

/** The mark of a backend: its letter on its colour. */
export function badge({ letter, colour, pattern }: Identity): TemplateResult {
  return html`<span class="badge colour-${colour} pattern-${pattern}" aria-hidden="true">${letter}</span>`;
}

/** A state as a word with its sign. */
export function stateChip(state: Span['state']): TemplateResult {
  return html`<span class="chip state-${state}">${stateSign(state)}<span>${state}</span></span>`;
}

const SIGNS: Readonly<Record<Span['state'], string>> = {
  healthy: 'M3 8.5 6.5 12 13 4.5',
  unhealthy: 'M4 4l8 8M12 4l-8 8',
  ejected: 'M8 12V4M4.5 7.5 8 4l3.5 3.5M3.5 13.5h9',
  draining: 'M8 3v8M4.5 8 8 11.5 11.5 8',
  drained: 'M3.5 8h9',
  removed: 'M3.5 12.5l9-9',
  unknown: 'M6 6a2 2 0 1 1 2.6 2Q8 8.3 8 9.4M8 12v.2',
};

/** Tells the state by its shape, for those who do not see its colour. */
function stateSign(state: Span['state']): TemplateResult {
  return html`<svg class="sign" viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
    <path d=${SIGNS[state]} />
  </svg>`;
}

/** A button with a drawing, and the name that is read out and shown on hovering. */
export function iconButton(options: {
  readonly name: string;
  readonly icon: keyof typeof ICONS;
  readonly onClick: () => void;
  readonly key?: string;
  readonly isDisabled?: boolean;
  readonly className?: string;
}): TemplateResult {
  const { name, icon, onClick, key, isDisabled = false, className = '' } = options;
  return html`<button
    type="button"
    class="icon ${className}"
    aria-label=${name}
    title=${key === undefined ? name : `${name} (${key})`}
    ?disabled=${isDisabled}
    @click=${onClick}
  >
    ${iconOf(icon)}
  </button>`;
}

const ICONS = {
  play: svg`<path class="solid" d="M4.5 2.5v11l9-5.5z" />`,
  pause: svg`<path class="solid" d="M4 3h3v10H4zM9 3h3v10H9z" />`,
  back: svg`<path d="M10 3.5 5.5 8l4.5 4.5" />`,
  forward: svg`<path d="M6 3.5 10.5 8 6 12.5" />`,
  previousChange: svg`<path d="M12.5 3.5 8 8l4.5 4.5M7.5 3.5 3 8l4.5 4.5" />`,
  nextChange: svg`<path d="M3.5 3.5 8 8l-4.5 4.5M8.5 3.5 13 8l-4.5 4.5" />`,
  zoomIn: svg`<path d="M8 3v10M3 8h10" />`,
  zoomOut: svg`<path d="M3 8h10" />`,
  close: svg`<path d="M4 4l8 8M12 4l-8 8" />`,
  search: svg`<circle cx="7" cy="7" r="4" /><path d="m10 10 3.5 3.5" />`,
  help: svg`<path d="M5.5 6a2.5 2.5 0 1 1 3.4 2.3Q8 8.7 8 10M8 12.6v.2" />`,
} as const;

function iconOf(icon: keyof typeof ICONS): TemplateResult {
  return html`<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">${ICONS[icon]}</svg>`;
}

/** A counter running towards its threshold, as segments and as words. */
export function counter(options: {
  readonly count: number;
  readonly threshold: number;
  readonly of: string;
  readonly tone: 'bad' | 'good';
}): TemplateResult {
  const { count, threshold, of, tone } = options;
  const reached = Math.min(count, threshold);
  // Beyond a dozen, segments are too thin to be counted; the words tell.
  const segments = Math.min(threshold, 12);
  const lit = Math.round((reached / threshold) * segments);
  return html`<span class="counter ${tone}">
    <span class="segments" aria-hidden="true">
      ${Array.from({ length: segments }, (_, index) => html`<i class=${index < lit ? 'lit' : ''}></i>`)}
    </span>
    <span>${reached} of ${threshold} ${of}${count > threshold ? html` <small>(${count} in a row)</small>` : nothing}</span>
  </span>`;
}

/** What is said where there is nothing to show. */
export function empty(words: string): TemplateResult {
  return html`<p class="empty">${words}</p>`;
}
