/** What is asked before anything is changed, and the list of keys. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { ref } from 'lit-html/directives/ref.js';
import { BINDINGS } from '../model/keys.ts';
import type { Change, PageState } from '../model/state.ts';
import { counted } from '../model/words.ts';
import type { Context } from './context.ts';

export function dialogs(context: Context): TemplateResult {
  const { question, showsHelp } = context.state;
  return html`${question === null ? nothing : confirm(context, question)} ${showsHelp ? help(context) : nothing}`;
}

/** A dialog is shown as soon as it is in the page; Escape and the buttons take it out again. */
function showModal(element: Element | undefined): void {
  if (!(element instanceof HTMLDialogElement)) return;
  queueMicrotask(() => {
    if (element.isConnected && !element.open) element.showModal();
  });
}

/** Closing by its own means gives the focus back to where it was; the state hears of it by the `close` event. */
function close(event: Event): void {
  (event.target as Element).closest('dialog')?.close();
}

function confirm({ state, actions }: Context, change: Change): TemplateResult {
  const { title, says, verb } = wordsOf(change, state);
  const carryOut = (event: Event) => {
    close(event);
    actions.carryOut(change);
  };
  return html`<dialog ${ref(showModal)} aria-labelledby="question" @close=${() => actions.ask(null)}>
    <h2 id="question">${title}</h2>
    <p>${says}</p>
    <p class="answers">
      <button type="button" class="plain" autofocus @click=${close}>Cancel</button>
      <button type="button" class="strong" @click=${carryOut}>${verb}</button>
    </p>
  </dialog>`;
}

function wordsOf(change: Change, { moment }: PageState): { title: string; says: string; verb: string } {
  if (change.kind === 'reload') {
    return {
      title: 'Reload the configuration?',
      says: 'The gateway reads its configuration again. A mistake in it changes nothing; backends that are gone from it drain.',
      verb: 'Reload',
    };
  }
  const { backend, kind } = change;
  if (kind === 'restore') {
    return {
      title: `Restore ${backend}?`,
      says: 'It gets requests again if its probes succeed.',
      verb: 'Restore',
    };
  }
  const inFlight = moment?.backends.find(({ id }) => id === backend)?.requests.inFlight ?? 0;
  const others = inFlight === 0 ? '' : ` ${counted(inFlight, 'request')} in flight may finish.`;
  return {
    title: `Drain ${backend}?`,
    says: `It gets no new request until it is restored.${others}`,
    verb: 'Drain',
  };
}

function help({ actions }: Context): TemplateResult {
  return html`<dialog ${ref(showModal)} aria-labelledby="keys" class="keys" @close=${() => actions.help(false)}>
    <h2 id="keys">Keys</h2>
    <dl>
      ${BINDINGS.map(({ shown, does }) => html`<div><dt><kbd>${shown}</kbd></dt><dd>${does}</dd></div>`)}
    </dl>
    <p class="soft">On the timeline, Ctrl and the wheel zoom, Shift and the wheel move sideways.</p>
    <p class="answers"><button type="button" class="plain" autofocus @click=${close}>Close</button></p>
  </dialog>`;
}
