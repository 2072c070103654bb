/** The inspector's page of a live gateway, in a browser; and the same moment found again in its log afterwards. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { startFleet, weighted } from '../support/fleet.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { runLoad } from '../support/load.ts';
import { startBrowser, visit } from './support/browser.ts';
import { startInspect } from './support/inspect.ts';

/** None is late where a machine is busy: a backend falls because it is gone. */
const PROBES = { intervalMs: 150, timeoutMs: 10_000, fall: 3, rise: 2 };
/** A picture of an empty page is a tenth of this. */
const PICTURE_BYTES = 40_000;

describe('the page of a live gateway', () => {
  let browser: Browser;
  const top = mkdtempSync(join(tmpdir(), 'reprise-page-live-'));
  before(async () => {
    browser = await startBrowser();
  });
  after(async () => {
    await browser.close();
    rmSync(top, { recursive: true });
  });

  const start = async (name: string, count: number) => {
    const fleet = await startFleet(count, { tokenGapMs: 2, tokenCount: 3 });
    const gateway = await startTestGateway({
      backends: weighted(fleet.mocks, [3, 1]),
      health: PROBES,
      // Probes are to tell of the fall, before requests that fail eject it.
      outlier: { consecutiveFailures: 0 },
      eventLog: { dir: join(top, name) },
    });
    const url = `${gateway.adminUrl}/inspector/`;
    return { fleet, gateway, url, dir: join(top, name) };
  };

  it('shows a backend that was killed turn unhealthy, and the slider finds that moment in the log', async () => {
    const { fleet, gateway, url, dir } = await start('killed', 2);
    await using _fleet = fleet;
    let isOver = false;
    const load = runLoad({ url: gateway.url, clients: 2, goOn: () => !isOver });
    const { page, complaints } = await visit(browser, url);
    await page.locator('.card.state-healthy[data-backend=b]').waitFor();
    await page.locator('.picks .badge').first().waitFor();

    await fleet.mocks[1]?.close();
    const fell = await gateway.decision('backend.changed');
    await page.locator('.card.state-unhealthy[data-backend=b]').waitFor();
    await page.locator('.detail .node.lit[data-state=unhealthy]').waitFor();
    await page.locator('.row[data-backend=b] .band.state-unhealthy').waitFor();
    await page.locator('.marks .mark-fell').waitFor();
    assert.match(await page.locator('#spoken').innerText(), /^b is unhealthy: 3 of 3 probes failed/);
    assert.ok((await page.screenshot()).length > PICTURE_BYTES);

    isOver = true;
    await load;
    // From here on the browser itself reports questions that were cut off.
    assert.deepEqual(complaints, []);
    await gateway.gateway.stop();
    await page.locator('.notes >> text=The server does not answer').waitFor();
    await page.context().close();
    await findAgain(dir, fell.seq);
  });

  const findAgain = async (dir: string, fellSeq: number) => {
    await using inspector = await startInspect(dir);
    const { page, complaints } = await visit(browser, inspector.url);
    await page.locator('.kind >> text=Recording').waitFor();
    await page.locator('.phase >> text=has stopped').waitFor();
    await dragTo(page, '.row[data-backend=b] .band.state-unhealthy');
    await page.locator('.detail .node.lit[data-state=unhealthy]').waitFor();
    await page.getByRole('button', { name: 'Previous state change' }).click();
    await page.locator(`.entry.here[data-seq="${fellSeq}"]`).waitFor();
    assert.match(
      await page.locator('.entry.here .words').innerText(),
      /b is unhealthy: 3 of 3 probes failed/,
    );
    await page.getByRole('button', { name: 'Step back' }).click();
    await page.locator('.card.state-healthy[data-backend=b]').waitFor();
    assert.ok((await page.screenshot()).length > PICTURE_BYTES);
    assert.deepEqual(complaints, []);
    await page.context().close();
  };

  it('stays at a moment while it is paused, counts what comes, and catches up', async () => {
    const { fleet, gateway, url } = await start('paused', 2);
    await using _fleet = fleet;
    await using _gateway = gateway;
    const { page, complaints } = await visit(browser, url);
    await page.locator('.live.on').waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    // Until this is drawn the page still shows a moment before the one it has paused at.
    await page.getByRole('button', { name: 'Play' }).waitFor();
    const seq = await page.locator('.where .seq').innerText();
    const isDone = ({ entries }: TestGateway) =>
      entries.filter(({ fact }) => fact.type === 'response.ended').length >= 20;
    await runLoad({ url: gateway.url, clients: 1, goOn: () => !isDone(gateway) });
    await page.locator('.live >> text=/Go live, \\d+ entries since/').waitFor();
    assert.equal(await page.locator('.where .seq').innerText(), seq);
    await page.locator('.live').click();
    await page.locator('.live.on').waitFor();
    await page.locator('.picks .badge').nth(19).waitFor();
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  it('shows the present of a gateway that records nothing, and says that there is no history', async () => {
    await using fleet = await startFleet(1);
    await using gateway = await startTestGateway({ backends: weighted(fleet.mocks, [1]), health: PROBES });
    const { page, complaints } = await visit(browser, `${gateway.adminUrl}/inspector/`);
    await page.locator('.notes >> text=/event log is off/').waitFor();
    await page.locator('.timeline >> text=There is no history').waitFor();
    await page.locator('.card.state-healthy').waitFor();
    await fleet.mocks[0]?.close();
    await page.locator('.card.state-unhealthy').waitFor();
    assert.ok(await page.getByRole('button', { name: 'Step back' }).isDisabled());
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  it('asks before it drains, does nothing when told no, and sends a header that no form can', async () => {
    const { fleet, gateway, url } = await start('drained', 2);
    await using _fleet = fleet;
    await using _gateway = gateway;
    const { page, complaints } = await visit(browser, url);
    const sent: Record<string, string>[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST') sent.push(request.headers());
    });
    await page.locator('.card[data-backend=b] .pick').click();
    await page.getByRole('button', { name: 'Drain…' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.locator('dialog').waitFor({ state: 'detached' });
    assert.equal(sent.length, 0);

    await page.getByRole('button', { name: 'Drain…' }).click();
    await page.locator('dialog >> text=It gets no new request until it is restored.').waitFor();
    await page.getByRole('button', { name: 'Drain', exact: true }).click();
    await isShown(page, gateway, 'operator.drained');
    await page.locator('.card[data-backend=b] .chip >> text=drained').waitFor();
    assert.equal(sent[0]?.['x-reprise-request'], '1');

    await page.getByRole('button', { name: 'Restore…' }).click();
    await page.getByRole('button', { name: 'Restore', exact: true }).click();
    await isShown(page, gateway, 'operator.restored');
    await page.locator('.card.state-healthy[data-backend=b]').waitFor();

    gateway.breakConfig();
    await page.getByRole('button', { name: 'Reload config…' }).click();
    await page.getByRole('button', { name: 'Reload', exact: true }).click();
    await page.locator('.notice >> text=/health.fall/').waitFor();
    await page.locator('.marks .mark-reloadRefused').waitFor();
    // The browser itself reports the answer 422.
    assert.deepEqual(
      complaints.filter((text) => !text.includes('422')),
      [],
    );
    await page.context().close();
  });
});

/** The fact has reached the core, and the mark of it the timeline. */
async function isShown(page: Page, gateway: TestGateway, type: 'operator.drained' | 'operator.restored') {
  await gateway.fact(type);
  await page.locator(`.marks .mark-${type.slice('operator.'.length)}`).waitFor();
}

/** Drags from the right edge of the timeline to the middle of something in it. */
async function dragTo(page: Page, selector: string): Promise<void> {
  const [surface, box] = await Promise.all([
    page.locator('.surface').boundingBox(),
    page.locator(selector).first().boundingBox(),
  ]);
  assert.ok(surface && box);
  await page.mouse.move(surface.x + surface.width - 4, surface.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2, surface.y + 60, { steps: 4 });
  await page.mouse.up();
}
