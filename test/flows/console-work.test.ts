import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { chromium } from '../console/chromium.ts';
import { WatchedPage } from '../console/watched-page.ts';
import { FlowFolder, PROXY, STORE } from '../support/flow-artifacts.ts';
import { type MiniSynapse, runMiniSynapse } from '../support/mini-synapse.ts';
import { findOrInstall } from '../support/servers/index.ts';

const browsers = await findOrInstall(chromium);

/** Work that takes its time: what is shown meanwhile, and what becomes of it when somebody does not wait. */
browsers.describe('long work on the console', () => {
  const folder = new FlowFolder();
  let runtime: MiniSynapse;
  let browser: Browser;
  let seen: WatchedPage;

  beforeAll(async () => {
    folder.writeFlow({ store: 'in-memory', backEnds: [9] });
    const config = join(folder.path, 'deployment.toml');
    writeFileSync(config, '[[management.users]]\nname = "ada"\nrole = "operator"\npassword = "correct horse"\n');
    runtime = await runMiniSynapse({ artifacts: folder.artifacts, dataDirectory: folder.data, config });
    for (let order = 0; order < 3; order += 1) {
      const headers = { 'Content-Type': 'application/json' };
      const { status } = await fetch(runtime.service(PROXY), { method: 'POST', headers, body: '{"order":1}' });
      expect(status).toBe(202);
    }
    browser = await browsers.start();
  });

  afterAll(async () => {
    await browser?.close();
    await runtime?.stop();
    folder.remove();
  });

  afterEach(() => seen?.close());

  /** The messages of the store, in front of somebody who has logged in. */
  const messages = async () => {
    seen = await WatchedPage.open(browser, runtime.management('/console/'));
    const { page } = seen;
    await page.goto(runtime.management('/'));
    await logIn();
    await seen.visit(`#/stores/${STORE}/messages`);
    await page.getByRole('table', { name: 'Messages, oldest first' }).waitFor();
    return page;
  };

  const logIn = async () => {
    await seen.page.getByRole('textbox', { name: 'User' }).fill('ada');
    await seen.page.getByLabel('Password').fill('correct horse');
    await seen.page.getByRole('button', { name: 'Log in' }).click();
    await seen.page.getByText('Live', { exact: true }).waitFor();
  };

  const chooseFile = async () => {
    const { page } = seen;
    await page.getByRole('button', { name: 'Import' }).click();
    const buffer = Buffer.from('{"no": "message"}\n');
    await page.getByRole('dialog').getByLabel('File').setInputFiles({ name: 'a.ndjson', mimeType: '', buffer });
  };

  /** Requests for a path are held until they are let go. */
  const held = async (path: string) => {
    let hold: (route: Route) => void = () => {};
    const asked = new Promise<Route>((resolve) => {
      hold = resolve;
    });
    await seen.page.route((url) => url.pathname.endsWith(path), hold);
    return asked;
  };

  it('of an import is stopped by Escape, which says what is there and how to go on; the next one closes the dialog', async () => {
    const page = await messages();
    await chooseFile();
    const asked = held('/import');
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Import' }).click();
    await dialog.getByRole('progressbar', { name: 'Sent' }).waitFor();
    await dialog.getByRole('button', { name: 'Stop' }).waitFor();
    await page.keyboard.press('Escape');
    const told = dialog.getByRole('alert');
    await told.getByText(/^Stopped, when .* of 18 B were sent\. Messages that the server has taken/).waitFor();
    expect(await seen.violations()).toEqual([]);
    await asked;
    await dialog.getByRole('button', { name: 'Check only' }).click();
    await dialog.getByRole('button', { name: 'Stop' }).click();
    await told.getByText('Stopped. It was only a check: nothing was stored.').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  it('of an import makes room for the login when the session has ended', async () => {
    const page = await messages();
    await chooseFile();
    await page.context().clearCookies();
    await page.getByRole('dialog').getByRole('button', { name: 'Import' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('status').getByText('log in and import it again').waitFor();
    await logIn();
    await page.getByRole('heading', { level: 1, name: new RegExp(`^${STORE}`) }).waitFor();
  });

  it('on messages makes room for the login, too', async () => {
    const page = await messages();
    await page.getByRole('button', { name: 'Resend' }).click();
    await page.getByRole('dialog').getByText('Resend 3 messages?').waitFor();
    await page.context().clearCookies();
    await page.getByRole('dialog').getByRole('button', { name: 'Resend 3 messages' }).click();
    await page.getByRole('textbox', { name: 'User' }).waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
    await logIn();
  });

  it('on messages goes on when its dialog is hidden, and how it ended is told', async () => {
    const page = await messages();
    for (const [answer, told] of [
      [{ status: 200, json: { done: 3, count: 3, failed: [] } }, '3 messages deleted'],
      [{ status: 503, json: { Error: 'The broker is away' } }, /The broker is away$/],
    ] as const) {
      const asked = held('/messages');
      await page.getByRole('button', { name: 'Purge' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('textbox').fill('3');
      await dialog.getByRole('button', { name: 'Delete 3 messages' }).click();
      await dialog.getByRole('button', { name: 'Hide' }).waitFor();
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      await (await asked).fulfill(answer);
      await page.getByRole('status').getByText(told).waitFor();
      await page.unrouteAll();
    }
  });

  it('of an export is handed to the browser, and what is in its way is told before', async () => {
    const page = await messages();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe(`${STORE}.ndjson`);
    await page.getByRole('status').getByText('The export has begun').waitFor();
    await page.route(
      (url) => url.pathname.endsWith('/messages') && url.searchParams.get('limit') === '1',
      (route) => route.fulfill({ status: 503, json: { Error: 'The store is out of reach' } }),
    );
    await page.getByRole('button', { name: 'Export' }).click();
    await page.getByRole('status').getByText('The store is out of reach').waitFor();
  });
});
