/** The top of the page: what is shown, how much of it, what is wrong with it, and the search for a request. */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { Overview } from '../../api.ts';
import { bytes, counted, duration, endOfPath } from '../model/words.ts';
import type { Context } from './context.ts';
import { iconButton } from './parts.ts';

export function header(context: Context): TemplateResult {
  const { state, actions } = context;
  const { overview } = state;
  return html`<header class="top">
    <h1>Reprise <span>inspector</span></h1>
    ${overview === null ? nothing : source(overview)}
    <form class="search" role="search" @submit=${(event: SubmitEvent) => submitSearch(event, context)}>
      <label class="hidden" for="search">Request id</label>
      <input
        id="search"
        name="id"
        type="search"
        placeholder="Request id"
        autocomplete="off"
        spellcheck="false"
        enterkeyhint="search"
      />
      <button type="submit" class="icon" aria-label="Search for the request" title="Search for the request (/)">
        <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
          <circle cx="7" cy="7" r="4" />
          <path d="m10 10 3.5 3.5" />
        </svg>
      </button>
    </form>
    ${iconButton({ name: 'Keys', icon: 'help', key: '?', onClick: () => actions.help(true) })}
    ${
      overview?.source.canChange === true
        ? html`<button type="button" class="plain" @click=${() => actions.ask({ kind: 'reload' })}>Reload config…</button>`
        : nothing
    }
  </header>`;
}

function source({ source: { kind, title, version }, progress, first, last }: Overview): TemplateResult {
  const isReading = progress.bytes < progress.bytesTotal;
  const span = first === null || last === null ? '' : ` over ${duration(last.at - first.at)}`;
  return html`<div class="source">
    <span class="kind kind-${kind}">${kind === 'live' ? 'Live' : 'Recording'}</span>
    <span class="title" title=${`${title} (Reprise ${version})`}>${kind === 'live' ? title : endOfPath(title)}</span>
    <span class="amount">
      ${
        isReading
          ? html`<progress
              max=${progress.bytesTotal}
              .value=${progress.bytes}
              aria-label="How much of the log has been read"
            ></progress>
            reading ${bytes(progress.bytes)} of ${bytes(progress.bytesTotal)}`
          : html`${counted(progress.entries, 'entry', 'entries')}${span}`
      }
    </span>
  </div>`;
}

function submitSearch(event: SubmitEvent, { actions }: Context): void {
  event.preventDefault();
  const id = new FormData(event.target as HTMLFormElement).get('id');
  actions.search(typeof id === 'string' ? id : '');
}

/** What is wrong with the log or with the connection to the server. */
export function notes({ state: { overview, trouble } }: Context): TemplateResult | typeof nothing {
  const all = [...(trouble === '' ? [] : [trouble]), ...(overview?.notes ?? [])];
  if (all.length === 0) return nothing;
  return html`<div class="notes" role="status">
    ${all.map((note) => html`<p>${note}</p>`)}
  </div>`;
}
