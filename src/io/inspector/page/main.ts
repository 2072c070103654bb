/** The page's first lines: shows the overview as it comes. */
import { html, render } from 'lit-html';
import type { Overview } from '../api.ts';

const answer = await fetch('api/overview?buckets=60');
const overview: Overview = await answer.json();
render(html`<pre>${JSON.stringify(overview, null, 2)}</pre>`, document.body);
