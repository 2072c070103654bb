/** The life of one request, as `reprise explain` tells it. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { clockBeside } from '../model/words.ts';
import type { Context } from './context.ts';
import { iconButton } from './parts.ts';

export function request({ state: { search }, actions, asOf }: Context): TemplateResult | typeof nothing {
  if (search === null) return nothing;
  const { id, story } = search;
  return html`<section class="panel request" aria-labelledby="request-title" id="request" tabindex="-1">
    <header>
      <h2 id="request-title">Request <code>${id}</code></h2>
      ${iconButton({ name: 'Close', icon: 'close', onClick: () => actions.search('') })}
    </header>
    ${
      story === null
        ? html`<p class="empty" role="status">Looking through the log …</p>`
        : html`${
            story.arrivals.length === 0
              ? nothing
              : html`<p class="arrivals">
                ${story.arrivals.map(
                  ({
                    seq,
                    at,
                  }) => html`<button type="button" class="plain" @click=${() => actions.goTo({ seq })}>
                    Go to its arrival, ${clockBeside(at, asOf)}
                  </button>`,
                )}
              </p>`
          }
          ${
            story.isFound || story.lines.length > 0
              ? html`<pre tabindex="0" aria-label="Its life">${story.lines.join('\n')}</pre>`
              : html`<p class="empty" role="status">No request with this id is in the log.</p>`
          }`
    }
  </section>`;
}
