import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { chromium } from '../console/chromium.ts';
import { WatchedPage } from '../console/watched-page.ts';
import { requireFree } from '../support/readme.ts';
import { findOrInstall } from '../support/servers/index.ts';
import { ServerProcess } from '../support/servers/process.ts';
import { waitFor } from '../support/wait-for.ts';

/*
 * The way of somebody who has just cloned the repository and typed `npm ci`: what the README says, in a copy, up to the first delivered
 * message seen in the console. Typing counts as slowly as people type.
 */

const browsers = await findOrInstall(chromium);
const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url));
const README = readFileSync(join(CHECKOUT, 'README.md'), 'utf8');
const NOT_CLONED = new Set(['node_modules', '.git', 'data', 'coverage']);
const PORTS = [8280, 8243, 9164, 9000, 9001, 9002, 9003];
const LIMIT_MS = 60_000;
/** What starting Node.js takes on a machine that has nothing else to do; where it takes longer, so may everything else. */
const START_MS = 150;
const CHARACTERS_A_SECOND = 5;
/** To mark, copy and paste, or to click a link. */
const PASTE_MS = 3_000;

browsers.describe('a newcomer (OP-121)', () => {
  let clone: string;
  let browser: Browser;
  let page: WatchedPage;
  let typedMs: number;
  let begun: number;
  let slowness: number;
  const jobs: ServerProcess[] = [];

  beforeEach(async () => {
    await requireFree(PORTS);
    slowness = await slownessNow();
    clone = mkdtempSync(join(tmpdir(), 'mini-synapse-newcomer-'));
    cpSync(CHECKOUT, clone, { recursive: true, filter: (path) => !NOT_CLONED.has(basename(path)) });
    symlinkSync(join(CHECKOUT, 'node_modules'), join(clone, 'node_modules'));
    // A browser runs already.
    browser = await browsers.start();
    page = await WatchedPage.open(browser, address('http://127.0.0.1:9164/console/'));
    [typedMs, begun] = [0, performance.now()];
  });

  afterEach(async () => {
    await browser?.close();
    await Promise.all(jobs.splice(0).map(interrupt));
    rmSync(clone, { recursive: true, force: true });
  });

  /** As Ctrl-C does it: everything that the command has started hears of it. */
  async function interrupt(job: ServerProcess): Promise<void> {
    if (job.pid !== undefined) process.kill(-job.pid, 'SIGINT');
    await waitFor(() => job.state === 'stopped', { what: 'the command to end', deadlineMs: 35_000 }).finally(() =>
      job.kill(),
    );
  }

  /** What the README has, which is typed. */
  function typed(text: string): string {
    expect(README).toContain(text);
    typedMs += (text.length / CHARACTERS_A_SECOND) * 1000;
    return text;
  }

  function address(url: string): string {
    expect(README).toContain(url);
    return url;
  }

  /** A command that goes on, until one of its lines begins so. */
  async function goesOn(command: string, until: string): Promise<void> {
    const lines: string[] = [];
    const job = new ServerProcess({
      name: command,
      command: 'sh',
      args: ['-c', `exec ${command}`],
      cwd: clone,
      env: { ...process.env, TMPDIR: clone },
      answers: () => lines.some((line) => line.includes(until)),
      startDeadlineMs: LIMIT_MS,
      stopDeadlineMs: 35_000,
      onLine: (line) => lines.push(line),
    });
    jobs.push(job);
    await job.start();
  }

  /** Until the console shows that a processor has delivered so many. @returns how long everything has taken, ms */
  async function seesDelivered(processor: string, least: number): Promise<number> {
    typedMs += PASTE_MS;
    await page.visit('#/processors');
    const row = page.page.getByRole('table', { name: 'Message processors' }).locator('tr', { hasText: processor });
    const delivered = async () => Number((await row.locator('td').nth(3).innerText()).split('\n')[0]);
    await waitFor(async () => (await delivered()) >= least, {
      what: `${processor} to have delivered`,
      deadlineMs: LIMIT_MS,
    });
    return performance.now() - begun + typedMs;
  }

  function tell(way: string, tookMs: number): void {
    const waited = tookMs - typedMs;
    const seconds = (ms: number) => (ms / 1000).toFixed(1);
    process.stdout.write(
      `newcomer, ${way}: ${seconds(tookMs)} s to the first delivered message in the console (${seconds(typedMs)} s typing, ${seconds(waited)} s waiting on a machine that takes ${slowness.toFixed(1)} times as long as an idle one)\n`,
    );
    expect(typedMs + waited / slowness).toBeLessThan(LIMIT_MS);
  }

  it('who tries the demo sees delivered orders in the console in less than a minute', async () => {
    typed('npm run demo');
    await goesOn(typed('npm run demo -- --keep'), 'All 12 orders were answered 202');
    tell('the demo', await seesDelivered('Forwarder', 1));
  });

  it('who writes a first proxy sees its order delivered in the console in less than a minute', async () => {
    const [xml = ''] = /^<definitions [\s\S]*?^<\/definitions>\n/m.exec(README) ?? [];
    expect(xml).toContain('OrderProxy');
    await goesOn(typed('bin/mini-synapse start'), 'mini-synapse ready');
    address('artifacts/orders.xml');
    typedMs += PASTE_MS;
    writeFileSync(join(clone, 'artifacts', 'orders.xml'), xml);
    await goesOn(typed('bin/stockquote-service --http 9000'), '9000');
    const order = [typed('bin/stockquote-client --addurl '), address('http://localhost:8280/services/OrderProxy')];
    typedMs += PASTE_MS;
    const rest = typed(' --mode placeorder --symbol IBM');
    const command = order.join('') + rest;
    await waitFor(
      async () => {
        const { stdout } = await promisify(execFile)('sh', ['-c', command], { cwd: clone, timeout: LIMIT_MS });
        return stdout.includes('Order placed');
      },
      { what: 'the order to be taken', deadlineMs: 30_000, everyMs: 500 },
    );
    tell('a first proxy', await seesDelivered('Forwarder', 1));
  });
});

/** How many times as long as on an idle machine everything takes now; 1 at least. */
async function slownessNow(): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const begun = performance.now();
    await promisify(execFile)(process.execPath, ['-e', '0']);
    times.push(performance.now() - begun);
  }
  return Math.max(1, (times.sort((one, other) => one - other)[1] ?? START_MS) / START_MS);
}
