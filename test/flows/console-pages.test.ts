import { expect, it } from 'vitest';
import { placesIn } from '../console/pages.ts';
import { consoleModule } from '../console/static.ts';
import { DESKTOP, PHONE, type Theme } from '../console/watched-page.ts';
import { LONG_NAME, leaveTraces, longNames, play } from '../console/world.ts';
import { describeConsole } from '../support/console-flow.ts';

const PAINT_MS = 1000;
/** What all pages and libraries together may cost over the wire. */
const TRANSFERRED_BYTES = 150_000;
/** Google calls up to 0.1 good. */
const SHIFT = 0.1;
/** As long as going through all pages may take where everything takes ten times as long. */
const WALK_MS = 400_000;
const SIZES = { desktop: DESKTOP, phone: PHONE } as const;
const THEMES: readonly Theme[] = ['light', 'dark'];

let places: readonly string[];

/** Every page at both widths and in both themes; what each does is in console.test.ts. */
await describeConsole(
  'the pages of the console',
  async (world) => {
    await play(world);
    await leaveTraces(world);
    places = await placesIn(world);
  },
  (shown) => {
    const { open } = shown;

    /** What is wrong with these places at a width. */
    async function faultsOf(
      walked: readonly string[],
      size: keyof typeof SIZES,
      themes: readonly Theme[] = THEMES,
    ): Promise<Record<string, unknown>> {
      await open('#/', { size: SIZES[size] });
      const found: Record<string, unknown> = {};
      for (const place of walked) {
        await shown.seen.visit(place);
        const wide = await shown.seen.overflow();
        if (wide > 0) found[`${place} is too wide`] = wide;
        for (const theme of themes) {
          await shown.seen.use(theme);
          const violations = await shown.seen.violations();
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

    it('transfer less than 150 KB together, are painted within a second without a cache, and do not jump (OP-40)', async () => {
      const page = await open('#/');
      const client = await shown.seen.withoutCache();
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
        await shown.seen.settled();
        paints.push(await shown.seen.firstPaint());
      }
      const shifts: Record<string, number> = {};
      for (const place of places) {
        await shown.seen.visit('#/no-such-page');
        const before = await shown.seen.layoutShift();
        await shown.seen.visit(place);
        const shift = (await shown.seen.layoutShift()) - before;
        if (shift > SHIFT) shifts[place] = shift;
      }
      await shown.seen.visit('#/stores/Orders');
      await page.locator('.uplot').first().waitFor();
      const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
      const painted = paints.map((ms) => `${Math.round(ms)} ms`).join(', ');
      process.stdout.write(`console: ${total} bytes for ${sizes.size} files; first contentful paint ${painted}\n`);
      expect(sizes.size).toBeGreaterThan(30);
      expect(total).toBeLessThan(TRANSFERRED_BYTES);
      expect(Math.min(...paints)).toBeLessThan(PAINT_MS);
      expect(shifts).toEqual({});
    });

    it('draw a part of 10,000 messages, and say of how many', async () => {
      const store = shown.world.runtime.management('/management/message-stores/Archive');
      const [line = ''] = (await (await fetch(`${store}/export`)).text()).split('\n');
      const { id } = JSON.parse(line) as { id: string };
      const lines = Array.from({ length: 10_000 }, (_, number) => line.replaceAll(id, `urn:uuid:many-${number}`));
      const headers = { 'Content-Type': 'application/x-ndjson' };
      const signal = AbortSignal.timeout(60_000);
      const imported = await fetch(`${store}/import`, { method: 'POST', headers, body: lines.join('\n'), signal });
      expect(await imported.json()).toMatchObject({ done: 10_000, failed: [] });
      const page = await open('#/stores/Archive/messages');
      const rows = page.locator('.rows tbody tr');
      await page.getByText('1–50 of 10,002, oldest first').waitFor();
      expect(await rows.count()).toBe(50);
      for (const [from, until] of [
        [51, 100],
        [101, 150],
      ]) {
        await page.getByRole('button', { name: 'Next' }).click();
        await page.getByText(`${from}–${until} of 10,002, oldest first`).waitFor();
        expect(await rows.count()).toBe(50);
      }
    });

    it.each(Object.keys(SIZES) as Array<keyof typeof SIZES>)(
      'show names of 150 characters without falling apart (%s)',
      async (size) => {
        await shown.world.deploy('LongNames.xml', longNames());
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
  },
);
