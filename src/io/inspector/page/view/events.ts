/** What happened, entry by entry: as a list or as messages between the parts, filtered, a page at a time. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { guard } from 'lit-html/directives/guard.js';
import { live } from 'lit-html/directives/live.js';
import { repeat } from 'lit-html/directives/repeat.js';
import type { Entry } from '../../../../actors/events.ts';
import type { EntryPage } from '../../api.ts';
import { decisionWords, factWords, toneOf } from '../model/entry-words.ts';
import { EVENT_GROUPS, EVENT_TYPES, EVERYTHING, isFiltering } from '../model/event-filter.ts';
import { counted, grouped, preciseClock } from '../model/words.ts';
import type { Context } from './context.ts';
import { lanes } from './lanes.ts';
import { empty } from './parts.ts';

/** A backend that falls may close dozens of sockets; the whole entry has them all. */
const DECISIONS_SHOWN = 4;

export function events(context: Context): TemplateResult {
  const { state } = context;
  const { entries, eventsAs, opened, filter } = state;
  const here = entryShown(state);
  return html`<section class="panel events" aria-labelledby="events-title">
    <header>
      <h2 id="events-title">Events</h2>
      ${forms(context)}
    </header>
    ${filters(context)}
    ${
      entries === null
        ? empty(
            state.overview !== null && state.overview.last === null
              ? 'There is no history to look in.'
              : 'Looking …',
          )
        : guard([entries, eventsAs, opened, here, filter, state.range], () => page(context, entries))
    }
  </section>`;
}

/** The entry that made the moment shown; none while that changes by itself all the time. */
function entryShown({ mode, moment }: Context['state']): number | null {
  return mode === 'paused' && moment !== null ? moment.seq : null;
}

function forms({ state: { eventsAs }, actions }: Context): TemplateResult {
  const form = (value: typeof eventsAs, name: string) => html`<button
    type="button"
    aria-pressed=${eventsAs === value}
    @click=${() => actions.eventsAs(value)}
  >
    ${name}
  </button>`;
  return html`<div class="switch" role="group" aria-label="Shown as">
    ${form('list', 'List')}${form('lanes', 'Messages')}
  </div>`;
}

function filters({ state: { filter }, ids, actions }: Context): TemplateResult {
  const chosenIn = (event: Event) => (event.target as HTMLInputElement | HTMLSelectElement).value;
  return html`<form class="filters" aria-label="Filter" @submit=${(event: Event) => event.preventDefault()}>
    <label>
      <span>Type</span>
      <select name="kind" .value=${live(filter.kind)} @change=${(event: Event) => actions.filter({ kind: chosenIn(event) })}>
        <option value="">all</option>
        ${EVENT_GROUPS.map(({ name, title }) => html`<option value=${name}>${title}</option>`)}
        <optgroup label="One type">
          ${EVENT_TYPES.map((type) => html`<option value=${type}>${type}</option>`)}
        </optgroup>
      </select>
    </label>
    <label>
      <span>Backend</span>
      <select name="backend" .value=${live(filter.backend)} @change=${(event: Event) => actions.filter({ backend: chosenIn(event) })}>
        <option value="">all</option>
        ${ids.map((id) => html`<option value=${id}>${id}</option>`)}
      </select>
    </label>
    <label>
      <span>Request</span>
      <input
        name="request"
        inputmode="numeric"
        pattern="[0-9]*"
        size="8"
        placeholder="number"
        autocomplete="off"
        .value=${live(filter.request)}
        @change=${(event: Event) => actions.filter({ request: chosenIn(event).replace(/\D/g, '') })}
      />
    </label>
    ${
      isFiltering(filter)
        ? html`<button type="button" class="plain" @click=${() => actions.filter(EVERYTHING)}>Clear filter</button>`
        : nothing
    }
  </form>`;
}

function page(context: Context, entries: EntryPage): TemplateResult {
  const { state, actions } = context;
  const first = entries.entries.at(0)?.seq ?? entries.searched.from;
  const last = entries.entries.at(-1)?.seq ?? entries.searched.until;
  return html`${
    entries.entries.length === 0
      ? empty(noneWords(context, entries))
      : state.eventsAs === 'list'
        ? list(context, entries.entries)
        : lanes(context, entries.entries)
  }
    <div class="pager">
      <button type="button" class="plain" ?disabled=${!entries.hasBefore} @click=${() => actions.page({ before: first })}>
        ← Earlier
      </button>
      <button type="button" class="plain" ?disabled=${!entries.hasAfter} @click=${() => actions.page({ after: last })}>
        Later →
      </button>
      ${
        state.range === 'moment'
          ? html`<span class="soft">up to the moment shown</span>`
          : html`<button type="button" class="plain" @click=${() => actions.page('moment')}>Back to the moment shown</button>`
      }
    </div>`;
}

function noneWords({ state: { filter } }: Context, { searched, hasBefore }: EntryPage): string {
  if (!isFiltering(filter)) return 'There is no entry here.';
  const range = `entries ${grouped(searched.from)} to ${grouped(searched.until)}`;
  return `None of ${range} fits the filter.${hasBefore ? ' “Earlier” looks further.' : ''}`;
}

function list(context: Context, entries: readonly Entry[]): TemplateResult {
  return html`<ol class="entries">
    ${repeat(
      // The newest on top, where the eye is.
      entries.toReversed(),
      ({ seq }) => seq,
      (entry) => row(context, entry),
    )}
  </ol>`;
}

function row({ state, actions }: Context, entry: Entry): TemplateResult {
  const { seq, at, fact, decisions } = entry;
  const isOpen = state.opened === seq;
  const isHere = entryShown(state) === seq;
  const more = decisions.length - DECISIONS_SHOWN;
  return html`<li class="entry tone-${toneOf(entry)} ${isHere ? 'here' : ''}" data-seq=${seq}>
    <button
      type="button"
      class="summary"
      aria-expanded=${isOpen}
      aria-current=${isHere ? 'true' : nothing}
      @click=${() => actions.open(isOpen ? null : seq)}
    >
      <time>${preciseClock(at)}</time>
      <code>${fact.type}</code>
      <span class="words">
        ${factWords(fact)}${decisions
          .slice(0, DECISIONS_SHOWN)
          .map((decision) => html` <span class="decision">→ ${decisionWords(decision)}</span>`)}${
          more > 0 ? html` <span class="decision">→ ${counted(more, 'more decision')}</span>` : nothing
        }
      </span>
    </button>
    ${isOpen ? whole(entry, actions) : nothing}
  </li>`;
}

function whole(entry: Entry, actions: Context['actions']): TemplateResult {
  const { fact } = entry;
  return html`<div class="whole">
    <p>
      <button type="button" class="plain" @click=${() => actions.goTo({ seq: entry.seq })}>Go to this moment</button>
      ${
        fact.type === 'request.received'
          ? html`<button type="button" class="plain" @click=${() => actions.search(fact.requestId)}>Explain this request</button>`
          : nothing
      }
      ${
        'request' in fact
          ? html`<button type="button" class="plain" @click=${() => actions.filter({ kind: '', backend: '', request: String(fact.request) })}>
            Only request ${fact.request}
          </button>`
          : nothing
      }
    </p>
    <pre tabindex="0" aria-label="The whole entry">${JSON.stringify(entry, null, 2)}</pre>
  </div>`;
}
