import { afterEach, describe, expect, it } from 'vitest';
import { type MessageStore, StoreError } from '../../../src/stores/message-store.ts';
import { encodeJmsMessage } from '../../../src/stores/stomp/jms-message.ts';
import { inSelectors, selectorFor } from '../../../src/stores/stomp/selector.ts';
import { BrowseRefusedError, type StoreBrowser } from '../../../src/stores/store-browser.ts';
import type { StoredMessage } from '../../../src/stores/stored-message.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openJmsStore } from '../jms-stores.ts';
import { storedMessage } from '../messages.ts';
import { CONNECTED, type Script, type StompServer, stompFrame, stompServer } from '../stomp-server.ts';

const ARTEMIS = CONNECTED.replace('Played/1', 'ActiveMQ-Artemis/2.31.2');
const look = () => ({ signal: AbortSignal.timeout(10_000) });
const closing: Array<() => Promise<unknown>> = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function opened(script: Script): Promise<{ store: MessageStore; browser: StoreBrowser; server: StompServer }> {
  const server = await stompServer(script);
  closing.push(() => server.close());
  const store = openJmsStore({ stompPort: server.port, queue: 'Q' });
  closing.push(() => store.close());
  await waitFor(() => store.status().state === 'READY', { what: 'READY' });
  const browser = store.browser?.();
  if (!browser) throw new Error('no browser');
  return { store, browser, server };
}

const receipt = (headers: Readonly<Record<string, string>>) =>
  stompFrame('RECEIPT', { 'receipt-id': headers.receipt ?? '' });

function message(stored: StoredMessage, subscription: string, ack: string): string {
  const { 'content-length': _, ...headers } = encodeJmsMessage(stored).headers;
  const fields = { ...headers, subscription, ack, 'message-id': ack, destination: '/queue/Q' };
  return stompFrame('MESSAGE', fields as Record<string, string>, 'body');
}

describe('selectors', () => {
  it('name ours by the property that tells the id, and others by what the broker calls them', () => {
    expect(selectorFor(["a'b", 'ü'])).toBe("StoredMessageID IN ('a''b', '?')");
    expect(selectorFor(['ID:h-1', 'x'])).toBe("StoredMessageID IN ('ID:h-1', 'x') OR JMSMessageID IN ('ID:h-1')");
  });

  it('fit a header line, however many there are', () => {
    const ids = Array.from({ length: 1_000 }, (_, index) => `urn:uuid:0f8fad5b-d9cb-469f-a165-${index}`);
    const parts = [...inSelectors(ids)];
    expect(parts.flat()).toEqual(ids);
    expect(parts.length).toBeGreaterThan(5);
    for (const part of parts) expect(selectorFor(part).length).toBeLessThan(4_000);
    expect([...inSelectors([])]).toEqual([]);
    expect([...inSelectors(['x'.repeat(10_000)])]).toHaveLength(1);
  });
});

describe('a queue that is looked into', () => {
  it('is browsed, never consumed', async () => {
    const messages = [storedMessage(), storedMessage()];
    const { browser, server } = await opened(({ command, headers }) => {
      if (command !== 'SUBSCRIBE') return undefined;
      const shown = messages.map((stored, index) => message(stored, headers.id ?? '', `m${index}`));
      const end = stompFrame('MESSAGE', { subscription: headers.id ?? '', browser: 'end', 'message-id': 'e' });
      return receipt(headers) + shown.join('') + end;
    });
    const page = await browser.page({ ...look(), limit: 10 });
    expect(page.messages.map(({ id }) => id)).toEqual(messages.map(({ id }) => id));
    expect(page).toMatchObject({ next: undefined, complete: true });
    const subscriptions = server.frames.filter(({ command }) => command === 'SUBSCRIBE');
    expect(subscriptions.map(({ headers }) => headers)).toMatchObject([
      { destination: '/queue/Q', browser: 'true', ack: 'auto' },
    ]);
    expect(server.frames.some(({ command }) => command === 'ACK')).toBe(false);
  });

  it('shows a page more than the broker holds in memory, and says that there may be more', async () => {
    const { browser } = await opened(({ command, headers }) => {
      if (command !== 'SUBSCRIBE') return undefined;
      const shown = Array.from({ length: 400 }, (_, index) => message(storedMessage(), headers.id ?? '', `m${index}`));
      const end = stompFrame('MESSAGE', { subscription: headers.id ?? '', browser: 'end', 'message-id': 'e' });
      return receipt(headers) + shown.join('') + end;
    });
    const page = await browser.page({ ...look(), limit: 500 });
    expect(page).toMatchObject({
      next: undefined,
      complete: false,
      note: expect.stringContaining('maxBrowsePageSize'),
    });
    expect(page.messages).toHaveLength(400);
  });

  it('goes on behind the time of a message that is gone', async () => {
    const later = storedMessage();
    let first: StoredMessage | undefined = storedMessage();
    const { browser } = await opened(({ command, headers }) => {
      if (command !== 'SUBSCRIBE') return undefined;
      const id = headers.id ?? '';
      const shown = (stored: StoredMessage, timestamp: number) =>
        message(stored, id, `m${timestamp}`).replace('MESSAGE\n', `MESSAGE\ntimestamp:${timestamp}\n`);
      const end = stompFrame('MESSAGE', { subscription: id, browser: 'end', 'message-id': 'e' });
      return receipt(headers) + (first ? shown(first, 1_000) : '') + shown(later, 2_000) + end;
    });
    const page = await browser.page({ ...look(), limit: 1 });
    expect(page.next).toBeDefined();
    first = undefined;
    const next = await browser.page({ ...look(), limit: 1, after: page.next });
    expect(next.messages.map(({ id }) => id)).toEqual([later.id]);
  });

  it('is given up when the broker does not come to an end', async () => {
    const { browser } = await opened(({ command, headers }) =>
      command === 'SUBSCRIBE' ? receipt(headers) : undefined,
    );
    await expect(browser.page({ signal: AbortSignal.timeout(200), limit: 1 })).rejects.toThrow();
  });

  it('is an error of the store when the broker refuses, or cuts the connection', async () => {
    const { browser } = await opened(({ command, headers }) =>
      command === 'SUBSCRIBE' ? stompFrame('ERROR', { 'receipt-id': headers.receipt ?? '', message: 'no' }) : undefined,
    );
    await expect(browser.page({ ...look(), limit: 1 })).rejects.toBeInstanceOf(StoreError);
    const other = await opened(({ command }) => (command === 'SUBSCRIBE' ? 'cut' : undefined));
    await expect(other.browser.read('a', look())).rejects.toBeInstanceOf(StoreError);
  });

  it('is not browsed on Artemis, which would hand the messages over', async () => {
    const { browser, server } = await opened(({ command }) => (command === 'CONNECT' ? ARTEMIS : undefined));
    await expect(browser.page({ ...look(), limit: 1 })).rejects.toBeInstanceOf(BrowseRefusedError);
    await expect(browser.read('a', look())).rejects.toThrow('cannot be browsed over STOMP');
    expect(await browser.oldestAt()).toBeUndefined();
    expect(server.frames.some(({ command }) => command === 'SUBSCRIBE')).toBe(false);
  });
});

describe('messages that are taken', () => {
  it('by a selector, acknowledged one by one; on Artemis, too', async () => {
    const wanted = storedMessage();
    const other = storedMessage();
    const { browser, server } = await opened(({ command, headers }) => {
      if (command === 'CONNECT') return ARTEMIS;
      if (command !== 'SUBSCRIBE') return undefined;
      // Whatever else comes is left alone.
      return receipt(headers) + message(other, headers.id ?? '', 'a1') + message(wanted, headers.id ?? '', 'a2');
    });
    const taker = browser.take([wanted.id], look());
    const delivery = await taker.next();
    expect(delivery?.message?.id).toBe(wanted.id);
    await delivery?.done();
    expect(await taker.next()).toBeUndefined();
    await taker.close();
    const [subscription] = server.frames.filter(({ command }) => command === 'SUBSCRIBE');
    expect(subscription?.headers).toMatchObject({
      destination: 'Q',
      selector: `StoredMessageID IN ('${wanted.id}')`,
      ack: 'client-individual',
    });
    expect(subscription?.headers.browser).toBeUndefined();
    expect(server.frames.filter(({ command }) => command === 'ACK').map(({ headers }) => headers.id)).toEqual(['a2']);
  });

  it('are the broker’s again when the connection is lost', async () => {
    const wanted = storedMessage();
    const { browser } = await opened(({ command, headers }) => {
      if (command === 'CONNECT') return ARTEMIS;
      if (command === 'ACK') return 'cut';
      return command === 'SUBSCRIBE' ? receipt(headers) + message(wanted, headers.id ?? '', 'a1') : undefined;
    });
    const taker = browser.take([wanted.id], look());
    const delivery = await taker.next();
    await expect(delivery?.done()).rejects.toBeInstanceOf(StoreError);
    await expect(delivery?.done()).rejects.toThrow('has ended');
    await taker.close();
  });
});
