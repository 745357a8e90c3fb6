import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core';

export type Theme = 'light' | 'dark';

export const DESKTOP = { width: 1280, height: 800 } as const;
export const PHONE = { width: 390, height: 844 } as const;

/** Adds up what the browser tells of things that jump. */
const SHIFTS = `globalThis.shifted = 0;
new PerformanceObserver((list) => {
  for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) globalThis.shifted += value;
}).observe({ type: 'layout-shift', buffered: true });`;

/** A page that is watched: what it asks for, and what goes wrong in it. */
export class WatchedPage {
  readonly page: Page;
  /** Every address that was asked for. */
  readonly requests: string[] = [];
  /** Errors of scripts and of the browser's console. */
  readonly errors: string[] = [];
  readonly #context: BrowserContext;
  readonly #console: string;

  private constructor(context: BrowserContext, page: Page, console: string) {
    this.#context = context;
    this.page = page;
    this.#console = console;
    context.on('request', (request) => this.requests.push(request.url()));
    page.on('pageerror', (error) => this.errors.push(error.stack ?? error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(`${message.text()} (${message.location().url})`);
    });
  }

  /** @param console the address of the console, with its slash */
  static async open(
    browser: Browser,
    console: string,
    options: { readonly theme?: Theme; readonly size?: { readonly width: number; readonly height: number } } = {},
  ): Promise<WatchedPage> {
    const { theme = 'light', size = DESKTOP } = options;
    const context = await browser.newContext({ viewport: size, colorScheme: theme, reducedMotion: 'reduce' });
    context.setDefaultTimeout(20_000);
    await context.addInitScript(SHIFTS);
    return new WatchedPage(context, await context.newPage(), console);
  }

  /** Goes to a place of the console and waits until its heading is there and nothing is loading. @param place such as `#/stores` */
  async visit(place: string): Promise<void> {
    await this.page.goto(this.#console + place);
    await this.settled();
  }

  /** Nothing is loading any more. */
  async settled(): Promise<void> {
    await this.page.locator('h1').first().waitFor();
    await this.page.locator('.skeleton').first().waitFor({ state: 'detached' });
  }

  /** Serious and critical violations that axe finds on the page as it is, one line each. */
  async violations(): Promise<string[]> {
    // Evaluated from outside: the page itself may run no script that is not its own.
    await this.page.evaluate(await axeSource());
    const { violations } = await this.page.evaluate<AxeResults>(`axe.run({ resultTypes: ['violations'] })`);
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(
        ({ id, nodes }) =>
          `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`.slice(0, 400)).join(' | ')}`,
      );
  }

  /** Shows the page in other colours, as it follows the system. */
  async use(theme: Theme): Promise<void> {
    await this.page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    await this.page.locator(`html[data-theme=${theme}]`).waitFor();
  }

  /** Nothing comes from the browser's cache any more. */
  async withoutCache(): Promise<CDPSession> {
    const client = await this.page.context().newCDPSession(this.page);
    await client.send('Network.enable');
    await client.send('Network.setCacheDisabled', { cacheDisabled: true });
    return client;
  }

  /** How far things have jumped that nobody had touched, since the document was opened (cumulative layout shift). */
  async layoutShift(): Promise<number> {
    return await this.page.evaluate<number>('shifted');
  }

  /** Until something of the page was painted, ms. */
  async firstPaint(): Promise<number> {
    return await this.page.evaluate<number>(`new Promise((resolve) => {
      new PerformanceObserver((list) => {
        const [paint] = list.getEntriesByName('first-contentful-paint');
        if (paint) resolve(paint.startTime);
      }).observe({ type: 'paint', buffered: true });
    })`);
  }

  /** What it has asked of others than the server that it comes from. */
  outside(): string[] {
    const { origin } = new URL(this.#console);
    return this.requests.filter((url) => !url.startsWith(`${origin}/`) && !url.startsWith('data:'));
  }

  /** How far the page can be scrolled to the side, px. */
  async overflow(): Promise<number> {
    return await this.page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
  }

  async close(): Promise<void> {
    await this.#context.close();
  }
}

interface AxeResults {
  readonly violations: ReadonlyArray<{
    readonly id: string;
    readonly impact: string;
    readonly nodes: ReadonlyArray<{ readonly html: string; readonly failureSummary: string }>;
  }>;
}

let axe: Promise<string> | undefined;

function axeSource(): Promise<string> {
  axe ??= readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  return axe;
}
