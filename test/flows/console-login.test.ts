import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chromium } from '../console/chromium.ts';
import { DESKTOP, PHONE, WatchedPage } from '../console/watched-page.ts';
import { FlowFolder, PROXY, STORE } from '../support/flow-artifacts.ts';
import { type MiniSynapse, runMiniSynapse } from '../support/mini-synapse.ts';
import { findOrInstall } from '../support/servers/index.ts';

const browsers = await findOrInstall(chromium);

browsers.describe('the console of a server with users', () => {
  const folder = new FlowFolder();
  let runtime: MiniSynapse;
  let browser: Browser;

  beforeAll(async () => {
    folder.writeFlow({ store: 'in-memory', backEnds: [9] });
    const config = join(folder.path, 'deployment.toml');
    const user = (name: string, role: string, password: string) =>
      ['[[management.users]]', `name = "${name}"`, `role = "${role}"`, `password = "${password}"`, ''].join('\n');
    writeFileSync(
      config,
      '[console]\nbodies = "operator"\n' +
        user('ada', 'operator', 'correct horse') +
        user('bob', 'viewer', 'battery staple') +
        user('root', 'admin', 'staple horse'),
    );
    runtime = await runMiniSynapse({
      artifacts: folder.artifacts,
      dataDirectory: folder.data,
      config,
    });
    browser = await browsers.start();
  });

  afterAll(async () => {
    await browser?.close();
    await runtime?.stop();
    folder.remove();
  });

  const logIn = async (user: string, password: string) => {
    const seen = await WatchedPage.open(browser, runtime.management('/console/'));
    const { page } = seen;
    await page.goto(runtime.management('/'));
    await page.getByRole('textbox', { name: 'User' }).fill(user);
    await page.getByLabel('Password').fill(password);
    expect(await seen.violations()).toEqual([]);
    await page.getByRole('button', { name: 'Log in' }).click();
    return seen;
  };

  it('asks for a user, refuses a wrong password, and lets an operator act and leave', async () => {
    const seen = await logIn('ada', 'wrong');
    const { page } = seen;
    await page.getByRole('alert').getByText('wrong').waitFor();
    await page.getByLabel('Password').fill('correct horse');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByText('ada', { exact: true }).waitFor();
    await seen.visit('#/processors/Forwarder1');
    await page.getByRole('button', { name: 'Deactivate' }).click();
    await page
      .getByRole('status')
      .getByText(/^Forwarder1 is (?:deactivated|paused)$/)
      .waitFor();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('textbox', { name: 'User' }).waitFor();
    await seen.close();
  });

  it('lets an admin look after users and sessions, and shows no secret', async () => {
    const seen = await logIn('root', 'staple horse');
    const { page } = seen;
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    await seen.visit('#/users');
    const users = page.getByRole('table', { name: 'Users' });
    await users.getByText('root').waitFor();
    for (const [size, theme] of [[PHONE, 'light'] as const, [PHONE, 'dark'] as const, [DESKTOP, 'dark'] as const]) {
      await page.setViewportSize(size);
      await seen.use(theme);
      expect({ wide: await seen.overflow(), violations: await seen.violations() }).toEqual({ wide: 0, violations: [] });
    }
    await seen.use('light');
    expect(await seen.violations()).toEqual([]);
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'New user' }).click();
    await dialog.getByRole('textbox', { name: 'Name' }).fill('carl');
    await dialog.getByLabel('Password').fill('of carl');
    await dialog.getByRole('combobox', { name: 'Role' }).selectOption('admin');
    expect(await seen.violations()).toEqual([]);
    await dialog.getByRole('button', { name: 'Make the user' }).click();
    await page.getByRole('status').getByText('carl can log in').waitFor();
    const other = await logIn('carl', 'of carl');
    await other.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    const sessions = page.getByRole('table', { name: 'Sessions and tokens' });
    await seen.visit('#/alerts');
    await seen.visit('#/users');
    expect(await page.locator('main').innerText()).not.toMatch(/of carl|staple horse|scrypt/);
    await sessions.getByRole('row', { name: /^carl/ }).getByRole('button', { name: 'End' }).click();
    await page.getByRole('status').getByText('The session of carl has ended').waitFor();
    await other.visit('#/jobs');
    await other.page.getByRole('textbox', { name: 'User' }).waitFor();
    // What the browser says about a session that has ended is no error of ours.
    await other.close();
    await users.getByRole('row', { name: /^carl/ }).getByRole('button', { name: 'Role' }).click();
    await dialog.getByRole('combobox', { name: 'Role' }).selectOption('viewer');
    await dialog.getByRole('button', { name: 'Change the role' }).click();
    await page.getByRole('status').getByText('carl has another role').waitFor();
    await users.getByRole('row', { name: /^carl/ }).getByRole('button', { name: 'Remove' }).click();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await users.getByRole('row', { name: /^carl/ }).waitFor({ state: 'detached' });
    await seen.close();
  });

  it('tells a viewer that acting is not for them', async () => {
    const seen = await logIn('bob', 'battery staple');
    await seen.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    await seen.visit('#/processors/Forwarder1');
    await seen.page.getByRole('button', { name: /Deactivate|Activate/ }).click();
    await seen.page.getByRole('status').getByText('Your role does not allow this').waitFor();
    await seen.visit('#/users');
    await seen.page.getByText('For admins only').waitFor();
    await seen.close();
  });

  it.each([
    ['ada', 'correct horse', 'is an operator, and is shown what messages contain'],
    ['bob', 'battery staple', 'is a viewer, and is not'],
  ])('%s, with %s, %s (OP-81)', async (name, password) => {
    const sent = await fetch(runtime.service(PROXY), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"card":"4711"}',
    });
    expect(sent.status).toBe(202);
    const seen = await logIn(name, password);
    const { page } = seen;
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    await seen.visit(`#/stores/${STORE}/messages`);
    const rows = page.getByRole('table', { name: 'Messages, oldest first' }).locator('tbody tr');
    await rows.first().waitFor();
    const search = page.getByRole('searchbox', { name: 'Text in the body' });
    await expect.poll(() => search.count()).toBe(name === 'ada' ? 1 : 0);
    await rows.first().getByRole('link').first().click();
    if (name === 'ada') {
      const body = page.getByRole('region', { name: 'Body of the message' });
      await expect.poll(() => body.innerText(), { timeout: 10_000 }).toContain('4711');
    } else {
      await page.getByText('Bodies are shown to operators only').waitFor();
      expect(await page.locator('main').innerText()).not.toContain('4711');
    }
    await seen.close();
  });
});
