/** Entries as messages between lanes: time goes down, and each arrow is a fact or a decision. */
import { html, nothing, type SVGTemplateResult, svg, type TemplateResult } from 'lit-html';
import { ref } from 'lit-html/directives/ref.js';
import type { Entry } from '../../../../actors/events.ts';
import { type Lane, type LaneId, laneIndex, lanesFor, type Message, messagesOf } from '../model/lanes.ts';
import { clock, preciseClock, shorten } from '../model/words.ts';
import type { Context } from './context.ts';

const ROW = 22;
const HEAD = 30;
const TIME_WIDTH = 104;
const LANE_WIDTH = 128;
const WORDS_WIDTH = 540;
const WORDS_CHARACTERS = 84;
const MOST_MACHINES = 5;
/** More arrows say no more; the rest is a page away. */
const MOST_MESSAGES = 120;

export function lanes({ state, actions, ids }: Context, entries: readonly Entry[]): TemplateResult {
  const messages = messagesOf(entries).slice(-MOST_MESSAGES);
  const columns = lanesFor(messages, MOST_MACHINES, ids);
  const height = messages.length * ROW + 12;
  const x = (id: LaneId) => TIME_WIDTH + (laneIndex(columns, id) + 0.5) * LANE_WIDTH;
  const words = TIME_WIDTH + columns.length * LANE_WIDTH + 8;
  // The newest are below, next to what comes after them.
  const showNewest = (element: Element | undefined) => {
    if (element === undefined || state.range !== 'moment') return;
    // It has a height only once it is in the page.
    queueMicrotask(() => {
      element.scrollTop = element.scrollHeight;
    });
  };
  return html`<div
    class="lanes"
    tabindex="0"
    role="group"
    aria-label="Messages, may be scrolled"
    ${ref(showNewest)}
  >
    <svg class="head" width=${words + WORDS_WIDTH} height=${HEAD}>
      ${columns.map((lane) => laneHead(lane, x(lane.id)))}
    </svg>
    <svg width=${words + WORDS_WIDTH} height=${height} role="list">
      ${columns.map(({ id }) => svg`<line class="lane" x1=${x(id)} x2=${x(id)} y1="0" y2=${height} />`)}
      ${messages.map((message, index) => {
        const y = (index + 0.8) * ROW;
        return arrow(
          message,
          { y, from: x(message.from), to: x(message.to), end: words },
          {
            isHere: state.mode === 'paused' && message.seq === state.moment?.seq,
            open: () => actions.goTo({ seq: message.seq }),
          },
        );
      })}
    </svg>
  </div>`;
}

function laneHead({ title }: Lane, x: number): SVGTemplateResult {
  return svg`<text x=${x} y="19" text-anchor="middle">${shorten(title, 17)}<title>${title}</title></text>`;
}

type Course = { readonly y: number; readonly from: number; readonly to: number; readonly end: number };

function arrow(
  message: Message,
  { y, from, to, end }: Course,
  { isHere, open }: { isHere: boolean; open: () => void },
): SVGTemplateResult {
  const { seq, at, opens, type, words, isBad } = message;
  const isAcross = from === to;
  const tone = `${isBad ? ' bad' : ''}${opens ? ' fact' : ''}${isHere ? ' here' : ''}`;
  return svg`<g class="message${tone}" role="listitem" aria-label="${clock(at)} ${type}: ${words}" @click=${open}>
    <rect class="hit" x="0" y=${y - ROW * 0.7} width=${end + WORDS_WIDTH} height=${ROW} />
    ${opens ? svg`<text class="time" x="4" y=${y + 4}>${preciseClock(at)}</text>` : nothing}
    ${
      isAcross
        ? svg`<line class="across" x1=${TIME_WIDTH} x2=${end - 16} y1=${y} y2=${y} />`
        : svg`<circle cx=${from} cy=${y} r="2.5" /><line class="arrow" x1=${from} x2=${to + (to > from ? -3 : 3)} y1=${y} y2=${y} marker-end="url(#arrow${isBad ? '-bad' : '-message'})" />`
    }
    <text class="words" x=${end} y=${y + 4}>${clip(words)}</text>
    <title>${`entry ${seq}, ${type}\n${words}`}</title>
  </g>`;
}

function clip(words: string): string {
  return words.length <= WORDS_CHARACTERS ? words : `${words.slice(0, WORDS_CHARACTERS - 1)}…`;
}
