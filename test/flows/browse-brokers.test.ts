import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { ActiveMqBroker } from '../../samples/activemq/broker.ts';
import type { Delivery, MessageStore } from '../../src/stores/message-store.ts';
import { BrowseRefusedError, type StoreBrowser } from '../../src/stores/store-browser.ts';
import { openJmsStore } from '../stores/jms-stores.ts';
import { storedMessage } from '../stores/messages.ts';
import { openRabbitMqStore } from '../stores/rabbitmq-stores.ts';
import { OpenStores } from '../stores/store-calls.ts';
import { activemq, findOrInstall, rabbitmq } from '../support/servers/index.ts';
import type { RabbitMqBroker } from '../support/servers/rabbitmq.ts';
import { waitFor } from '../support/wait-for.ts';

const look = () => ({ signal: AbortSignal.timeout(30_000) });

async function browserOf(store: MessageStore): Promise<StoreBrowser> {
  await waitFor(() => store.status().state === 'READY', { what: 'READY', deadlineMs: 30_000 });
  const browser = store.browser?.();
  if (!browser) throw new Error('no browser');
  return browser;
}

async function putAll(store: MessageStore, count: number): Promise<string[]> {
  const messages = Array.from({ length: count }, () => storedMessage());
  for (let at = 0; at < count; at += 50) {
    await Promise.all(messages.slice(at, at + 50).map((message) => store.put(message)));
  }
  return messages.map(({ id }) => id);
}

const activeMqServer = await findOrInstall(activemq);
const rabbitMqServer = await findOrInstall(rabbitmq);

activeMqServer.describe('a deep queue of ActiveMQ', () => {
  const stores = new OpenStores();
  let broker: ActiveMqBroker;

  beforeAll(async () => {
    broker = await activeMqServer.start();
  });

  afterEach(stores.closeAll);
  afterAll(() => broker.close());

  it('is shown as far as the broker shows it when it was read from disk, and all of its messages can be taken', async () => {
    const open = () => stores.add(openJmsStore({ stompPort: broker.stompPort, queue: 'deep', name: 'Deep' }));
    const before = open();
    const ids = new Set(await putAll(before, 1_000));
    await before.close();
    await broker.kill();
    await broker.restart();
    const store = open();
    const browser = await browserOf(store);
    const page = await browser.page({ ...look(), limit: 500 });
    expect(page.messages.length).toBeGreaterThanOrEqual(400);
    let shown = page.messages.length;
    for (let { next } = page; next !== undefined; ) {
      const more = await browser.page({ ...look(), limit: 500, after: next });
      shown += more.messages.length;
      next = more.next;
      if (next === undefined && shown < ids.size) expect(more.complete).toBe(false);
    }
    // One after the other, deeper and deeper.
    for (const id of [...ids].filter((_, index) => index % 100 === 0)) {
      const taker = browser.take([id], look());
      const delivery = await taker.next();
      expect(delivery?.message?.id).toBe(id);
      await delivery?.done();
      ids.delete(id);
      await taker.close();
    }
    expect(ids.size).toBe(990);
  });
});

rabbitMqServer.describe('a queue of RabbitMQ', () => {
  const stores = new OpenStores();
  let broker: RabbitMqBroker;
  let queues = 0;
  const open = (parameters: Record<string, string> = {}) => {
    queues += 1;
    return stores.add(openRabbitMqStore({ port: broker.port, queue: `looked-${queues}`, parameters }));
  };

  beforeAll(async () => {
    broker = await rabbitMqServer.start();
  });

  afterEach(stores.closeAll);
  afterAll(() => broker.close());

  it.each([
    ['classic', {}],
    ['quorum', { 'x.queue.type': 'quorum' }],
  ])('keeps its order for a consumer that works while others look (%s)', async (_, parameters) => {
    const store = open(parameters);
    const browser = await browserOf(store);
    const ids = await putAll(store, 60);
    const arrived = (await browser.page({ ...look(), limit: 100 })).messages.map(({ id }) => id);
    expect(arrived.toSorted()).toEqual(ids.toSorted());
    const consumer = store.consumer();
    const received: string[] = [];
    const work = (async () => {
      while (received.length < ids.length) {
        const delivery: Delivery | undefined = await consumer.receive({ ...look(), waitMs: 20_000 });
        if (!delivery) return;
        received.push(delivery.message?.id ?? '');
        await delivery.done();
      }
    })();
    while (received.length < ids.length) {
      const page = await browser.page({ ...look(), limit: 100 });
      const seen = page.messages.map(({ id }) => id);
      expect(seen).toEqual(arrived.slice(arrived.length - seen.length));
    }
    await work;
    expect(received).toEqual(arrived);
  });

  it('shows a thousand messages at most, and says that there are more', async () => {
    const store = open();
    const browser = await browserOf(store);
    const ids = await putAll(store, 1_010);
    const shown: string[] = [];
    let complete = true;
    for (let after: string | undefined; ; ) {
      const page = await browser.page({ ...look(), limit: 500, after });
      shown.push(...page.messages.map(({ id }) => id));
      complete = page.complete;
      after = page.next;
      if (after === undefined) break;
    }
    expect(shown).toEqual(ids.slice(0, 1_000));
    expect(complete).toBe(false);
    expect((await store.depth()).count).toBe(1_010);
  });

  it('tells the age of its oldest message only while nobody works on it', async () => {
    const store = open();
    const browser = await browserOf(store);
    await store.put(storedMessage({ storedAt: 1_000 }));
    const consumer = store.consumer();
    expect(await browser.oldestAt()).toBeUndefined();
    await consumer.close();
    expect(await browser.oldestAt()).toBe(1_000);
  });

  it('with a delivery limit it is looked into only when that is wanted all the same', async () => {
    const { connect } = await import('amqplib');
    const model = await connect(`amqp://guest:guest@127.0.0.1:${broker.port}`);
    const channel = await model.createChannel();
    const limits = { 'x-queue-type': 'quorum', 'x-delivery-limit': 3 };
    await channel.assertQueue('limited', { durable: true, arguments: limits });
    await model.close();
    const store = stores.add(openRabbitMqStore({ port: broker.port, queue: 'limited' }));
    const browser = await browserOf(store);
    const [id = ''] = await putAll(store, 1);
    const page = (force: boolean) => browser.page({ ...look(), limit: 10, force });
    await expect(page(false)).rejects.toBeInstanceOf(BrowseRefusedError);
    await expect(page(false)).rejects.toThrow('delivery limit of 3');
    await expect(browser.take([id], look()).next()).rejects.toBeInstanceOf(BrowseRefusedError);
    expect((await page(true)).messages.map((message) => message.id)).toEqual([id]);
    const taker = browser.take([id], { ...look(), force: true });
    await (await taker.next())?.done();
    await taker.close();
    expect((await page(true)).messages).toEqual([]);
  });
});
