/** The whole page, top to bottom. */
import { html, nothing, type SVGTemplateResult, svg, type TemplateResult } from 'lit-html';
import type { Context } from './context.ts';
import { dialogs } from './dialogs.ts';
import { events } from './events.ts';
import { header, notes } from './header.ts';
import { legend } from './legend.ts';
import { machines } from './machines.ts';
import { pool } from './pool.ts';
import { request } from './request.ts';
import { selector } from './selector.ts';
import { timeline } from './timeline.ts';
import { transport } from './transport.ts';

export function app(context: Context): TemplateResult {
  const { state } = context;
  return html`${definitions()} ${header(context)} ${notes(context)}
    <main>
      ${timeline(context)} ${transport(context)} ${legend()} ${phase(context)}
      <div class="panels">
        ${request(context)} ${machines(context)} ${selector(context)} ${pool(context)} ${events(context)}
      </div>
    </main>
    ${dialogs(context)}
    <p class="notice ${state.notice === '' ? 'hidden' : ''}" role="status">${state.notice}</p>
    <p class="hidden" role="status" id="spoken">${state.spoken}</p>`;
}

function phase({ state: { moment } }: Context): TemplateResult | typeof nothing {
  if (moment === null || moment.phase === 'running') return nothing;
  return html`<p class="phase">
    ${moment.phase === 'stopping' ? 'At this moment the gateway is stopping: it finishes what is in flight.' : 'At this moment the gateway has stopped.'}
  </p>`;
}

/** Patterns and arrow heads that the pictures refer to. Each state has a pattern of its own, beside its colour. */
function definitions(): TemplateResult {
  return html`<svg class="definitions" width="0" height="0" aria-hidden="true" focusable="false">
    <defs>
      ${pattern('healthy', svg``)} ${pattern('removed', svg``)}
      ${pattern('unhealthy', svg`<path d="M-2 2 2-2M0 8 8 0M6 10l4-4" />`)}
      ${pattern('ejected', svg`<path d="M0 6 4 2 8 6" />`)}
      ${pattern('draining', svg`<path d="M0 2h8M0 6h8" />`)}
      ${pattern('drained', svg`<path d="M2 0v8M6 0v8" />`)}
      ${pattern('unknown', svg`<circle cx="2" cy="2" r="1" /><circle cx="6" cy="6" r="1" />`)}
      ${pattern('rejected', svg`<path d="M0 2h8M0 6h8" />`)}
      ${['', '-lit', '-message', '-bad'].map(arrowHead)}
    </defs>
  </svg>`;
}

function pattern(name: string, lines: SVGTemplateResult): SVGTemplateResult {
  return svg`<pattern id="fill-${name}" class="fill-${name}" width="8" height="8" patternUnits="userSpaceOnUse">
    <rect width="8" height="8" />${lines}
  </pattern>`;
}

function arrowHead(kind: string): SVGTemplateResult {
  return svg`<marker
    id="arrow${kind}"
    class="arrow${kind}"
    viewBox="0 0 8 8"
    refX="7"
    refY="4"
    markerWidth="7"
    markerHeight="7"
    markerUnits="userSpaceOnUse"
    orient="auto-start-reverse"
  ><path d="M0 .8 7.4 4 0 7.2z" /></marker>`;
}
