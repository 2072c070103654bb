/** The inspector's page over a recording, in a browser: what is drawn, and what keys and pointer do. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { PATIENCE_MS } from '../support/patience.ts';
import { recordScenario } from '../support/scenario.ts';
import { startBrowser, visit } from './support/browser.ts';
import { type Inspector, startInspect } from './support/inspect.ts';
import { outage } from './support/outage.ts';

const BACKEND = 'llama-small';

describe('the page of a recording', () => {
  const folder = mkdtempSync(join(tmpdir(), 'reprise-page-'));
  let browser: Browser;
  let inspector: Inspector;

  before(async () => {
    const { name, text } = recordScenario(outage(0.4));
    writeFileSync(join(folder, name), text);
    [browser, inspector] = await Promise.all([startBrowser(), startInspect(folder)]);
  });
  after(async () => {
    await browser.close();
    await inspector[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  /** Opens the page, lets a test work with it, and holds that the page had nothing to complain of. */
  const withPage = async (
    work: (page: Page) => Promise<void>,
    hash = '',
    options: BrowserContextOptions = {},
  ) => {
    const { page, complaints } = await visit(browser, `${inspector.url}${hash}`, options);
    try {
      await work(page);
      assert.deepEqual(complaints, []);
    } finally {
      await page.context().close();
    }
  };

  it('draws bands, rates and marks of the whole of it', () =>
    withPage(async (page) => {
      const states = await page.locator(`.row[data-backend="${BACKEND}"] .band`).evaluateAll(classes);
      assert.deepEqual(states, ['band state-healthy', 'band state-unhealthy', 'band state-healthy']);
      assert.equal(await page.locator('.bands .row').count(), 3);
      const marks = (await page.locator('.marks .mark').evaluateAll(classes)).map((name) => name.slice(10));
      assert.deepEqual(marks, ['started', 'fell', 'reloadRefused', 'rose', 'drained', 'restored']);
      assert.equal(await page.locator('.rates .area[class*=colour][d^="M"]').count(), 3);
      assert.ok(await page.locator('.in-line[d^="M"]').isVisible(), 'requests that waited are drawn');
    }));

  it('lights the state at the moment shown, and the slider moves it back', () =>
    withPage(async (page) => {
      await page.locator(`.card[data-backend="${BACKEND}"] .pick`).click();
      assert.equal(await litState(page), 'healthy');
      await slideTo(page, await middleOf(page, '.band.state-unhealthy'));
      await page.locator('.detail .node.lit[data-state=unhealthy]').waitFor();
      await page
        .locator(`.card.state-unhealthy[data-backend="${BACKEND}"] .chip >> text=unhealthy`)
        .waitFor();
      assert.match(await page.locator('.selector tr', { hasText: BACKEND }).innerText(), /no, unhealthy/);
      assert.match(await page.locator('.detail').innerText(), /3 of 3 probes failed, the last with: refused/);
      await slideTo(page, 0.01);
      await page.locator('.detail .node.lit[data-state=healthy]').waitFor();
    }));

  it('jumps from one change of state to the next, by keys', () =>
    withPage(async (page) => {
      const seen: string[] = [];
      for (let jumps = 0; jumps < 4; jumps += 1) {
        await press(page, 'Shift+ArrowLeft');
        seen.push(await page.locator('.entry.here .words').innerText());
      }
      assert.match(seen[0] ?? '', /restored qwen-coder → qwen-coder is healthy/);
      assert.match(seen[1] ?? '', /qwen-coder is drained/);
      assert.match(seen[2] ?? '', /an operator drained qwen-coder/);
      assert.match(seen[3] ?? '', /llama-small is healthy/);
      await press(page, 'Shift+ArrowRight');
      assert.match(await page.locator('.entry.here .words').innerText(), /operator drained qwen-coder/);
    }));

  it('steps one entry back and on, and a mark leads to its entry', () =>
    withPage(async (page) => {
      await clickAndWait(page, '.marks .mark-fell .shape');
      const fell = await shownEntry(page);
      assert.equal(String(fell), await page.locator('.marks .mark-fell').getAttribute('data-seq'));
      await press(page, 'ArrowLeft');
      assert.equal(await shownEntry(page), fell - 1);
      await page.getByRole('button', { name: 'Step forward' }).click();
      await page.locator(`.entry.here[data-seq="${fell}"]`).waitFor();
    }));

  it('plays a hundred times as fast, and rests at the end', () =>
    withPage(async (page) => {
      await slideTo(page, 0.6);
      await page.locator('.speed select').selectOption('100');
      await press(page, 'Space', false);
      await page.getByRole('button', { name: 'Pause' }).waitFor();
      await page.getByRole('button', { name: 'Play' }).waitFor();
      await page.locator('.where time >> text=/^03:1[56]/').waitFor();
    }));

  it('filters events by type, backend and request, and shows one whole', () =>
    withPage(async (page) => {
      await page.locator('select[name=kind]').selectOption('changes');
      await page.locator('select[name=backend]').selectOption(BACKEND);
      await until(page, 'document.querySelectorAll(".entry").length === 3');
      await page.locator('.entry .summary', { hasText: 'llama-small is unhealthy' }).click();
      assert.match(await page.locator('.whole pre').innerText(), /"to": "unhealthy"/);
      await page.getByRole('button', { name: 'Clear filter' }).click();
      await page.locator('.entry >> nth=20').waitFor();
      await page.locator('input[name=request]').fill('40');
      await page.locator('input[name=request]').press('Enter');
      await until(page, '[2, 3, 4].includes(document.querySelectorAll(".entry").length)');
      for (const words of await page.locator('.entry .words').allInnerTexts())
        assert.match(words, /request 40\b/);
    }));

  it('shows the same events as messages between the parts', () =>
    withPage(async (page) => {
      await page.getByRole('button', { name: 'Messages' }).click();
      await page.locator('.lanes .message').first().waitFor();
      assert.deepEqual((await page.locator('.lanes .head text').allTextContents()).slice(0, 3), [
        'outsideoutside',
        'selectorselector',
        'poolpool',
      ]);
      assert.ok((await page.locator('.lanes .message .arrow').count()) > 30);
    }));

  it('tells the life of the request whose id is searched', () =>
    withPage(async (page) => {
      await page.locator('select[name=kind]').selectOption('request.received');
      await until(
        page,
        '[...document.querySelectorAll(".entry code")].every((type) => type.textContent === "request.received")',
      );
      await page.locator('.entry .summary').first().click();
      const entry = JSON.parse(await page.locator('.whole pre').innerText());
      await press(page, '/', false);
      await page.keyboard.type(entry.fact.requestId);
      await page.keyboard.press('Enter');
      assert.match(await page.locator('.request pre').innerText(), /POST \/v1\/chat\/completions/);
      await page
        .getByRole('button', { name: /Go to its arrival/ })
        .first()
        .click();
      await page.locator(`.entry.here[data-seq="${entry.seq}"]`).waitFor();
      await page.locator('#search').fill('no-such-request');
      await page.locator('#search').press('Enter');
      await page.locator('.request >> text=/no such|No request|not in/i').first().waitFor();
    }));

  it('opens at the moment that its address names', () =>
    withPage(async (page) => {
      assert.equal(await shownEntry(page), 700);
      assert.equal(await page.locator('.card:has([aria-pressed=true]) .id').innerText(), 'qwen-coder');
    }, '#seq=700&backend=qwen-coder'));

  it('zooms on the slider by key and on the pointer by wheel, and shows all again', () =>
    withPage(async (page) => {
      const slider = page.locator('.slider');
      const span = async () =>
        Number(await slider.getAttribute('max')) - Number(await slider.getAttribute('min'));
      const whole = await span();
      await page.locator('.surface').hover({ position: { x: 300, y: 60 } });
      await page.keyboard.down('Control');
      await page.mouse.wheel(0, -600);
      await page.keyboard.up('Control');
      await until(
        page,
        `document.querySelector('.slider').max - document.querySelector('.slider').min < ${whole}`,
      );
      const byWheel = await span();
      await page.locator('h1').click();
      await press(page, '+', false);
      await until(
        page,
        `document.querySelector('.slider').max - document.querySelector('.slider').min < ${byWheel}`,
      );
      await press(page, '0', false);
      await until(
        page,
        `document.querySelector('.slider').max - document.querySelector('.slider').min === ${whole}`,
      );
    }));

  it('is worked by keys alone: the slider by arrows, the help by its key, with the focus in sight', () =>
    withPage(async (page) => {
      await page.locator('.slider').focus();
      const before = Number(await page.locator('.slider').inputValue());
      await page.keyboard.press('ArrowLeft');
      await page.keyboard.press('ArrowLeft');
      await until(page, `document.querySelector('.slider').valueAsNumber < ${before}`);
      assert.match((await page.locator('.slider').getAttribute('aria-valuetext')) ?? '', /^03:1\d:\d\d/);
      await page.keyboard.press('?');
      await page.locator('dialog[open] >> text=to the next state change').waitFor();
      await page.keyboard.press('Escape');
      await page.locator('dialog').waitFor({ state: 'detached' });
      await page.keyboard.press('Tab');
      const outline = 'getComputedStyle(document.activeElement).outlineStyle';
      assert.equal(await page.evaluate(outline), 'solid');
    }));

  it('fits a phone without scrolling sideways, in the dark as well', () =>
    withPage(
      async (page) => {
        await page.locator('.picks .badge').first().waitFor();
        assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 390);
        const [ground = 0] =
          /\d+/.exec(String(await page.evaluate('getComputedStyle(document.body).backgroundColor'))) ?? [];
        assert.ok(Number(ground) < 40, 'the ground is dark');
        for (const name of ['Play', 'Step back', 'Next state change']) {
          const box = await page.getByRole('button', { name, exact: true }).boundingBox();
          assert.ok(box !== null && box.x >= 0 && box.x + box.width <= 390, name);
        }
      },
      '#seq=900',
      { viewport: { width: 390, height: 844 }, colorScheme: 'dark', reducedMotion: 'reduce', hasTouch: true },
    ));

  it('says in words what it tells by colour', () =>
    withPage(async (page) => {
      await clickAndWait(page, '.marks .mark-fell .shape');
      const chart = page.getByRole('img', {
        name: /^State chart of llama-small: unhealthy; last transition from healthy/,
      });
      assert.ok(await chart.isVisible());
      assert.match(
        (await page.locator('.marks .mark-fell').getAttribute('aria-label')) ?? '',
        /became unhealthy llama-small/,
      );
      assert.match(
        (await page.locator('.picks').getAttribute('aria-label')) ?? '',
        /oldest first: [ABC]( [ABC])+$/,
      );
      assert.match(await page.locator('#spoken').innerText(), /llama-small is unhealthy/);
      const buttons = await page.getByRole('button').evaluateAll(names);
      assert.deepEqual(
        buttons.filter((name) => name === ''),
        [],
        'every button has a name',
      );
    }));
});

type Element = { getAttribute(name: string): string | null; readonly textContent: string | null };

const classes = (elements: readonly Element[]) =>
  elements.map((element) => element.getAttribute('class') ?? '');
const names = (elements: readonly Element[]) =>
  elements.map((element) => element.getAttribute('aria-label') ?? element.textContent?.trim() ?? '');

async function litState(page: Page): Promise<string | null> {
  return page.locator('.detail .node.lit').getAttribute('data-state');
}

/** Number of the entry at the moment shown. */
async function shownEntry(page: Page): Promise<number> {
  return Number(await page.locator('.entry.here').getAttribute('data-seq'));
}

/** Waits until an expression holds in the page. Playwright's own way to wait is forbidden by the page's policy. */
async function until(page: Page, expression: string): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while ((await page.evaluate(expression)) !== true) {
    if (Date.now() > end) assert.fail(`${expression} did not come true`);
    await page.evaluate('new Promise((done) => requestAnimationFrame(done))');
  }
}

/** Where the middle of something stands on the slider, as a share of it. */
async function middleOf(page: Page, selector: string): Promise<number> {
  const [surface, box] = await Promise.all([
    page.locator('.surface').boundingBox(),
    page.locator(selector).first().boundingBox(),
  ]);
  assert.ok(surface && box);
  return (box.x + box.width / 2 - surface.x) / surface.width;
}

async function slideTo(page: Page, share: number): Promise<void> {
  const slider = page.locator('.slider');
  const [min, max] = [Number(await slider.getAttribute('min')), Number(await slider.getAttribute('max'))];
  await slider.fill(String(min + share * (max - min)));
}

/** Presses a key, and if it leads elsewhere waits until the list shows that entry. */
async function press(page: Page, key: string, moves = true): Promise<void> {
  const before = await page.locator('.where .seq').innerText();
  await page.keyboard.press(key);
  if (!moves) return;
  await until(page, `document.querySelector('.where .seq').textContent !== ${JSON.stringify(before)}`);
  await arrived(page);
}

async function clickAndWait(page: Page, selector: string): Promise<void> {
  const before = await page.locator('.where .seq').innerText();
  await page.locator(selector).click();
  await until(page, `document.querySelector('.where .seq').textContent !== ${JSON.stringify(before)}`);
  await arrived(page);
}

/** The list has come after the moment: the entry it marks is the one that the controls tell. */
async function arrived(page: Page): Promise<void> {
  await until(
    page,
    `document.querySelector('.entry.here')?.dataset.seq === document.querySelector('.where .seq').textContent.replace(/\\D/g, '')`,
  );
}
