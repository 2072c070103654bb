/** The pool: the sockets of each backend, and the requests that wait for one. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import type { InspectedBackend, Moment } from '../../api.ts';
import { identityOf } from '../model/identity.ts';
import { counted, duration, grouped, rate } from '../model/words.ts';
import type { Context } from './context.ts';
import { badge, empty } from './parts.ts';
import { vars } from './vars.ts';

/** Up to so many sockets are drawn one by one, in all and in a row; more become lengths. */
const MOST_CELLS = 240;
const MOST_CELLS_IN_ROW = 32;
const WAITING_SHOWN = 12;

export function pool(context: Context): TemplateResult {
  const { moment } = context.state;
  return html`<section class="panel pool" aria-labelledby="pool-title">
    <h2 id="pool-title">Pool</h2>
    ${moment === null ? empty('Waiting for the first moment …') : body(context, moment)}
  </section>`;
}

function body(context: Context, moment: Moment): TemplateResult {
  const sizes = moment.backends.map((backend) => backend.pool.size);
  const isSmall =
    Math.max(...sizes) <= MOST_CELLS_IN_ROW && sizes.reduce((sum, size) => sum + size, 0) <= MOST_CELLS;
  return html`<p class="figures">
      <span><b>${grouped(moment.inFlight)}</b> in flight</span>
      <span><b>${grouped(moment.waitingTotal)}</b> in line</span>
      <span><b>${rate(moment.perSecond.received)}</b> received in the last second</span>
    </p>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Backend</th>
            <th scope="col" class="wide">Sockets</th>
            <th scope="col" class="number"><i class="cell leased" aria-hidden="true"></i>Leased</th>
            <th scope="col" class="number"><i class="cell idle" aria-hidden="true"></i>Idle</th>
            <th scope="col" class="number"><i class="cell" aria-hidden="true"></i>Room</th>
          </tr>
        </thead>
        <tbody>
          ${repeat(
            moment.backends,
            ({ id }) => id,
            (backend) => row(context, backend, isSmall),
          )}
        </tbody>
      </table>
    </div>
    ${line(context, moment)}`;
}

function row(
  { identities }: Context,
  { id, pool: { leased, idle, size } }: InspectedBackend,
  isSmall: boolean,
): TemplateResult {
  const room = Math.max(0, size - leased - idle);
  return html`<tr>
    <th scope="row">${badge(identityOf(identities, id))}<span class="id" title=${id}>${id}</span></th>
    <td class="wide">${isSmall ? cells(leased, idle, room) : lengths(leased, idle, size)}</td>
    <td class="number">${grouped(leased)}</td>
    <td class="number">${grouped(idle)}</td>
    <td class="number">${grouped(room)}</td>
  </tr>`;
}

function cells(leased: number, idle: number, room: number): TemplateResult {
  const some = (count: number, name: string) =>
    Array.from({ length: count }, () => html`<i class="cell ${name}"></i>`);
  return html`<span class="cells" aria-hidden="true">
    ${some(leased, 'leased')}${some(idle, 'idle')}${some(room, '')}
  </span>`;
}

function lengths(leased: number, idle: number, size: number): TemplateResult {
  return html`<span class="lengths" aria-hidden="true">
    <i class="leased" ${vars({ '--share': leased / size })}></i>
    <i class="idle" ${vars({ '--share': idle / size })}></i>
  </span>`;
}

function line({ asOf }: Context, { waiting, waitingTotal }: Moment): TemplateResult {
  if (waitingTotal === 0) return empty('No request waits: there is room for all.');
  const shown = waiting.slice(0, WAITING_SHOWN);
  const more = waitingTotal - shown.length;
  return html`<h3>In line <small>the first is served next</small></h3>
    <ol class="line">
      ${shown.map(({ request, since }) => html`<li>request ${request} <small>${duration(asOf - since)}</small></li>`)}
      ${more > 0 ? html`<li class="more">and ${counted(more, 'more', 'more')}</li>` : nothing}
    </ol>`;
}
