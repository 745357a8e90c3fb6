/**
 * Writes the pictures of the console that the documentation shows: `node test/console/screenshots.ts [FOLDER [NAME…]]`, by default all into
 * docs/console, and the page beside them. Needs ActiveMQ and chromium; the text is set in Inter where that font is installed.
 */
import { appendFileSync } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { startActiveMq } from '../../samples/activemq/broker.ts';
import { FlowFolder } from '../support/flow-artifacts.ts';
import { runMiniSynapse } from '../support/mini-synapse.ts';
import { chromium } from './chromium.ts';
import { pagesTable } from './pages-table.ts';
import { PICTURES, type Picture, SHOTS, type Shot, shotsOf } from './pictures.ts';
import { DESKTOP, PHONE, type Theme, WatchedPage } from './watched-page.ts';
import { type ConsoleWorld, leaveTraces, play, startWorld } from './world.ts';

const FOLDER = process.argv[2] ?? fileURLToPath(new URL('../../docs/console', import.meta.url));
/** Empty: all of them. */
const NAMES = process.argv.slice(3);
/** Between two orders, ms. */
const PACE_MS = 350;
/** Lines need some time to be lines. */
const WARM_UP_MS = 70_000;
const LIVE_MS = 6000;
const DAY_MS = 86_400_000;
const PASSWORD = 'of pictures';

async function main(): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  const browser = await chromium.start(chromium.find());
  try {
    await withMessages(browser);
    await withUsers(browser);
  } finally {
    await browser.close();
  }
  await writeFile(join(FOLDER, 'README.md'), await pagesTable());
}

async function withMessages(browser: Browser): Promise<void> {
  const broker = await startActiveMq({});
  const world = await startWorld(broker);
  const traffic = new AbortController();
  try {
    tell('playing');
    await play(world);
    await leaveTraces(world);
    const path = '/management/message-stores/RejectedOrders/messages/schedule';
    await world.change('POST', path, { all: true, at: new Date(Date.now() + DAY_MS / 4).toISOString() });
    const playing = keepPlaying(world, traffic.signal);
    const pictures = wanted(false);
    const places = new Map<Picture, string>();
    for (const picture of pictures) places.set(picture, await picture.place(world));
    tell(`waiting ${WARM_UP_MS / 1000} s for lines to grow`);
    await delay(WARM_UP_MS);
    for (const shot of SHOTS) {
      const seen = await opened(browser, world.runtime.management('/console/'), shot);
      for (const picture of pictures) {
        if (!shotsOf(picture).includes(shot)) continue;
        await seen.visit(places.get(picture) ?? '#/');
        // The stream begins, lines grow.
        await delay(LIVE_MS);
        await picture.act?.(seen.page, world);
        await take(seen, picture, shot);
        if (picture.act) await seen.page.keyboard.press('Escape');
      }
      await seen.close();
    }
    traffic.abort();
    await playing;
  } finally {
    traffic.abort();
    await world.close();
    await broker.close();
  }
}

async function withUsers(browser: Browser): Promise<void> {
  const folder = new FlowFolder();
  folder.writeFlow({ store: 'in-memory', backEnds: [9] });
  const config = join(folder.path, 'deployment.toml');
  for (const [name, role] of [
    ['anna', 'admin'],
    ['ben', 'operator'],
    ['carla', 'viewer'],
  ])
    appendFileSync(config, `[[management.users]]\nname = "${name}"\nrole = "${role}"\npassword = "${PASSWORD}"\n\n`);
  const runtime = await runMiniSynapse({ artifacts: folder.artifacts, dataDirectory: folder.data, config });
  try {
    for (const picture of wanted(true))
      for (const shot of shotsOf(picture)) {
        const seen = await opened(browser, runtime.management('/console/'), shot);
        await seen.page.goto(runtime.management('/'));
        await seen.page.getByRole('textbox', { name: 'User' }).fill('anna');
        await seen.page.getByLabel('Password').fill(PASSWORD);
        await seen.page.getByRole('button', { name: 'Log in' }).click();
        await seen.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
        await seen.visit('#/users');
        await seen.page.getByText('Live', { exact: true }).waitFor();
        await take(seen, picture, shot);
        await seen.close();
      }
  } finally {
    await runtime.stop();
    folder.remove();
  }
}

function wanted(withUsers: boolean): readonly Picture[] {
  return PICTURES.filter(
    (picture) => (picture.withUsers ?? false) === withUsers && (NAMES.length === 0 || NAMES.includes(picture.name)),
  );
}

async function opened(browser: Browser, console: string, shot: Shot): Promise<WatchedPage> {
  const [size, theme] = shot.split('-') as ['desktop' | 'phone', Theme];
  return await WatchedPage.open(browser, console, { theme, size: size === 'phone' ? PHONE : DESKTOP });
}

async function take(seen: WatchedPage, { name }: Picture, shot: Shot): Promise<void> {
  const path = join(FOLDER, `${name}-${shot}.png`);
  // Nothing looks as if somebody pointed at it.
  await seen.page.mouse.move(0, 0);
  await seen.page.screenshot({ path });
  tell(`${path}: ${Math.round((await stat(path)).size / 1024)} KiB`);
}

function tell(text: string): void {
  process.stdout.write(`${new Date().toTimeString().slice(0, 8)} ${text}\n`);
}

/** Orders that come and go, in waves. */
async function keepPlaying(world: ConsoleWorld, signal: AbortSignal): Promise<void> {
  for (let number = 0; !signal.aborted; number += 1) {
    const wave = number % 24 < 4 ? 4 : 1;
    await Promise.all(Array.from({ length: wave }, () => world.order('IBM', 100 + (number % 90))));
    await delay(PACE_MS);
  }
}

await main();
