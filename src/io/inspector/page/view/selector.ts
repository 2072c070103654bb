/** The selector: whose turn it is, who may be picked, and who was. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import type { InspectedBackend, Moment, Pick } from '../../api.ts';
import { identityOf } from '../model/identity.ts';
import { countPicks, greatestWeight, weightBar } from '../model/picks.ts';
import { preciseClock } from '../model/words.ts';
import type { Context } from './context.ts';
import { badge, empty } from './parts.ts';
import { vars } from './vars.ts';

/** As many as fit on a few lines, and the eye can follow. */
const PICKS_SHOWN = 60;

/** Bars glide from pick to pick where they are few; dozens of them would keep the browser busy. */
const MOST_MOVING = 12;

const WHY_NOT: Readonly<Record<InspectedBackend['eligibility'], string>> = {
  eligible: 'eligible',
  full: 'no, its pool is full',
  unhealthy: 'no, unhealthy',
  ejected: 'no, ejected',
  draining: 'no, draining',
  drained: 'no, drained',
  removed: 'no, removed',
};

export function selector(context: Context): TemplateResult {
  const { moment } = context.state;
  return html`<section class="panel selector" aria-labelledby="selector-title">
    <h2 id="selector-title">Selector</h2>
    ${moment === null ? empty('Waiting for the first moment …') : body(context, moment)}
  </section>`;
}

function body(context: Context, moment: Moment): TemplateResult {
  const { backends, picks } = moment;
  const counts = countPicks(picks);
  const most = greatestWeight(backends);
  return html`<div class="scroll">
      <table class=${backends.length > MOST_MOVING ? '' : 'moving'}>
        <thead>
          <tr>
            <th scope="col">Backend</th>
            <th scope="col" class="number">Weight</th>
            <th scope="col" class="wide">Current weight</th>
            <th scope="col" class="number" title="Of the last picks, how many went there">Picked</th>
            <th scope="col">May be picked</th>
          </tr>
        </thead>
        <tbody>
          ${repeat(
            backends,
            ({ id }) => id,
            (backend) => row(context, backend, most, counts.get(backend.id) ?? 0, picks.length),
          )}
        </tbody>
      </table>
    </div>
    ${strip(context, picks)}`;
}

function row({ identities }: Context, backend: InspectedBackend, most: number, picked: number, of: number) {
  const { id, weight, currentWeight, eligibility } = backend;
  const { start, length } = weightBar(currentWeight, most);
  return html`<tr class=${eligibility === 'eligible' ? '' : 'out'}>
    <th scope="row">${badge(identityOf(identities, id))}<span class="id" title=${id}>${id}</span></th>
    <td class="number">${weight}</td>
    <td class="wide">
      <span class="balance" aria-hidden="true">
        <i ${vars({ '--start': start, '--length': length })}></i>
      </span>
      <span class="number">${currentWeight > 0 ? `+${currentWeight}` : currentWeight}</span>
    </td>
    <td class="number">${of === 0 ? '–' : `${Math.round((picked / of) * 100)} %`}</td>
    <td class=${eligibility === 'eligible' ? 'good' : 'bad'}>${WHY_NOT[eligibility]}</td>
  </tr>`;
}

function strip({ identities, actions }: Context, picks: readonly Pick[]): TemplateResult {
  if (picks.length === 0) return empty('No request has been placed yet.');
  const shown = picks.slice(-PICKS_SHOWN);
  const words = shown.map(({ backend }) => identityOf(identities, backend).letter).join(' ');
  return html`<h3>Last picks <small>the newest at the end</small></h3>
    <div class="picks" role="group" aria-label=${`The last ${shown.length} picks, oldest first: ${words}`}>
      ${shown.map(({ request, backend, seq, at }) => {
        const { letter, colour, pattern } = identityOf(identities, backend);
        return html`<button
          type="button"
          tabindex="-1"
          class="badge colour-${colour} pattern-${pattern}"
          title=${`request ${request} → ${backend}, ${preciseClock(at)}`}
          @click=${() => actions.goTo({ seq })}
        >
          ${letter}
        </button>`;
      })}${nothing}
    </div>`;
}
