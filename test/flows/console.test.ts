import { expect, it } from 'vitest';
import { PHONE } from '../console/watched-page.ts';
import { play, processorState, storeHolds } from '../console/world.ts';
import { describeConsole } from '../support/console-flow.ts';
import { freePort } from '../support/free-ports.ts';
import { tcpForwarder } from '../support/tcp-forwarder.ts';
import { waitFor } from '../support/wait-for.ts';

/** What a busy machine may take for a page to change. */
const eventually = <T>(look: () => T | Promise<T>) => expect.poll(look, { timeout: 20_000 });

await describeConsole('the console', play, (shown) => {
  const { open } = shown;

  it('shows at a glance what needs attention', async () => {
    const page = await open('#/');
    const needs = page.getByRole('region', { name: 'State of the server' });
    await needs.getByText('PartnerForwarder').waitFor();
    await needs.getByText('InvoiceProxy.xml').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    expect(page.url()).toContain('/console/');
  });

  it('has its menu behind a button on a phone (OP-40)', async () => {
    const page = await open('#/', { size: PHONE });
    await page.getByRole('button', { name: 'Menu' }).click();
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Stores' }).click();
    await page.getByRole('heading', { level: 1, name: 'Stores' }).waitFor();
    await page.getByRole('navigation', { name: 'Pages' }).waitFor({ state: 'hidden' });
  });

  it('is steered by keys, and switches its colours (OP-40)', async () => {
    const page = await open('#/');
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    await page.getByRole('heading', { level: 1, name: 'Stores' }).waitFor();
    await page.getByRole('table', { name: 'Message stores' }).waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: /^Orders / }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Name' }).fill('partnerf');
    await page.getByRole('option', { name: /PartnerForwarder/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: /^PartnerForwarder/ }).waitFor();
    await page.keyboard.press('.');
    await page.locator('html[data-theme=dark]').waitFor();
    await page.reload();
    await page.locator('html[data-theme=dark]').waitFor();
  });

  it('opens a dialog right behind one that closes', async () => {
    const page = await open('#/');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await page.evaluate(async () => {
      const dialog = document.querySelector('dialog');
      if (!dialog) throw new Error('there is no dialog');
      const told = new Promise((resolve) => dialog.addEventListener('close', resolve));
      dialog.close();
      dispatchEvent(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true }));
      await told;
    });
    await page.getByRole('combobox', { name: 'Name' }).fill('partnerf');
    await page.getByRole('option', { name: /PartnerForwarder/ }).waitFor();
    await page.keyboard.press('Escape');
    await eventually(() => page.locator('dialog').count()).toBe(0);
  });

  it('browses a store, tells why a message was not delivered, and shows it pretty, as it is and in hex (OP-42)', async () => {
    const page = await open('#/stores');
    await page.getByRole('link', { name: 'RejectedOrders' }).click();
    await page.getByRole('link', { name: /^Messages/ }).click();
    const rows = page.getByRole('table', { name: 'Messages, oldest first' }).locator('tbody tr');
    await eventually(() => rows.count()).toBe(3);
    await page.getByRole('searchbox', { name: 'Text in the body' }).fill('REJECTED-B');
    await eventually(() => rows.count()).toBe(1);
    await rows.first().getByRole('link').click();
    await page.getByRole('heading', { name: 'Why it was not delivered' }).waitFor();
    await page.getByText('Service Unavailable').first().waitFor();
    await page.getByText('OrderForwarder').first().waitFor();
    const body = page.getByRole('region', { name: 'Body of the message' });
    await eventually(() => body.innerText()).toMatch(/^\s*<symbol>REJECTED-B<\/symbol>$/m);
    await page.getByRole('button', { name: 'Hex' }).click();
    await eventually(() => body.innerText()).toMatch(/^00000000 {2}3c 73 6f 61 70/m);
    await page.getByRole('button', { name: 'As it is' }).click();
    await eventually(() => body.innerText()).toContain('<symbol>REJECTED-B</symbol>');
  });

  it('compares two messages side by side, on a phone too (OP-49)', async () => {
    const page = await open('#/stores/RejectedOrders/messages');
    const boxes = page.getByRole('table', { name: 'Messages, oldest first' }).locator('tbody input');
    await boxes.nth(0).check();
    expect(await page.getByRole('link', { name: 'Compare' }).count()).toBe(0);
    await boxes.nth(1).check();
    await page.getByRole('link', { name: 'Compare' }).click();
    const bodies = page.getByRole('region', { name: 'Bodies side by side' });
    await bodies.locator('.other .went').getByText('<symbol>REJECTED-A</symbol>').waitFor();
    await bodies.locator('.other .came').getByText('<symbol>REJECTED-B</symbol>').waitFor();
    const symbol = page.locator('.compared .other', { hasText: 'symbol' });
    expect(await symbol.innerText()).toMatch(/A\s+REJECTED-A[\s\S]*B\s+REJECTED-B/);
    const all = await page.locator('.compared > div').count();
    await page.getByRole('checkbox', { name: 'Only differences' }).check();
    await eventually(() => page.locator('.compared > div').count()).toBeLessThan(all);
    expect(await page.locator('.compared > .same').count()).toBe(0);
    expect(await shown.seen.violations()).toEqual([]);
    await page.setViewportSize(PHONE);
    await page.getByRole('checkbox', { name: 'Only differences' }).uncheck();
    expect(await shown.seen.overflow()).toBe(0);
  });

  it('imports an exported file into a store, leaves out what is there, and tells what it cannot take (OP-49)', async () => {
    await shown.world.deploy('Archive.xml', '<messageStore xmlns="http://ws.apache.org/ns/synapse" name="Archive"/>\n');
    const exported = await fetch(shown.world.runtime.management('/management/message-stores/RejectedOrders/export'));
    const lines = (await exported.text()).trim().split('\n');
    expect(lines).toHaveLength(3);
    const page = await open('#/stores/Archive/messages');
    await page.getByRole('button', { name: 'Import' }).click();
    const dialog = page.getByRole('dialog');
    const file = (text: string) => ({ name: 'a.ndjson', mimeType: '', buffer: Buffer.from(text) });
    await dialog.getByLabel('File').setInputFiles(file(`${lines.join('\n')}\n`));
    await dialog.getByRole('button', { name: 'Check only' }).click();
    await dialog.getByText('3 messages can be imported').waitFor();
    await storeHolds(shown.world, 'Archive', 0);
    await dialog.getByRole('button', { name: 'Import' }).click();
    await page.getByRole('status').getByText('3 messages imported').waitFor();
    const rows = page.getByRole('table', { name: 'Messages, oldest first' }).locator('tbody tr');
    await eventually(() => rows.count()).toBe(3);
    await page.getByRole('button', { name: 'Import' }).click();
    await dialog.getByLabel('File').setInputFiles(file(`${lines[0]}\n{"id": 7}\n`));
    await dialog.getByRole('button', { name: 'Import' }).click();
    const told = dialog.getByRole('alert');
    await told.getByText('0 messages imported, 1 left out, as the store has it, 1 not').waitFor();
    await told.getByText(/^Line 2: /).waitFor();
    expect(await shown.seen.violations()).toEqual([]);
    await dialog.getByRole('combobox').selectOption('allow');
    await dialog.getByRole('button', { name: 'Import' }).click();
    await told.getByText('1 message imported, 1 not').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await eventually(() => rows.count()).toBe(4);
    expect(await shown.world.change('DELETE', '/management/message-stores/Archive/messages?confirm=4')).toMatchObject({
      status: 200,
    });
  });

  it('changes how much is logged about one artifact, and takes that back', async () => {
    const levels = async () => ((await shown.world.read('/management/logging')) as { artifacts: unknown }).artifacts;
    const page = await open('#/processors/PartnerForwarder');
    await page.getByRole('button', { name: 'Change the level' }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByRole('combobox', { name: 'Of' }).inputValue()).toBe('messageProcessor:PartnerForwarder');
    await dialog.getByRole('combobox', { name: 'Level' }).selectOption('error');
    await dialog.getByRole('button', { name: 'Change' }).click();
    await page.getByRole('status').getByText('The log level is changed').waitFor();
    await shown.seen.visit('#/logs');
    await page.getByRole('button', { name: 'Log levels' }).click();
    await dialog.getByRole('combobox', { name: 'Of' }).selectOption('proxy:CourierProxy');
    expect(await shown.seen.violations()).toEqual([]);
    await dialog.getByRole('button', { name: 'Change' }).click();
    const own = page.getByRole('list', { name: 'Artifacts with a log level of their own' }).getByRole('listitem');
    await eventually(() => own.count()).toBe(2);
    const [processor, proxy] = [
      { kind: 'messageProcessor', name: 'PartnerForwarder', level: 'ERROR' },
      { kind: 'proxy', name: 'CourierProxy', level: 'DEBUG' },
    ];
    expect(await levels()).toMatchObject([processor, proxy]);
    // Both go back after ten minutes, and the page says when.
    await own
      .filter({ hasText: 'CourierProxy' })
      .getByText(/^back in (?:10 min|9 min \d+ s)$/)
      .waitFor();
    expect(await shown.seen.violations()).toEqual([]);
    await own.filter({ hasText: 'CourierProxy' }).getByRole('button').click();
    await eventually(levels).toMatchObject([processor]);
    await eventually(() => own.count()).toBe(1);
    await own.filter({ hasText: 'PartnerForwarder' }).getByRole('button').click();
    await eventually(() => own.count()).toBe(0);
  });

  it('plans a resend, and cancels it', async () => {
    await storeHolds(shown.world, 'RejectedOrders', 3);
    const page = await open('#/stores/RejectedOrders/failures');
    await page.getByRole('button', { name: 'Resend all' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('When').fill(`${new Date().getFullYear() + 1}-01-01T06:00`);
    await dialog.getByRole('button', { name: 'Resend 3 messages' }).click();
    await page
      .getByRole('status')
      .getByText(/The resend from RejectedOrders is planned for/)
      .waitFor();
    const planned = page.getByRole('table', { name: 'Planned resends' });
    await planned.getByText('Waiting').waitFor();
    expect(await shown.seen.violations()).toEqual([]);
    await planned.getByRole('button', { name: 'Cancel' }).click();
    await planned.getByText('Cancelled').waitFor();
    await storeHolds(shown.world, 'RejectedOrders', 3);
  });

  it('shows what changed in an artifact, and goes back to what it was', async () => {
    const text = (step: string) =>
      `<sequence xmlns="http://ws.apache.org/ns/synapse" name="Notes">\n  <log/>\n  <property name="step" value="${step}"/>\n</sequence>\n`;
    await shown.world.deploy('Notes.xml', text('first'));
    await shown.world.deploy('Notes.xml', text('second'));
    const page = await open('#/artifacts/deployments');
    await page.getByRole('link', { name: 'Notes.xml' }).first().click();
    const changes = page.getByRole('region', { name: 'Changes from version 1 to version 2' });
    await eventually(() => changes.innerText()).toMatch(/^−.*value="first"/m);
    await eventually(() => changes.innerText()).toMatch(/^\+.*value="second"/m);
    await page.getByRole('button', { name: 'Roll back' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click();
    await page.getByRole('status').getByText('Notes.xml is version 1 again: deployed').waitFor();
    await page.getByRole('table', { name: 'Versions' }).getByText('3', { exact: true }).waitFor();
    const { text: now } = (await shown.world.read('/management/artifacts/source?file=Notes.xml')) as { text: string };
    expect(now).toBe(text('first'));
    expect(await shown.seen.violations()).toEqual([]);
  });

  it('shows who is told of alerts, and what came of it', async () => {
    const called = () => shown.world.alerts.received.map(({ body }) => String(body));
    await waitFor(() => called().some((text) => text.includes('PartnerForwarder is deactivated')), {
      what: 'the web hook to be told of PartnerForwarder',
    });
    const page = await open('#/alerts');
    const row = page.getByRole('table', { name: 'Web hooks' }).getByRole('row', { name: /operations/ });
    await row.getByText('Delivered').waitFor();
    await row.getByRole('button', { name: 'Send a test' }).click();
    await page.getByRole('status').getByText('operations has taken the test').waitFor();
    expect(called().at(-1)).toContain('"event":"test"');
    expect(await row.innerText()).not.toContain('/hooks/operations');
  });

  it('resends a message to where it failed, from where it is delivered', async () => {
    await storeHolds(shown.world, 'RejectedOrders', 3);
    const page = await open('#/stores/RejectedOrders/messages?text=REJECTED-A');
    await page.getByRole('table', { name: 'Messages, oldest first' }).locator('tbody a').first().click();
    await page.getByRole('button', { name: 'Resend' }).click();
    const answer = shown.world.backEnd.answer;
    shown.world.backEnd.answer = () => ({ status: 202, body: '' });
    try {
      const dialog = page.getByRole('dialog');
      await dialog.getByText('Resend 1 message?').waitFor();
      const before = shown.world.backEnd.received.length;
      await dialog.getByRole('button', { name: 'Resend 1 message' }).click();
      await page.getByRole('status').getByText('1 message resent').waitFor();
      const again = () => shown.world.backEnd.received.slice(before).some(({ body }) => body.includes('REJECTED-A'));
      await waitFor(again, { what: 'the back end to get the message again' });
      await storeHolds(shown.world, 'RejectedOrders', 2);
    } finally {
      shown.world.backEnd.answer = answer;
    }
  });

  it('moves the chosen messages and purges a store only when the number is typed', async () => {
    await storeHolds(shown.world, 'RejectedOrders', 2);
    const page = await open('#/stores/RejectedOrders/messages');
    await page.getByRole('checkbox', { name: 'Select all on this page' }).check();
    await page.getByText('2 messages selected').waitFor();
    await page.getByRole('button', { name: 'Move' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('combobox', { name: 'To the store' }).selectOption('LargeOrders');
    await dialog.getByRole('button', { name: 'Move 2 messages' }).click();
    await page.getByRole('status').getByText('2 messages moved').waitFor();
    await page.getByText('The store is empty').waitFor();
    await storeHolds(shown.world, 'LargeOrders', 6);
    // The count that a purge goes by is up to two seconds old; asked without a number, the server does nothing but say it.
    const counted = async () => {
      const { body } = await shown.world.change('DELETE', '/management/message-stores/LargeOrders/messages');
      return (body as { count?: number }).count;
    };
    await eventually(counted).toBe(6);
    await shown.seen.visit('#/stores/LargeOrders/messages');
    const rows = page.getByRole('table', { name: 'Messages, oldest first' }).locator('tbody tr');
    await eventually(() => rows.count()).toBe(6);
    await page.getByRole('button', { name: 'Purge' }).click();
    const purge = dialog.getByRole('button', { name: 'Delete 6 messages' });
    expect(await purge.isDisabled()).toBe(true);
    await dialog.getByRole('textbox').fill('6');
    await purge.click();
    await page.getByRole('status').getByText('6 messages deleted').waitFor();
    await storeHolds(shown.world, 'LargeOrders', 0);
    await shown.seen.visit('#/audit');
    await page.getByText('purged').first().waitFor();
  });

  it('deactivates, steps and activates a processor, and tells the state that was reached', async () => {
    const page = await open('#/processors/OrderForwarder');
    await page.getByRole('button', { name: 'Deactivate' }).click();
    await page
      .getByRole('status')
      .getByText(/^OrderForwarder is (?:deactivated|paused)$/)
      .waitFor();
    await page
      .getByRole('heading', { level: 1 })
      .getByText(/Paused|Deactivated/)
      .waitFor();
    expect(await processorState(shown.world, 'OrderForwarder')).toMatch(/PAUSED|DEACTIVATED/);
    await shown.world.order('STEPPED', 7);
    await storeHolds(shown.world, 'Orders', 1);
    await page.getByRole('button', { name: 'Deliver one' }).click();
    await storeHolds(shown.world, 'Orders', 0);
    await page.getByRole('button', { name: /Activate|Resume/ }).click();
    await page.getByRole('heading', { level: 1 }).getByText('Active', { exact: true }).waitFor();
    expect(await processorState(shown.world, 'OrderForwarder')).toBe('ACTIVE');
  });

  it('sends a test message and follows its trace through mediators, the store and the attempts to deliver it (OP-46, OP-47)', async () => {
    const page = await open('#/send?kind=proxy&name=OrderProxy');
    await page.getByRole('combobox', { name: 'To' }).selectOption('proxy:OrderProxy');
    await page.getByRole('button', { name: 'SOAP 1.1: place order (one-way)' }).click();
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByRole('link', { name: 'Follow its trace' }).click();
    await page.getByRole('heading', { level: 1, name: /OrderProxy/ }).waitFor();
    const timeline = page.locator('.timeline');
    await timeline.getByRole('button', { name: /payloadFactory/ }).click();
    const changes = page.getByRole('region', { name: 'Changes of the body' });
    await eventually(() => changes.innerText()).toMatch(/^−.*placeOrder/m);
    await eventually(() => changes.innerText()).toMatch(/^\+.*<order xmlns="urn:orders">/m);
    await timeline.getByRole('button', { name: /symbol/ }).click();
    await page.getByRole('heading', { name: 'Properties' }).waitFor();
    await timeline.getByRole('button', { name: /stored in LargeOrders/ }).waitFor();
    await shown.world.change('POST', '/management/message-processors/PartnerForwarder/activate');
    await timeline.getByRole('button', { name: /attempt 2\s*by PartnerForwarder/ }).click();
    await page.locator('.trace-detail').getByText('ECONNREFUSED').first().waitFor();
  });

  it('shows the lines around an error and the likely name, and the file at that line', async () => {
    const page = await open('#/');
    await page
      .getByRole('link', { name: /^Artifacts/ })
      .first()
      .click();
    const frame = page.getByRole('region', { name: 'Lines around the problem' });
    await eventually(() => frame.locator('.mark').innerText()).toContain('<stor messageStore="Invoices"/>');
    await page.locator('.problem-hint').getByText('store', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'line 7:7' }).click();
    const marked = page.getByRole('region', { name: /^Source of/ }).locator('.mark');
    await eventually(() => marked.innerText()).toContain('<stor messageStore="Invoices"/>');
  });

  it('draws the graph with live counts, and a click leads to the source (OP-45)', async () => {
    const page = await open('#/graph');
    const edges = page.locator('.edge-label text');
    const counts = async () => (await edges.allTextContents()).join(' ').match(/\d+/g)?.map(Number) ?? [];
    await eventually(async () => (await counts()).length).toBeGreaterThan(3);
    const before = Math.max(...(await counts()));
    await shown.world.order('COUNTED', 3);
    await eventually(async () => Math.max(...(await counts()))).toBeGreaterThan(before);
    await page.getByRole('button', { name: /^store Orders,/ }).click();
    const marked = page.getByRole('region', { name: 'Source of Orders' }).locator('.mark');
    await eventually(() => marked.innerText()).toContain('name="Orders"');
  });

  it('shows what is dangerous as text', async () => {
    const body = '{"html":"<img src=x onerror=alert(1)>","script":"</code><script>alert(2)</script>"}';
    await shown.world.change('POST', '/management/message-processors/OrderForwarder/deactivate');
    await fetch(`${new URL(shown.world.runtime.service('x')).origin}/orders/`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Evil': '<script>alert(3)</script>' },
      body,
    });
    await storeHolds(shown.world, 'Orders', 1);
    const page = await open('#/stores/Orders/messages');
    page.on('dialog', () => shown.seen.errors.push('a script of a message was run'));
    await page.getByRole('table', { name: 'Messages, oldest first' }).locator('tbody a').first().click();
    const text = page.getByRole('region', { name: 'Body of the message' });
    await eventually(() => text.innerText()).toContain('<img src=x onerror=alert(1)>');
    await page.getByText('<script>alert(3)</script>').waitFor();
    expect(await page.locator('main script, main img[src=x]').count()).toBe(0);
    await shown.world.change('POST', '/management/message-processors/OrderForwarder/activate');
  });

  it('says how old its numbers are, that it is cut off and when it tries again, and comes back by itself (OP-43)', async () => {
    const { port } = new URL(shown.world.runtime.management('/'));
    const between = await tcpForwarder({ to: { port: Number(port) }, port: await freePort() });
    try {
      const page = await open('#/stores', { console: `http://127.0.0.1:${between.port}/console/` });
      const live = page.getByText('Live', { exact: true });
      await live.waitFor();
      between.pause();
      await page.getByText(/^Numbers are \d+ s old$/).waitFor();
      await between.resume();
      await live.waitFor();
      await between.refuse();
      between.cut();
      await page.getByText('Not connected', { exact: true }).waitFor();
      await page.getByRole('alert').getByText('Not connected to the server').waitFor();
      await page.getByText(/What is shown is \d+ s old/).waitFor();
      expect(await shown.seen.violations()).toEqual([]);
      // Every try waits longer than the one before.
      await page.getByText(/Trying again in (?:[6-9]|[12]\d) s/).waitFor();
      await between.resume();
      await page.getByRole('button', { name: 'Try now' }).click();
      await live.waitFor();
      await page.getByText('Not connected to the server').waitFor({ state: 'detached' });
      await between.refuse();
      between.cut();
      await page.getByText('Not connected', { exact: true }).waitFor();
      await between.resume();
      await live.waitFor();
    } finally {
      await shown.seen.page.close();
      // What the browser says about the connections that it has lost is no error of ours.
      shown.seen.errors.length = 0;
      await between.close();
    }
  });
});
