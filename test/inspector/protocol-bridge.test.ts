/** The page that sends to Stately's hosted inspector: only when asked for, only after a click, only to that origin. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';
import { startFleet } from '../support/fleet.ts';
import { startTestGateway } from '../support/gateway.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { startBrowser } from './support/browser.ts';
import { countObservers } from './viewers.ts';

/** Does as `createBrowserReceiver` of `@statelyai/inspect`: announces itself to its opener, then listens. */
const FAKE_INSPECTOR = `<script>
  window.received = [];
  window.addEventListener('message', ({ data, origin }) => received.push({ data, origin }));
  opener.postMessage({ type: '@statelyai.connected' }, '*');
</script>`;

type Received = { readonly origin: string; readonly data: { type: string; sessionId: string } };

const receivedBy = (window: Page) => window.evaluate<Received[]>('received');
const hasReceived = (window: Page, count: number) =>
  window.waitForFunction(`received.length >= ${count}`, undefined, { timeout: PATIENCE_MS });

/** A browser in which the hosted inspector, and a page of somebody else, are stand-ins. */
async function startOfflineBrowser() {
  const browser = await startBrowser();
  const asked: string[] = [];
  const context = await browser.newContext();
  await context.route(/^https:/, (route) => {
    asked.push(route.request().url());
    return route.fulfill({ contentType: 'text/html', body: FAKE_INSPECTOR });
  });
  return {
    context,
    /** What was asked of other hosts. */
    asked,
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

/** Opens the page and the inspector from it; `heard` in the page is what messages it was sent. */
async function startBridge(context: BrowserContext, adminUrl: string) {
  const page = await context.newPage();
  let connections = 0;
  page.on('websocket', () => {
    connections += 1;
  });
  await page.goto(`${adminUrl}/inspector/stately`);
  await page.evaluate(
    "window.heard = []; window.addEventListener('message', ({ data }) => heard.push(data.type ?? data))",
  );
  const opened = page.waitForEvent('popup');
  await page.click('#open');
  const inspector = await opened;
  await hasReceived(inspector, 2);
  return { page, inspector, connections: () => connections };
}

describe('the bridge page', () => {
  it('sends nothing before the click, and then every actor to the inspector it has opened', async (t) => {
    await using fleet = await startFleet(1);
    await using gateway = await startTestGateway({ backends: fleet.mocks }, { hasStatelyBridge: true });
    await using browser = await startOfflineBrowser();
    const observers = countObservers(t, gateway.gateway.balancer.core);
    const page = await browser.context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(`${gateway.adminUrl}/inspector/stately`);
    // A window that is not the inspector cannot start it; messages arrive in order.
    await page.evaluate(`new Promise((done) => {
      window.addEventListener('message', ({ data }) => data === 'later' && done());
      window.postMessage({ type: '@statelyai.connected' });
      window.postMessage('later');
    })`);
    assert.equal(await page.isDisabled('#stop'), true);
    assert.deepEqual([observers.active, browser.asked], [0, []]);
    const opened = page.waitForEvent('popup');
    await page.click('#open');
    const inspector = await opened;
    await hasReceived(inspector, 3);
    const received = await receivedBy(inspector);
    assert.deepEqual(browser.asked, ['https://stately.ai/inspect']);
    assert.deepEqual(
      received.slice(0, 3).map(({ data, origin }) => [data.type, data.sessionId, origin]),
      ['backend:a', 'selector', 'pool'].map((id) => ['@xstate.actor', id, gateway.adminUrl]),
    );
    assert.deepEqual(complaints, []);
  });

  it('tells all again to an inspector that was loaded anew, and stops when told to', async (t) => {
    await using fleet = await startFleet(1);
    await using gateway = await startTestGateway({ backends: fleet.mocks }, { hasStatelyBridge: true });
    await using browser = await startOfflineBrowser();
    const observers = countObservers(t, gateway.gateway.balancer.core);
    const { page, inspector } = await startBridge(browser.context, gateway.adminUrl);
    await inspector.reload();
    await hasReceived(inspector, 3);
    const [first] = await receivedBy(inspector);
    assert.equal(first?.data.type, '@xstate.actor');
    await page.click('#stop');
    await observers.none();
    await inspector.waitForFunction("received.at(-1).data.type === '@statelyai.disconnected'");
    assert.match((await page.textContent('#status')) ?? '', /^Stopped\. \d+ messages were passed on\.$/);
  });

  it('neither sends to another site that the window has gone to, nor listens to it', async () => {
    await using fleet = await startFleet(1);
    await using gateway = await startTestGateway({ backends: fleet.mocks }, { hasStatelyBridge: true });
    await using browser = await startOfflineBrowser();
    const { page, inspector, connections } = await startBridge(browser.context, gateway.adminUrl);
    // As a link would: the browser keeps the tie between the two windows.
    await inspector.evaluate("location.href = 'https://stately.ai.evil.example/'");
    await inspector.waitForURL('https://stately.ai.evil.example/');
    await inspector.evaluate("opener.postMessage('later', '*')");
    await page.waitForFunction("heard.includes('later')");
    const before = await page.textContent('#status');
    await fetch(`${gateway.adminUrl}/backends/a/drain`, { method: 'POST' });
    // The page has passed it on, and the browser has not delivered it.
    await page.waitForFunction(`document.querySelector('#status').textContent !== ${JSON.stringify(before)}`);
    assert.deepEqual(await receivedBy(inspector), []);
    assert.equal(connections(), 1);
  });

  it('listens to no window but the one it has opened, whatever its site', async () => {
    await using gateway = await startTestGateway({}, { hasStatelyBridge: true });
    await using browser = await startOfflineBrowser();
    const { page, inspector, connections } = await startBridge(browser.context, gateway.adminUrl);
    const opened = inspector.waitForEvent('popup');
    await inspector.evaluate("void window.open('https://stately.ai/other')");
    const other = await opened;
    await other.evaluate("opener.opener.postMessage({ type: '@statelyai.connected' }, '*')");
    await other.evaluate("opener.opener.postMessage('later', '*')");
    await page.waitForFunction("heard.includes('later')");
    assert.equal(connections(), 1);
  });

  it('may load and ask nothing but the gateway', async () => {
    await using gateway = await startTestGateway({}, { hasStatelyBridge: true });
    await using browser = await startOfflineBrowser();
    const page = await browser.context.newPage();
    await page.goto(`${gateway.adminUrl}/inspector/stately`);
    const outcome = await page.evaluate(
      "fetch('https://elsewhere.example').then(() => 'fetched', (error) => error.message)",
    );
    assert.equal(outcome, 'Failed to fetch');
    assert.deepEqual(browser.asked, []);
  });

  it('is not there unless it was asked for, nor for a page of another site', async () => {
    await using plain = await startTestGateway({});
    assert.equal((await fetch(`${plain.adminUrl}/inspector/stately`)).status, 404);
    await using gateway = await startTestGateway({}, { hasStatelyBridge: true });
    const url = `${gateway.adminUrl}/inspector/stately`;
    assert.equal((await fetch(url)).status, 200);
    assert.equal((await fetch(url, { headers: { origin: 'https://stately.ai' } })).status, 403);
    assert.equal((await fetch(url, { method: 'POST' })).status, 405);
  });
});
