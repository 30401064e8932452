// Headless Chromium for tests: Debian's package, driven by playwright-core, with a profile of its own that is gone with it.
import { chromium, type BrowserContext, type Page } from 'playwright-core';

const DEBIANS = '/usr/bin/chromium';

/** Nothing of the browser's own may go to the network, and nothing may depend on a display, a sandbox or a GPU. */
const FLAGS = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-gpu',
  '--disable-quic',
  '--disable-sync',
  '--no-first-run',
];

export interface TestBrowser extends AsyncDisposable {
  /** A tab in a context of its own (cookies, cache, connections), which takes any certificate. */
  openTab(): Promise<Tab>;
}

export interface Tab {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the page wrote to its console and the errors that nothing caught, each as a line: for the messages of failures. */
  readonly log: string[];
}

/** Starts the browser; CHROMIUM in the environment names another one than Debian's. */
export async function launchBrowser(): Promise<TestBrowser> {
  const executablePath = process.env['CHROMIUM'] ?? DEBIANS;
  const browser = await chromium.launch({
    executablePath,
    headless: true,
    chromiumSandbox: false,
    args: FLAGS,
  });
  return {
    async openTab() {
      const context = await browser.newContext({ ignoreHTTPSErrors: true });
      const page = await context.newPage();
      const log: string[] = [];
      page.on('console', (message) => log.push(`${message.type()}: ${message.text()}`));
      page.on('pageerror', (error) => log.push(`uncaught: ${error.message}`));
      return { page, context, log };
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
    },
  };
}
