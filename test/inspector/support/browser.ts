/**
 * A headless Chromium for tests: `REPRISE_CHROMIUM`, or the system's own, or the one that comes with
 * `@sparticuz/chromium`, which is unpacked once and kept in the folder of temporary files.
 */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { PATIENCE_MS } from '../../support/patience.ts';

const SYSTEM_BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--no-first-run',
  '--font-render-hinting=none',
];
/** @returns a browser of its own for a test file, to be closed by it */
export async function startBrowser(): Promise<Browser> {
  const { executablePath, fontconfig } = await findBrowser();
  const env = fontconfig === undefined ? {} : { FONTCONFIG_PATH: fontconfig };
  return chromium.launch({
    executablePath,
    args: ARGS,
    env: { ...process.env, ...env } as Record<string, string>,
  });
}

export type Visit = {
  readonly page: Page;
  /** Errors of the page, and what its Content-Security-Policy forbade. */
  readonly complaints: readonly string[];
};

/** Opens the inspector and waits until it shows a moment. Times are UTC, whatever the machine's zone. */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    timezoneId: 'UTC',
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(url);
  await page.locator('.chart.large').waitFor();
  // A recording is shown while it is still being read.
  await page.locator('.source progress').waitFor({ state: 'detached' });
  return { page, complaints };
}

type Found = { readonly executablePath: string; readonly fontconfig?: string };

async function findBrowser(): Promise<Found> {
  const own = [process.env.REPRISE_CHROMIUM ?? '', ...SYSTEM_BROWSERS].find(
    (path) => path !== '' && existsSync(path),
  );
  if (own !== undefined) return { executablePath: own };
  if (process.platform !== 'linux') {
    throw new Error('no Chromium was found; name one in the environment variable REPRISE_CHROMIUM');
  }
  const folder = await unpacked();
  return { executablePath: join(folder, 'chromium'), fontconfig: folder };
}

/**
 * Unpacks the browser beside its place and moves it there as a whole, so that another test file never finds half of it.
 * The package unpacks into the folder of temporary files, wherever that is at the moment it is asked.
 */
async function unpacked(): Promise<string> {
  const folder = join(tmpdir(), `reprise-chromium-${packageVersion()}`);
  if (existsSync(folder)) return folder;
  const { default: packed } = await import('@sparticuz/chromium');
  const staging = mkdtempSync(`${folder}-`);
  const before = process.env.TMPDIR;
  process.env.TMPDIR = staging;
  try {
    await packed.executablePath();
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
  writeFonts(staging, folder);
  try {
    renameSync(staging, folder);
  } catch (error) {
    // Another test file was quicker.
    rmSync(staging, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

function packageVersion(): string {
  const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium');
  const manifest: { version: string } = JSON.parse(
    readFileSync(join(dirname(entry), '../package.json'), 'utf8'),
  );
  return manifest.version;
}

/** The font that comes with the browser first, then the system's for the signs it lacks. */
function writeFonts(staging: string, folder: string): void {
  mkdirSync(join(staging, 'cache'), { recursive: true });
  const prefer = (family: string, font: string) =>
    `<alias binding="same"><family>${family}</family><prefer><family>${font}</family></prefer></alias>`;
  writeFileSync(
    join(staging, 'fonts.conf'),
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<dir>${folder}/fonts</dir><dir>/usr/share/fonts</dir><cachedir>${folder}/cache</cachedir>
${prefer('sans-serif', 'Open Sans')}${prefer('system-ui', 'Open Sans')}</fontconfig>\n`,
  );
}
