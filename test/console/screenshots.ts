/**
 * Writes the pictures of the console that the documentation shows: `node test/console/screenshots.ts [FOLDER]`, by default into
 * docs/console. Needs ActiveMQ and chromium; the text is set in Inter where that font is installed.
 */
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { startActiveMq } from '../../samples/activemq/broker.ts';
import { chromium } from './chromium.ts';
import { DESKTOP, PHONE, type Theme, WatchedPage } from './watched-page.ts';
import { type ConsoleWorld, play, startWorld } from './world.ts';

const FOLDER = process.argv[2] ?? fileURLToPath(new URL('../../docs/console', import.meta.url));
const SIZES = { desktop: DESKTOP, phone: PHONE } as const;
const THEMES: readonly Theme[] = ['light', 'dark'];
/** Between two orders, ms. */
const PACE_MS = 350;
/** Lines need some time to be lines. */
const WARM_UP_MS = 70_000;
const LIVE_MS = 6000;

async function main(): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  const broker = await startActiveMq({});
  const world = await startWorld(broker);
  const browser = await chromium.start(chromium.find());
  const traffic = new AbortController();
  try {
    await play(world);
    await changeSomething(world);
    const playing = keepPlaying(world, traffic.signal);
    const places = await placesOf(world);
    await delay(WARM_UP_MS);
    for (const theme of THEMES)
      for (const [size, viewport] of Object.entries(SIZES))
        await pictures({ world, browser, places, theme, size, viewport });
    traffic.abort();
    await playing;
  } finally {
    traffic.abort();
    await browser.close();
    await world.close();
    await broker.close();
  }
}

/** So that there is a version to go back to. */
async function changeSomething(world: ConsoleWorld): Promise<void> {
  const file = 'Enrich.xml';
  const { text } = (await world.read(`/management/artifacts/source?file=${file}`)) as { text: string };
  const [step, channel] = ['an order has come', 'web'];
  await world.deploy(file, text.replace(step, 'an order of a partner has come').replaceAll(channel, 'partner'));
  await world.deploy(file, text.replace(step, 'a new order'));
}

/** Orders that come and go, in waves. */
async function keepPlaying(world: ConsoleWorld, signal: AbortSignal): Promise<void> {
  for (let number = 0; !signal.aborted; number += 1) {
    const wave = number % 24 < 4 ? 4 : 1;
    await Promise.all(Array.from({ length: wave }, () => world.order('IBM', 100 + (number % 90))));
    await delay(PACE_MS);
  }
}

/** Name of the picture -> place. */
async function placesOf(world: ConsoleWorld): Promise<Readonly<Record<string, string>>> {
  const { list: messages } = (await world.read('/management/message-stores/RejectedOrders/messages')) as Ids;
  const { list: traces } = (await world.read('/management/traces?artifact=LargeOrders&limit=5')) as Ids;
  return {
    stores: '#/stores',
    message: `#/stores/RejectedOrders/messages/${encodeURIComponent(messages[0]?.id ?? '')}`,
    compare: `#/stores/RejectedOrders/compare?${new URLSearchParams({ left: messages[0]?.id ?? '', right: messages[1]?.id ?? '' })}`,
    processors: '#/processors',
    graph: '#/graph?node=store:Orders',
    changes: '#/artifacts/history?file=Enrich.xml',
    trace: `#/traces/${traces.at(-1)?.id ?? ''}`,
    // The last one: its line of requests has begun with the first one.
    overview: '#/',
  };
}

interface Ids {
  readonly list: ReadonlyArray<{ readonly id: string }>;
}

async function pictures(options: {
  readonly world: ConsoleWorld;
  readonly browser: Browser;
  readonly places: Readonly<Record<string, string>>;
  readonly theme: Theme;
  readonly size: string;
  readonly viewport: { readonly width: number; readonly height: number };
}): Promise<void> {
  const { world, browser, places, theme, size, viewport } = options;
  const seen = await WatchedPage.open(browser, world.runtime.management('/console/'), { theme, size: viewport });
  for (const [name, place] of Object.entries(places)) {
    await seen.visit(place);
    // The stream begins, lines grow.
    await delay(LIVE_MS);
    const path = join(FOLDER, `${name}-${size}-${theme}.png`);
    await seen.page.screenshot({ path });
    process.stdout.write(`${path}: ${Math.round((await stat(path)).size / 1024)} KiB\n`);
  }
  await seen.close();
}

await main();
