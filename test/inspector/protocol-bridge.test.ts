/** The page that sends to Stately's hosted inspector: only when asked for, only after a click, only to that origin. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { startFleet } from '../support/fleet.ts';
import { startTestGateway } from '../support/gateway.ts';
import { startBrowser } from './browser.ts';
import { countObservers } from './support.ts';

/** Does as `createBrowserReceiver` of `@statelyai/inspect`: announces itself to its opener, then listens. */
const FAKE_INSPECTOR = `<script>
  window.received = [];
  window.addEventListener('message', ({ data, origin }) => received.push({ data, origin }));
  opener.postMessage({ type: '@statelyai.connected' }, '*');
</script>`;

type Received = { readonly origin: string; readonly data: { type: string; sessionId: string } };

const receivedBy = (window: Page) => window.evaluate<Received[]>('received');
const hasReceived = (window: Page, count: number) =>
  window.waitForFunction(`received.length >= ${count}`, undefined, { timeout: 5_000 });

/** A browser in which the hosted inspector, and a page of somebody else, are stand-ins. */
async function startOfflineBrowser() {
  const browser = await startBrowser();
  const asked: string[] = [];
  await browser.context.route(/^https:/, (route) => {
    asked.push(route.request().url());
    return route.fulfill({ contentType: 'text/html', body: FAKE_INSPECTOR });
  });
  return {
    context: browser.context,
    /** What was asked of other hosts. */
    asked,
    [Symbol.asyncDispose]: () => browser[Symbol.asyncDispose](),
  };
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
    const page = await browser.context.newPage();
    await page.goto(`${gateway.adminUrl}/inspector/stately`);
    const opened = page.waitForEvent('popup');
    await page.click('#open');
    const inspector = await opened;
    await hasReceived(inspector, 3);
    await inspector.reload();
    await hasReceived(inspector, 3);
    const [first] = await receivedBy(inspector);
    assert.equal(first?.data.type, '@xstate.actor');
    await page.click('#stop');
    await observers.none();
    await inspector.waitForFunction("received.at(-1).data.type === '@statelyai.disconnected'");
    assert.match((await page.textContent('#status')) ?? '', /^Stopped\. \d+ messages were passed on\.$/);
  });

  it('sends nothing to another site that the window has gone to', async () => {
    await using fleet = await startFleet(1);
    await using gateway = await startTestGateway({ backends: fleet.mocks }, { hasStatelyBridge: true });
    await using browser = await startOfflineBrowser();
    const page = await browser.context.newPage();
    await page.goto(`${gateway.adminUrl}/inspector/stately`);
    const opened = page.waitForEvent('popup');
    await page.click('#open');
    const inspector = await opened;
    await hasReceived(inspector, 3);
    await inspector.goto('https://stately.ai.evil.example/inspect');
    const before = await page.textContent('#status');
    await fetch(`${gateway.adminUrl}/backends/a/drain`, { method: 'POST' });
    // The page has passed it on, and the browser has not delivered it.
    await page.waitForFunction(`document.querySelector('#status').textContent !== ${JSON.stringify(before)}`);
    assert.deepEqual(await receivedBy(inspector), []);
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
