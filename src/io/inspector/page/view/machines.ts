/** The machine of each backend: a card for every one, and the whole chart of the one that is chosen. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { guard } from 'lit-html/directives/guard.js';
import { repeat } from 'lit-html/directives/repeat.js';
import type { InspectedBackend, Moment, Transition } from '../../api.ts';
import { lightsOf } from '../model/chart-lights.ts';
import { identityOf } from '../model/identity.ts';
import { selectedBackend } from '../model/state.ts';
import { clockBeside, duration, grouped } from '../model/words.ts';
import { chartPicture } from './chart.ts';
import type { Context } from './context.ts';
import { badge, counter, empty, stateChip } from './parts.ts';

/** With more than these, cards are compact. */
const MOST_ROOMY = 4;

export function machines(context: Context): TemplateResult {
  const { moment } = context.state;
  const chosen = selectedBackend(context.state);
  return html`<section class="panel machines" aria-labelledby="machines-title">
    <h2 id="machines-title">Backends</h2>
    ${
      moment === null || moment.backends.length === 0
        ? empty(
            moment === null ? 'Waiting for the first moment …' : 'No backend is configured at this moment.',
          )
        : html`<div class="machines-body">
          <ul class="cards ${moment.backends.length > MOST_ROOMY ? 'compact' : ''}">
            ${repeat(
              moment.backends,
              ({ id }) => id,
              (backend) => card(context, moment, backend, backend.id === chosen?.id),
            )}
          </ul>
          ${chosen === undefined ? nothing : detail(context, moment, chosen)}
        </div>`
    }
  </section>`;
}

function card(
  context: Context,
  moment: Moment,
  backend: InspectedBackend,
  isChosen: boolean,
): TemplateResult {
  const { state, identities, actions, asOf } = context;
  const { chart } = state;
  const { id, lastTransition } = backend;
  return html`<li class="card state-${backend.state}" data-backend=${id}>
    <button type="button" class="pick" aria-pressed=${isChosen} @click=${() => actions.choose(id)}>
      ${badge(identityOf(identities, id))}<span class="id" title=${id}>${id}</span>
    </button>
    ${stateChip(backend.state)}<span class="since soft">${sinceWords(backend, asOf)}</span>
    ${leadingCounter(backend, moment)}
    <div class="mini">
      ${
        chart === null
          ? nothing
          : guard([chart, backend.state, lastTransition?.seq], () =>
              chartPicture(
                chart,
                lightsOf(chart, backend),
                `State chart of ${id}: ${backend.state}`,
                'small',
              ),
            )
      }
    </div>
  </li>`;
}

/** The counter that runs towards the next change of state. */
function leadingCounter(backend: InspectedBackend, { thresholds }: Moment): TemplateResult {
  const { consecutiveFailures, consecutiveSuccesses, state } = backend;
  const isRising = state === 'unhealthy' || (state !== 'healthy' && consecutiveFailures === 0);
  return isRising
    ? counter({ count: consecutiveSuccesses, threshold: thresholds.rise, of: 'successes', tone: 'good' })
    : counter({ count: consecutiveFailures, threshold: thresholds.fall, of: 'failures', tone: 'bad' });
}

function sinceWords({ since }: InspectedBackend, asOf: number): string {
  return since === null ? '' : `for ${duration(asOf - since.at)}`;
}

function detail(context: Context, moment: Moment, backend: InspectedBackend): TemplateResult {
  const { state, identities } = context;
  const { chart } = state;
  const { id, host, port } = backend;
  const address = `${host}:${port}`;
  return html`<div class="detail state-${backend.state}" role="group" aria-label=${`Machine of ${id}`}>
    <header>
      <h3>${badge(identityOf(identities, id))} <span class="id">${id}</span></h3>
      ${id === address ? nothing : html`<span class="soft address">${address}</span>`} ${stateChip(backend.state)}
      ${changeButtons(context, backend)}
    </header>
    ${facts(context, moment, backend)}
    <div class="chart-frame" tabindex="0" role="group" aria-label="State chart, may be scrolled sideways">
      ${
        chart === null
          ? empty('The chart is being laid out …')
          : guard([chart, backend.state, backend.lastTransition?.seq, id], () =>
              chartPicture(chart, lightsOf(chart, backend), chartWords(backend), 'large'),
            )
      }
    </div>
  </div>`;
}

function chartWords({ id, state, lastTransition, lastChange }: InspectedBackend): string {
  const shown = lastChange ?? lastTransition;
  const last = shown === null ? '' : `; last transition from ${shown.from} to ${shown.to} on ${shown.event}`;
  return `State chart of ${id}: ${state}${last}`;
}

function facts(
  { asOf, actions }: Context,
  { thresholds }: Moment,
  backend: InspectedBackend,
): TemplateResult {
  const {
    consecutiveFailures,
    consecutiveSuccesses,
    lastProbe,
    lastTransition,
    lastChange,
    since,
    reason,
    requests,
  } = backend;
  const when = (seq: number, at: number) => html`<button
    type="button"
    class="link"
    title="Go to entry ${seq}"
    @click=${() => actions.goTo({ seq })}
  >
    ${clockBeside(at, asOf)}
  </button>`;
  return html`<dl class="facts">
    <div>
      <dt>Towards unhealthy</dt>
      <dd>${counter({ count: consecutiveFailures, threshold: thresholds.fall, of: 'failures', tone: 'bad' })}</dd>
    </div>
    <div>
      <dt>Towards healthy</dt>
      <dd>${counter({ count: consecutiveSuccesses, threshold: thresholds.rise, of: 'successes', tone: 'good' })}</dd>
    </div>
    <div>
      <dt>Since</dt>
      <dd>${since === null ? 'before the log begins' : html`${when(since.seq, since.at)}, for ${duration(asOf - since.at)}`}</dd>
    </div>
    <div>
      <dt>Reason</dt>
      <dd>${reason === '' ? 'none told' : reason}</dd>
    </div>
    <div>
      <dt>Last probe</dt>
      <dd>
        ${
          lastProbe === null
            ? 'none yet'
            : html`<b class=${lastProbe.ok ? 'good' : 'bad'}>${lastProbe.ok ? 'succeeded' : 'failed'}</b>: ${lastProbe.reason} in
              ${duration(lastProbe.latencyMs)}, ${duration(asOf - lastProbe.at)} ago`
        }
      </dd>
    </div>
    <div>
      <dt>Last transition</dt>
      <dd>
        ${lastTransition === null ? 'none yet' : transitionWords(lastTransition, lastChange, when)}
      </dd>
    </div>
    <div>
      <dt>Requests</dt>
      <dd>
        ${grouped(requests.total)} in all, ${grouped(requests.inFlight)} in flight,
        <span class=${requests.failed > 0 ? 'bad' : ''}>${grouped(requests.failed)} failed</span>
      </dd>
    </div>
  </dl>`;
}

/** The transition that led to the state, and below it the last one if it only stayed there: each probe is one of those. */
function transitionWords(
  last: Transition,
  change: Transition | null,
  when: (seq: number, at: number) => TemplateResult,
): TemplateResult {
  const stayed = html`stayed ${last.to} on <code>${last.event}</code>, ${when(last.seq, last.at)}`;
  if (change === null) return stayed;
  return html`${change.from} → ${change.to} on <code>${change.event}</code>, ${when(change.seq, change.at)}
    ${change.seq === last.seq ? nothing : html`<div class="soft">${stayed}</div>`}`;
}

/** Only of a live gateway, and only at its present: what is asked for happens now, whatever is shown. */
function changeButtons({ state, actions }: Context, { id, state: status }: InspectedBackend) {
  if (state.overview?.source.canChange !== true || status === 'removed') return nothing;
  const isHeld = status === 'draining' || status === 'drained';
  const kind = isHeld ? 'restore' : 'drain';
  return html`<button type="button" class="plain" @click=${() => actions.ask({ kind, backend: id })}>
    ${isHeld ? 'Restore…' : 'Drain…'}
  </button>`;
}
