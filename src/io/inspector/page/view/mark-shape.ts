/** The shape of each kind of mark, around the origin; told apart without colour. */
import { type SVGTemplateResult, svg } from 'lit-html';
import type { MarkKind } from '../../api.ts';

const SHAPES: Readonly<Record<MarkKind, string>> = {
  started: 'M-4-5.5 5.5 0-4 5.5z',
  stopped: 'M-4.5-4.5h9v9h-9z',
  reloaded: 'M0-6 6 0 0 6-6 0z',
  reloadRefused: 'M0-6 6 0 0 6-6 0zM-2.4-2.4l4.8 4.8M2.4-2.4l-4.8 4.8',
  drained: 'M0-5v8M-4 0l4 4.5 4-4.5',
  restored: 'M0 5v-8M-4 0l4-4.5 4 4.5',
  fell: 'M-6-5h12L0 5.5z',
  rose: 'M-6 5h12L0-5.5z',
  gap: 'M-5-6v12M0-6v12M5-6v12',
};

export function markShape(kind: MarkKind): SVGTemplateResult {
  return svg`<path class="shape" d=${SHAPES[kind]} />`;
}
