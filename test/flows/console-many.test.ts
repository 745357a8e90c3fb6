import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeConsole } from '../support/console-flow.ts';

const NAMESPACE = 'xmlns="http://ws.apache.org/ns/synapse"';
const SEQUENCES = 4_000;
const ENDPOINTS = 1_000;
const LINES = 450;
const DRAWN_LINES = 200;
const ACTIONS = 120;
const ROWS = 100;
/** Of one page, with all that is around its rows. */
const MOST_ELEMENTS = 4_000;
/** What a page may take to show something else, where nothing else is going on. */
const UPDATE_MS = 100;

const eventually = <T>(look: () => T | Promise<T>) => expect.poll(look, { timeout: 20_000 });

/** 5,000 artifacts, a long log, a long audit log. */
await describeConsole(
  'the console of a large server',
  async (world) => {
    const sequences = named(SEQUENCES, (n) => `<sequence name="Many${n}"><drop/></sequence>`);
    const endpoints = named(
      ENDPOINTS,
      (n) => `<endpoint name="ManyService${n}"><address uri="http://127.0.0.1:9/${n}"/></endpoint>`,
    );
    await world.deploy('Many.xml', `<definitions ${NAMESPACE}>${sequences}${endpoints}</definitions>\n`);
    const logs = named(LINES, (n) => `<log level="custom"><property name="said" value="line-${n}-"/></log>`);
    const target = `<target><inSequence>${logs}<respond/></inSequence></target>`;
    await world.deploy('Talker.xml', `<proxy ${NAMESPACE} name="Talker" transports="http">${target}</proxy>\n`);
    expect(await world.order('IBM', 1, 'Talker')).toBe(200);
    for (let action = 0; action < ACTIONS; action += 1)
      await world.change('PUT', '/management/tracing', { mode: 'on' });
  },
  (shown) => {
    const { open } = shown;
    const rowsOf = (page: Page) => page.locator('.rows tbody tr');
    const elements = () => shown.seen.page.evaluate<number>(`document.querySelectorAll('main *').length`);

    it('shows artifacts page by page, says how many there are, and finds each', async () => {
      const page = await open('#/artifacts/all');
      const rows = rowsOf(page);
      await eventually(() => rows.count()).toBe(ROWS);
      const count = async () => ((await shown.world.read('/management/artifacts')) as { count: number }).count;
      const all = (await count()).toLocaleString('en');
      await page.getByText(`1–100 of ${all}`).waitFor();
      await page.getByRole('button', { name: 'Next' }).click();
      await page.getByText(`101–200 of ${all}`).waitFor();
      await page.keyboard.press('p');
      await page.getByText(`1–100 of ${all}`).waitFor();
      await page.getByRole('button', { name: 'Last' }).click();
      await rows.getByText('InvoiceProxy', { exact: true }).waitFor();
      await page.getByRole('searchbox').fill('many3999');
      await eventually(() => rows.count()).toBe(1);
      await page.getByText(`1 of ${all}`).waitFor();
      expect(await elements()).toBeLessThan(MOST_ELEMENTS);
      expect(await quickest(page, ['m', 'ma', 'man', 'many', 'many1', 'many12', 'many', ''])).toBeLessThan(UPDATE_MS);
    });

    it('shows endpoints page by page, and the one that was asked for', async () => {
      const page = await open('#/endpoints');
      await page.getByText(/^1–100 of 1,00\d$/).waitFor();
      expect(await rowsOf(page).count()).toBe(ROWS);
      await shown.seen.visit('#/endpoints?name=ManyService999');
      await page.reload();
      await page.locator('tr.picked').getByRole('link', { name: 'ManyService999' }).waitFor();
      expect(await quickest(page, ['m', 'ma', 'man', 'many', 'service', 'service1', ''])).toBeLessThan(UPDATE_MS);
    });

    it('shows the log part by part, back to its first line', async () => {
      const page = await open('#/logs');
      const records = page.locator('.record');
      await eventually(() => records.count()).toBe(DRAWN_LINES);
      await page.getByText(/^[\d,]+–[\d,]+ of [\d,]+/).waitFor();
      await page.getByRole('button', { name: 'First' }).click();
      await eventually(() => records.first().innerText()).not.toContain('line-');
      expect(await page.getByRole('checkbox', { name: 'Follow' }).isChecked()).toBe(false);
      await page.getByRole('searchbox').fill('line-7-');
      await eventually(() => records.count()).toBe(1);
      await page.getByRole('searchbox').fill('said');
      await page.getByText(`of ${LINES}`, { exact: false }).first().waitFor();
      await page.getByRole('button', { name: 'Previous' }).click();
      expect(await records.count()).toBe(DRAWN_LINES);
      await page.getByRole('searchbox').fill('');
      await page.getByRole('checkbox', { name: 'Follow' }).check();
      await shown.world.order('IBM', 1, 'Talker');
      await records
        .last()
        .getByText(`line-${LINES - 1}-`)
        .waitFor();
      expect(await records.count()).toBe(DRAWN_LINES);
      expect(await elements()).toBeLessThan(MOST_ELEMENTS);
      expect(await quickest(page, ['l', 'li', 'lin', 'line', 'line-1', 'line', ''])).toBeLessThan(UPDATE_MS);
    });

    it('shows who has done what page by page', async () => {
      const page = await open('#/audit');
      const rows = rowsOf(page);
      await eventually(() => rows.count()).toBe(ROWS);
      await page.getByRole('button', { name: 'Last' }).click();
      await rows.getByText('Many.xml').waitFor();
    });

    it('draws of the graph the way through a node that is chosen', async () => {
      const page = await open('#/graph');
      await page.getByText(/artifacts are too many for one picture/).waitFor();
      await page.getByRole('searchbox').fill('orderproxy');
      await rowsOf(page).getByRole('link', { name: 'OrderProxy', exact: true }).click();
      await page.getByRole('button', { name: /^store Orders,/ }).waitFor();
      expect(await elements()).toBeLessThan(MOST_ELEMENTS);
    });

    it('lets one of many be found that gets a test message', async () => {
      const page = await open('#/send');
      const choices = page.getByRole('combobox', { name: 'To' }).locator('option');
      await eventually(() => choices.count()).toBe(200);
      await page.getByRole('searchbox').fill('many3998');
      await page.getByText('1 of 1 can be chosen').waitFor();
      await page.getByRole('combobox', { name: 'To' }).selectOption('sequence:Many3998');
    });
  },
);

function named(count: number, text: (n: number) => string): string {
  return Array.from({ length: count }, (_, n) => text(n)).join('\n');
}

/** The shortest time from a change of what is searched for until the page is laid out anew, ms: others are at work on this machine, too. */
async function quickest(page: Page, texts: readonly string[]): Promise<number> {
  const times = await page.evaluate<number[]>(`(async () => {
    const field = document.querySelector('main input[type=search]');
    const times = [];
    for (const text of ${JSON.stringify(texts)}) {
      const began = performance.now();
      field.value = text;
      field.dispatchEvent(new Event('input', { bubbles: true }));
      await new Promise((resolve) => queueMicrotask(() => queueMicrotask(resolve)));
      document.body.offsetHeight;
      times.push(performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, 350));
    }
    return times;
  })()`);
  process.stdout.write(`console: updates in ${times.map((ms) => ms.toFixed(1)).join(', ')} ms\n`);
  return Math.min(...times);
}
