import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { chromium } from '../console/chromium.ts';
import { WatchedPage } from '../console/watched-page.ts';
import { type ConsoleWorld, startWorld } from '../console/world.ts';
import { activemq, findOrInstall } from './servers/index.ts';

/** `console`: its address, where it is not that of the world. */
type PageOptions = NonNullable<Parameters<typeof WatchedPage.open>[2]> & { readonly console?: string };

/** The console of a world in a browser; what is asked for is there while tests run. */
export interface ConsoleInBrowser {
  readonly world: ConsoleWorld;
  readonly browser: Browser;
  /** The page that was opened last. */
  readonly seen: WatchedPage;
  /** Opens a page of its own at a place such as `#/stores`; after the test it is closed, and must have met no error and asked nobody else. */
  readonly open: (place: string, options?: PageOptions) => Promise<Page>;
}

/**
 * vitest's `describe` of what is seen on the console of a world with a real broker, skipped where the broker or the browser is missing.
 * @param prepare what happens in the world before the first test
 */
export async function describeConsole(
  name: string,
  prepare: (world: ConsoleWorld) => Promise<void>,
  tests: (shown: ConsoleInBrowser) => void,
): Promise<void> {
  const brokers = await findOrInstall(activemq);
  const browsers = await findOrInstall(chromium);
  brokers.describe(name, () => {
    browsers.describe('in a browser', () => {
      const shown = new Shown();

      beforeAll(async () => {
        shown.there = { world: await startWorld(await brokers.start()), browser: await browsers.start() };
        await prepare(shown.world);
      });

      afterAll(() => shown.close());

      afterEach(() => shown.leave());

      tests(shown);
    });
  });
}

class Shown implements ConsoleInBrowser {
  there: { readonly world: ConsoleWorld; readonly browser: Browser } | undefined;
  #seen: WatchedPage | undefined;

  get world(): ConsoleWorld {
    return this.#there().world;
  }

  get browser(): Browser {
    return this.#there().browser;
  }

  get seen(): WatchedPage {
    if (!this.#seen) throw new Error('No page was opened yet');
    return this.#seen;
  }

  readonly open = async (place: string, options: PageOptions = {}): Promise<Page> => {
    const { console = this.world.runtime.management('/console/'), ...others } = options;
    await this.#seen?.close();
    this.#seen = await WatchedPage.open(this.browser, console, others);
    await this.#seen.visit(place);
    return this.#seen.page;
  };

  async leave(): Promise<void> {
    const seen = this.#seen;
    this.#seen = undefined;
    await seen?.close();
    expect(seen?.errors ?? []).toEqual([]);
    expect(seen?.outside() ?? []).toEqual([]);
  }

  async close(): Promise<void> {
    await this.there?.browser.close();
    await this.there?.world.close();
  }

  #there() {
    if (!this.there) throw new Error('The world is not there yet');
    return this.there;
  }
}
