import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { chromium } from '../console/chromium.ts';
import { placesIn } from '../console/pages.ts';
import { consoleModule } from '../console/static.ts';
import { DESKTOP, PHONE, type Theme, WatchedPage } from '../console/watched-page.ts';
import { type ConsoleWorld, LONG_NAME, leaveTraces, longNames, play, startWorld } from '../console/world.ts';
import { activemq, findOrInstall } from '../support/servers/index.ts';

const brokers = await findOrInstall(activemq);
const browsers = await findOrInstall(chromium);

const PAINT_MS = 1000;
/** What all pages and libraries together may cost over the wire. */
const TRANSFERRED_BYTES = 150_000;
/** Google calls up to 0.1 good. */
const SHIFT = 0.1;
/** As long as going through all pages may take where everything takes ten times as long. */
const WALK_MS = 400_000;
const SIZES = { desktop: DESKTOP, phone: PHONE } as const;
const THEMES: readonly Theme[] = ['light', 'dark'];

/** Every page at both widths and in both themes; what each does is in console.test.ts. */
brokers.describe('the pages of the console', () => {
  browsers.describe('in a browser', () => {
    let world: ConsoleWorld;
    let browser: Browser;
    let seen: WatchedPage;
    let places: readonly string[];

    beforeAll(async () => {
      world = await startWorld(await brokers.start());
      browser = await browsers.start();
      await play(world);
      await leaveTraces(world);
      places = await placesIn(world);
    });

    afterAll(async () => {
      await browser?.close();
      await world?.close();
    });

    afterEach(async () => {
      await seen.close();
      expect(seen.errors).toEqual([]);
      expect(seen.outside()).toEqual([]);
    });

    const open = async (place: string, options?: Parameters<typeof WatchedPage.open>[2]) => {
      seen = await WatchedPage.open(browser, world.runtime.management('/console/'), options);
      await seen.visit(place);
      return seen.page;
    };

    /** What is wrong with these places at a width. */
    async function faultsOf(
      walked: readonly string[],
      size: keyof typeof SIZES,
      themes: readonly Theme[] = THEMES,
    ): Promise<Record<string, unknown>> {
      await open('#/', { size: SIZES[size] });
      const found: Record<string, unknown> = {};
      for (const place of walked) {
        await seen.visit(place);
        const wide = await seen.overflow();
        if (wide > 0) found[`${place} is too wide`] = wide;
        for (const theme of themes) {
          await seen.use(theme);
          const violations = await seen.violations();
          if (violations.length > 0) found[`${place} (${theme})`] = violations;
        }
      }
      return found;
    }

    it('are all that there are', async () => {
      await open('#/');
      const { ROUTES } = await consoleModule<{ ROUTES: ReadonlyArray<{ path: string }> }>('routes.js');
      const walked = new Set(places.map((place) => place.slice(2).split(/[/?]/, 1)[0]));
      expect(ROUTES.map(({ path }) => path).filter((path) => !walked.has(path))).toEqual([]);
      // A message, and two side by side.
      expect(places.filter((place) => place.includes('urn%3Auuid'))).toHaveLength(2);
      expect(places.some((place) => /^#\/traces\/[\w-]{36}$/.test(place))).toBe(true);
    });

    it.each(Object.keys(SIZES) as Array<keyof typeof SIZES>)(
      'have no serious accessibility violation and fit, in both themes (%s)',
      async (size) => {
        expect(await faultsOf(places, size)).toEqual({});
      },
      WALK_MS,
    );

    it('transfer less than 150 KB together, are painted within a second without a cache, and do not jump', async () => {
      const page = await open('#/');
      const client = await seen.withoutCache();
      const sizes = new Map<string, number>();
      const urls = new Map<string, string>();
      client.on('Network.responseReceived', ({ requestId, response }) => urls.set(requestId, response.url));
      client.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
        const url = urls.get(requestId);
        if (url?.includes('/console/')) sizes.set(url, encodedDataLength);
      });
      const paints: number[] = [];
      for (let round = 0; round < 3; round += 1) {
        await page.reload();
        await seen.settled();
        paints.push(await seen.firstPaint());
      }
      const shifts: Record<string, number> = {};
      for (const place of places) {
        await seen.visit('#/no-such-page');
        const before = await seen.layoutShift();
        await seen.visit(place);
        const shift = (await seen.layoutShift()) - before;
        if (shift > SHIFT) shifts[place] = shift;
      }
      await seen.visit('#/stores/Orders');
      await page.locator('.uplot').first().waitFor();
      const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
      const painted = paints.map((ms) => `${Math.round(ms)} ms`).join(', ');
      process.stdout.write(`console: ${total} bytes for ${sizes.size} files; first contentful paint ${painted}\n`);
      expect(sizes.size).toBeGreaterThan(40);
      expect(total).toBeLessThan(TRANSFERRED_BYTES);
      expect(Math.min(...paints)).toBeLessThan(PAINT_MS);
      expect(shifts).toEqual({});
    });

    it('draw a part of what is long: 10,000 messages, 500 artifacts', async () => {
      const store = world.runtime.management('/management/message-stores/Archive');
      const [line = ''] = (await (await fetch(`${store}/export`)).text()).split('\n');
      const { id } = JSON.parse(line) as { id: string };
      const lines = Array.from({ length: 10_000 }, (_, number) => line.replaceAll(id, `urn:uuid:many-${number}`));
      const headers = { 'Content-Type': 'application/x-ndjson' };
      const signal = AbortSignal.timeout(60_000);
      const imported = await fetch(`${store}/import`, { method: 'POST', headers, body: lines.join('\n'), signal });
      expect(await imported.json()).toMatchObject({ done: 10_000, failed: [] });
      const page = await open('#/stores/Archive/messages');
      const rows = page.locator('.rows tbody tr');
      expect(await rows.count()).toBe(50);
      for (const [from, until] of [
        [51, 100],
        [101, 150],
      ]) {
        await page.getByRole('button', { name: 'Next' }).click();
        await page.getByText(`${from}–${until}, oldest first`).waitFor();
        expect(await rows.count()).toBe(50);
      }
      const sequences = Array.from({ length: 500 }, (_, number) => `<sequence name="Many${number}"><drop/></sequence>`);
      const namespace = 'xmlns="http://ws.apache.org/ns/synapse"';
      await world.deploy('Many.xml', `<definitions ${namespace}>${sequences.join('\n')}</definitions>\n`);
      await seen.visit('#/artifacts/all');
      await expect.poll(() => rows.count(), { timeout: 20_000 }).toBe(200);
      await page.getByRole('button', { name: 'Show 200 more' }).click();
      await expect.poll(() => rows.count(), { timeout: 20_000 }).toBe(400);
      await page.getByRole('searchbox').fill('many499');
      await expect.poll(() => rows.count(), { timeout: 20_000 }).toBe(1);
      await world.deploy('Many.xml', `<sequence ${namespace} name="Many"><drop/></sequence>\n`);
    });

    it.each(Object.keys(SIZES) as Array<keyof typeof SIZES>)(
      'show names of 150 characters without falling apart (%s)',
      async (size) => {
        await world.deploy('LongNames.xml', longNames());
        const walked = [
          ...['#/', '#/stores', '#/processors', '#/endpoints', '#/artifacts/all', '#/artifacts/deployments', '#/send'],
          ...['#/graph', '#/traces', '#/logs', '#/audit', `#/stores/${LONG_NAME}`, `#/stores/${LONG_NAME}/messages`],
          `#/processors/${LONG_NAME}`,
          `#/graph?node=store:${LONG_NAME}`,
        ];
        expect(await faultsOf(walked, size, ['light'])).toEqual({});
      },
      WALK_MS,
    );
  });
});
