/**
 * Takes the pictures of the inspector in README.md: a live gateway of which a backend was killed, and a recorded outage.
 * What happens is scripted, so the pictures change only when the page does (and by ports and times of day).
 *
 *     npm run screenshots
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { startMock } from '../mock/server.ts';
import { startBrowser, visit } from '../test/inspector/support/browser.ts';
import { startInspect } from '../test/inspector/support/inspect.ts';
import { outage } from '../test/inspector/support/outage.ts';
import { startTestGateway } from '../test/support/gateway.ts';
import { runLoad } from '../test/support/load.ts';
import { recordScenario } from '../test/support/scenario.ts';

const IMAGES = join(import.meta.dirname, '../docs/images');
const FLEET = [
  { name: 'llama-large', weight: 5 },
  { name: 'llama-small', weight: 2 },
  { name: 'qwen-coder', weight: 1 },
];
const CLIENTS = 9;
/** A laptop's width, and as high as the chart needs. */
const TALL = { width: 1280, height: 1300 };
/** How long all is well before a backend is killed, and how long it is watched then. */
const WELL_MS = 22_000;
const KILLED_MS = 9_000;

const folder = mkdtempSync(join(tmpdir(), 'reprise-pictures-'));
mkdirSync(IMAGES, { recursive: true });
const browser = await startBrowser();
try {
  await pictureOfLive(browser);
  await picturesOfRecording(browser);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}

async function pictureOfLive(browser: Browser): Promise<void> {
  const mocks = await Promise.all(
    FLEET.map(({ name }) => startMock({ name, script: { tokenCount: 24, tokenGapMs: 9 } })),
  );
  await using gateway = await startTestGateway({
    backends: mocks.map(({ name, port }, index) => ({ name, port, weight: FLEET[index]?.weight ?? 1 })),
    health: { intervalMs: 1000, timeoutMs: 500 },
    pool: { size: 12 },
    eventLog: { dir: join(folder, 'live') },
  });
  let isOver = false;
  const load = runLoad({ url: gateway.url, clients: CLIENTS, goOn: () => !isOver });
  const { page } = await visit(browser, `${gateway.adminUrl}/inspector/`, { viewport: TALL });
  await sleep(WELL_MS);
  await mocks[1]?.close();
  await page.locator('.card.state-unhealthy').waitFor();
  await sleep(KILLED_MS);
  await take(page, 'inspector-live.png');
  isOver = true;
  await load;
  await Promise.all(mocks.map((mock) => mock.close()));
  await page.context().close();
}

async function picturesOfRecording(browser: Browser): Promise<void> {
  const log = join(folder, 'monday/events');
  mkdirSync(log, { recursive: true });
  const { name, text } = recordScenario(outage(1));
  writeFileSync(join(log, name), text);
  await using inspector = await startInspect(log);

  const dark = await visit(browser, inspector.url, { viewport: TALL, colorScheme: 'dark' });
  await goToFall(dark.page);
  await take(dark.page, 'inspector-recorded.png');
  await dark.page.context().close();

  const panels = await visit(browser, inspector.url, { viewport: { width: 1280, height: 900 } });
  await goToFall(panels.page);
  await panels.page.getByRole('button', { name: 'Messages' }).click();
  await panels.page.locator('.message').first().waitFor();
  await panels.page.locator('.selector').evaluate((element) => element.scrollIntoView());
  await panels.page.mouse.move(0, 0);
  await take(panels.page, 'inspector-panels.png');
  await panels.page.context().close();

  const phone = await visit(browser, inspector.url, {
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2,
    hasTouch: true,
  });
  await goToFall(phone.page);
  await take(phone.page, 'inspector-phone.png');
  await phone.page.context().close();
}

/** The moment at which the backend fell, as a reader would find it. */
async function goToFall(page: Page): Promise<void> {
  await page.locator('.marks .mark-fell .shape').click();
  await page.locator('.card.state-unhealthy').waitFor();
  await page.locator('.entry.here').waitFor();
  await page.mouse.move(0, 0);
}

async function take(page: Page, name: string): Promise<void> {
  // What was asked for has come when it has been quiet for a moment.
  await sleep(600);
  await page.screenshot({ path: join(IMAGES, name) });
  process.stdout.write(`docs/images/${name}\n`);
}
