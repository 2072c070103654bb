/** What the colours, patterns and shapes of the timeline stand for. */
import { html, type TemplateResult } from 'lit-html';
import type { MarkKind, Span } from '../../api.ts';
import { MARK_NAMES } from '../model/marks.ts';
import { markShape } from './mark-shape.ts';
import { stateChip } from './parts.ts';

const STATES: readonly Span['state'][] = [
  'healthy',
  'unhealthy',
  'ejected',
  'draining',
  'drained',
  'removed',
  'unknown',
];

export function legend(): TemplateResult {
  const marks = Object.entries(MARK_NAMES) as [MarkKind, string][];
  return html`<details class="legend">
    <summary>Legend</summary>
    <ul>
      ${STATES.map(
        (state) => html`<li>
          <svg width="26" height="12" aria-hidden="true">
            <rect class="band" fill="url(#fill-${state})" y="1" width="26" height="10" rx="2" />
          </svg>
          ${stateChip(state)}
        </li>`,
      )}
      ${marks.map(
        ([kind, name]) => html`<li>
          <svg class="mark mark-${kind}" viewBox="-8 -8 16 16" width="16" height="16" aria-hidden="true">${markShape(kind)}</svg>
          ${name}
        </li>`,
      )}
    </ul>
  </details>`;
}
