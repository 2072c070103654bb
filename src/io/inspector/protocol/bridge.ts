/**
 * The page that takes what the gateway tells to Stately's hosted inspector: after a click it opens that in a window of its
 * own and passes each message on, to that window and that origin alone. It loads nothing from anywhere, and is served only
 * to those who started the gateway with `--inspect=stately`.
 */
import { createHash } from 'node:crypto';
import type { Answer } from '../../admin/answer.ts';
import { WEBSOCKET_PATH } from './protocol.ts';

/** Where the page is on the admin listener. */
export const BRIDGE_PATH = '/inspector/stately';
/** As `createBrowserInspector` of `@statelyai/inspect` has it. */
const INSPECTOR_URL = 'https://stately.ai/inspect';

/**
 * The hosted inspector says `@statelyai.connected` to the window that opened it whenever it has loaded. Only then the
 * gateway is asked, which tells of each actor first: so nothing is kept here, and a reload of the inspector mends itself.
 */
const SCRIPT = `'use strict';
const inspectorUrl = '${INSPECTOR_URL}';
const inspectorOrigin = new URL(inspectorUrl).origin;
const [openButton, stopButton, status] = ['open', 'stop', 'status'].map((id) => document.getElementById(id));
let inspector = null;
let socket = null;
let passed = 0;

openButton.addEventListener('click', () => {
  inspector = window.open(inspectorUrl, 'xstateinspector');
  if (inspector === null) say('The browser has blocked the window. Allow pop-ups for this page and press again.');
  else say('Waiting for the inspector to answer. If it asks you to log in, do; if nothing comes, press again.');
});
stopButton.addEventListener('click', () => stop('Stopped. ' + passed + ' messages were passed on.'));
window.addEventListener('message', ({ origin, source, data }) => {
  if (inspector === null || source !== inspector || origin !== inspectorOrigin) return;
  if (data?.type === '@statelyai.connected') start();
});

function start() {
  socket?.close();
  const own = new WebSocket(location.origin.replace(/^http/, 'ws') + '${WEBSOCKET_PATH}');
  socket = own;
  passed = 0;
  stopButton.disabled = false;
  own.addEventListener('message', ({ data }) => {
    if (own !== socket) return;
    if (inspector.closed) return stop('The window of the inspector was closed.');
    inspector.postMessage(JSON.parse(data), inspectorOrigin);
    passed += 1;
    say('Connected: ' + passed + ' messages passed on to ' + inspectorOrigin + '.');
  });
  own.addEventListener('close', () => {
    if (own === socket) stop('The gateway has ended the connection. Press the button to begin again.');
  });
}

function stop(why) {
  const own = socket;
  socket = null;
  own?.close();
  stopButton.disabled = true;
  inspector?.postMessage({ type: '@statelyai.disconnected' }, inspectorOrigin);
  say(why);
}

function say(text) {
  status.textContent = text;
}
`;

const STYLE = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 40rem; margin: 3rem auto; padding: 0 1rem; }
button { font: inherit; padding: 0.4rem 1rem; }
`;

const HTML = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Reprise: Stately inspector</title>
<style>${STYLE}</style>
<h1>Stately inspector</h1>
<p>The button opens <code>${INSPECTOR_URL}</code> in a window of its own. From then on this page passes on to it what
the gateway tells of its state machines: the names, states and counters of backends, their probes, and figures of the
selector and the pool. No prompt, no answer, no header and no credential is among it. Nothing is sent before you press, nor
after you stop or close this page.</p>
<p><button id="open" type="button">Open the inspector and send to it</button>
<button id="stop" type="button" disabled>Stop</button></p>
<p id="status" role="status">Nothing is being sent.</p>
<script>${SCRIPT}</script>
</html>
`;

/** The page, with headers that let it do what it is for and nothing else. */
export const statelyBridge: Answer = {
  status: 200,
  body: HTML,
  contentType: 'text/html; charset=utf-8',
  headers: {
    'Content-Security-Policy': [
      "default-src 'none'",
      `script-src '${hashOf(SCRIPT)}'`,
      `style-src '${hashOf(STYLE)}'`,
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    // The window it opens must be able to answer; nobody else gets hold of this one.
    'Cross-Origin-Opener-Policy': 'same-origin-allow-popups',
  },
};

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
