/** A real browser without a window, for pages; what a page may and may not do is enforced as for its users. */
import chromium from '@sparticuz/chromium';
import { type BrowserContext, chromium as playwright } from 'playwright-core';

export type TestBrowser = AsyncDisposable & { readonly context: BrowserContext };

export async function startBrowser(): Promise<TestBrowser> {
  const browser = await playwright.launch({
    executablePath: await chromium.executablePath(),
    // Tests run as root in containers, where Chromium's own sandbox cannot be had.
    args: ['--no-sandbox', '--no-zygote', '--disable-gpu'],
  });
  return {
    context: await browser.newContext(),
    async [Symbol.asyncDispose]() {
      await browser.close();
    },
  };
}
