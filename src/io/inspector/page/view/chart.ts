/** A state chart as SVG: large with all its words, or as a small picture in which only the lit parts speak. */
import { html, nothing, type SVGTemplateResult, svg, type TemplateResult } from 'lit-html';
import type { Chart, ChartState, ChartTransition } from '../../api.ts';
import { isImmediate, type Lights } from '../model/chart-lights.ts';
import { shapeOf } from '../model/chart-path.ts';

const MARGIN = 6;

/** @param words what the picture shows, for those who do not see it */
export function chartPicture(
  chart: Chart,
  lights: Lights,
  words: string,
  size: 'large' | 'small',
): TemplateResult {
  const { lines, box: tight } = shapeOf(chart);
  const { x, y, width, height } = size === 'small' ? tight : { ...chart, x: 0, y: 0 };
  const isLit = ({ id }: ChartTransition) => lights.transitions.has(id);
  // What is lit comes last, so that it lies above the rest.
  const ordered = chart.transitions.toSorted((one, other) => Number(isLit(one)) - Number(isLit(other)));
  return html`<svg
    class="chart ${size}"
    viewBox="${x - MARGIN} ${y - MARGIN} ${width + 2 * MARGIN} ${height + 2 * MARGIN}"
    width=${width + 2 * MARGIN}
    height=${height + 2 * MARGIN}
    role="img"
    aria-label=${words}
  >
    ${ordered.map((transition) => line(lines.get(transition.id) ?? '', isLit(transition), size))}
    ${chart.states.map((state) => box(state, state.id === lights.state, size))}
    ${size === 'small' ? nothing : ordered.map((transition) => label(transition, isLit(transition)))}
  </svg>`;
}

function line(d: string, isLit: boolean, size: 'large' | 'small'): SVGTemplateResult {
  return svg`<path
    class=${isLit ? 'line lit' : 'line'}
    d=${d}
    marker-end=${size === 'small' ? nothing : `url(#arrow${isLit ? '-lit' : ''})`}
  />`;
}

function box(state: ChartState, isLit: boolean, size: 'large' | 'small'): SVGTemplateResult {
  const { id, x, y, width, height, isFinal, isInitial } = state;
  const inset = 4;
  return svg`<g class="node state-${id}${isLit ? ' lit' : ''}" data-state=${id}>
    <rect class="body" x=${x} y=${y} width=${width} height=${height} rx=${size === 'small' ? 14 : 9} />
    ${isFinal ? svg`<rect class="inner" x=${x + inset} y=${y + inset} width=${width - 2 * inset} height=${height - 2 * inset} rx="6" />` : nothing}
    ${size === 'small' ? nothing : svg`<text x=${x + width / 2} y=${y + height / 2 + 5} text-anchor="middle">${id}</text>`}
    ${
      isInitial && size === 'large'
        ? svg`<circle class="initial" cx=${x - 24} cy=${y + height / 2} r="4" />
            <path class="line" d="M${x - 20} ${y + height / 2}h19" marker-end="url(#arrow)" />`
        : nothing
    }
  </g>`;
}

function label(transition: ChartTransition, isLit: boolean): SVGTemplateResult {
  const { event, guard, actions, from, to, label: place } = transition;
  const { x, y, width, height } = place;
  const condition = guard === null ? '' : `[${guard}]`;
  const name = isImmediate(transition) ? (guard === null ? 'else' : '') : event;
  const does = actions.length === 0 ? '' : `\ndoes ${actions.join(', ')}`;
  const title = `${from} → ${to} on ${isImmediate(transition) ? 'entering' : event}${guard === null ? '' : `, if ${guard}`}${does}`;
  return svg`<g class=${isLit ? 'label lit' : 'label'}>
    <rect x=${x} y=${y} width=${width} height=${height} rx="3" />
    <text x=${x + width / 2} y=${y + height / 2 + 4} text-anchor="middle">${name}${
      condition === '' ? nothing : svg`<tspan class="guard" dx=${name === '' ? 0 : 4}>${condition}</tspan>`
    }</text>
    <title>${title}</title>
  </g>`;
}
