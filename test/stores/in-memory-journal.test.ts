import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Segment } from '../../src/stores/journal/segment.ts';
import { type MessageStore, StoreError } from '../../src/stores/message-store.ts';
import { waitFor } from '../support/wait-for.ts';
import { storeContract } from './contract.ts';
import { dedupSuite } from './dedup-suite.ts';
import { Folders, type InMemoryStoreOptions, openInMemoryStore } from './in-memory-stores.ts';
import { comparableMessage, everyPropertyType, storedMessage } from './messages.ts';

const folders = new Folders();
const opened: MessageStore[] = [];
const dataOf = new Map<MessageStore, string>();

async function open(wanted: InMemoryStoreOptions = {}): Promise<MessageStore> {
  const dataDirectory = wanted.dataDirectory ?? (await folders.make());
  const store = openInMemoryStore({ journal: true, ...wanted, dataDirectory });
  opened.push(store);
  dataOf.set(store, dataDirectory);
  return store;
}

async function reopen(closed: MessageStore): Promise<MessageStore> {
  const dataDirectory = dataOf.get(closed);
  if (dataDirectory === undefined) throw new Error('not one of ours');
  return open({ name: closed.name, dataDirectory });
}

async function take(store: MessageStore) {
  const consumer = store.consumer();
  const delivery = await consumer.receive({ signal: new AbortController().signal, waitMs: 5_000 });
  if (!delivery) throw new Error('no message');
  return { delivery, consumer };
}

async function drain(store: MessageStore): Promise<string[]> {
  await waitFor(() => store.status().state === 'READY', { what: () => JSON.stringify(store.status()) });
  const consumer = store.consumer();
  const ids: string[] = [];
  for (;;) {
    const delivery = await consumer.receive({ signal: new AbortController().signal, waitMs: 0 });
    if (!delivery) return ids;
    ids.push(delivery.message?.id ?? delivery.poison?.id ?? '?');
    await delivery.done();
  }
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
  await folders.removeAll();
});

storeContract('in memory with a journal', { open, reopen, durable: true });

dedupSuite('in memory with a journal', {
  durable: true,
  open: (dedup, after) => {
    if (!after) return open({ dedup });
    const dataDirectory = dataOf.get(after) ?? '';
    return open({
      dedup,
      dataDirectory,
      name: after.name,
      ...(after.status().state !== 'CLOSED' && { previous: after }),
    });
  },
  closeAll: async () => Promise.all(opened.splice(0).map((store) => store.close())),
});

describe('the store in memory with a journal', () => {
  test('everything of a message survives, its history included', async () => {
    const store = await open();
    const failure = { processor: 'P', sourceStore: 'S', endpoint: 'E', cause: 'HTTP 503', status: 503, attempts: 4 };
    const message = storedMessage({
      properties: everyPropertyType(),
      priority: 3,
      history: [{ ...failure, firstAttemptAt: 1, lastAttemptAt: 2 }],
    });
    await store.put(message);
    await store.close();
    const { delivery } = await take(await reopen(store));
    expect(delivery.message && comparableMessage(delivery.message)).toEqual(comparableMessage(message));
    expect(delivery.redelivered).toBe(true);
  });

  test('a message that was taken away does not come again', async () => {
    const store = await open();
    const ids = [storedMessage(), storedMessage(), storedMessage()];
    for (const message of ids) await store.put(message);
    await (await take(store)).delivery.done();
    await store.close();
    expect(await drain(await reopen(store))).toEqual(ids.slice(1).map(({ id }) => id));
  });

  test('takes puts while it is still reading, behind what it reads', async () => {
    const store = await open();
    const first = storedMessage();
    await store.put(first);
    await store.close();
    const again = await reopen(store);
    const second = storedMessage();
    await again.put(second);
    expect(await drain(again)).toEqual([first.id, second.id]);
  });

  test('an unfinished write at the end is cut off and reported; what is before it is there', async () => {
    const store = await open();
    const message = storedMessage();
    await store.put(message);
    await store.close();
    const folder = join(dataOf.get(store) ?? '', 'journal', store.name);
    const [segment = ''] = (await readdir(folder)).filter((name) => name.endsWith('.log'));
    const whole = await readFile(join(folder, segment));
    await appendFile(join(folder, segment), whole.subarray(32, whole.length - 5));
    const again = await reopen(store);
    expect(await drain(again)).toEqual([message.id]);
    expect((await stat(join(folder, segment)).catch(() => undefined))?.size ?? whole.length).toBe(whole.length);
  });

  test('a record of another version is a poison message, with its bytes', async () => {
    const store = await open();
    await store.put(storedMessage());
    await store.close();
    const { Journal } = await import('../../src/stores/journal/journal.ts');
    const folder = join(dataOf.get(store) ?? '', 'journal', store.name);
    const journal = await Journal.open({ folder, onMessage: () => undefined });
    await journal.append(Buffer.from('mini-synapse message 2 1 0\nx\n'));
    await journal.close();
    const again = await reopen(store);
    await (await take(again)).delivery.done();
    const { delivery } = await take(again);
    expect(delivery.message).toBeUndefined();
    expect(delivery.poison?.reason).toContain('unknown version 2');
    expect(Buffer.from(delivery.poison?.bytes ?? []).toString()).toContain('mini-synapse message 2');
    await delivery.done();
    expect(await again.depth()).toEqual({ count: 0, estimated: false });
  });

  test('its bounds count puts that are on their way', async () => {
    const store = await open({ maxMessages: 3 });
    const puts = await Promise.allSettled(Array.from({ length: 10 }, () => store.put(storedMessage())));
    expect(puts.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect(await store.depth()).toEqual({ count: 3, estimated: false });
  });

  test('a journal that cannot be opened refuses puts with the reason, and heals', async () => {
    const dataDirectory = await folders.make();
    await mkdir(join(dataDirectory, 'journal'));
    await writeFile(join(dataDirectory, 'journal', 'Blocked'), 'a file where a folder should be');
    const store = await open({ name: 'Blocked', dataDirectory, putDeadlineMs: 100 });
    await expect(store.put(storedMessage())).rejects.toThrow(
      /Store \[Blocked\] could not write its journal: .*E(EXIST|NOTDIR)/,
    );
    expect(store.status().state).toBe('DOWN');
    expect(await store.depth()).toEqual({ count: 'unknown', estimated: false });
    await rename(join(dataDirectory, 'journal', 'Blocked'), join(dataDirectory, 'away'));
    await waitFor(() => store.status().state === 'READY', { what: 'it to heal' });
    await store.put(storedMessage());
    expect(await store.depth()).toEqual({ count: 1, estimated: false });
  });

  test('puts that the disk does not answer keep their room, and do not come when it does', async () => {
    const store = await open({ maxMessages: 2, putDeadlineMs: 50 });
    await waitFor(() => store.status().state === 'READY', { what: 'the journal to be read' });
    const { promise: answer, resolve: goOn } = Promise.withResolvers<void>();
    const write = Segment.prototype.write;
    const slow = vi.spyOn(Segment.prototype, 'write').mockImplementation(async function (this: Segment, parts, bytes) {
      await answer;
      return write.call(this, parts, bytes);
    });
    try {
      for (let put = 0; put < 2; put += 1) {
        await expect(store.put(storedMessage())).rejects.toThrow(/waited 50 ms for the disk/);
      }
      await expect(store.put(storedMessage())).rejects.toThrow(/is full: it holds 2 messages/);
    } finally {
      goOn();
      slow.mockRestore();
    }
    const kept = storedMessage();
    await waitFor(
      () =>
        store.put(kept).then(
          () => true,
          () => false,
        ),
      { what: 'room' },
    );
    expect(await drain(store)).toEqual([kept.id]);
    await store.close();
    expect(await drain(await reopen(store))).toEqual([]);
  });

  test('a removal that the disk does not answer ends in time, and can be asked for again', async () => {
    const store = await open({ putDeadlineMs: 500 });
    const messages = [storedMessage(), storedMessage()];
    for (const message of messages) await store.put(message);
    const { delivery } = await take(store);
    const { promise: answer, resolve: goOn } = Promise.withResolvers<void>();
    const write = Segment.prototype.write;
    const slow = vi.spyOn(Segment.prototype, 'write').mockImplementation(async function (this: Segment, parts, bytes) {
      await answer;
      return write.call(this, parts, bytes);
    });
    try {
      await expect(delivery.done()).rejects.toThrow(/waited 500 ms for the disk/);
    } finally {
      goOn();
      slow.mockRestore();
    }
    await delivery.done();
    expect(await store.depth()).toEqual({ count: 1, estimated: false });
    await store.close();
    expect(await drain(await reopen(store))).toEqual([messages[1]?.id]);
  });

  test('a message whose removal failed is put into the other store once, however often it is moved', async () => {
    const store = await open();
    const target = openInMemoryStore();
    opened.push(target);
    await store.put(storedMessage());
    const { delivery } = await take(store);
    const write = vi.spyOn(Segment.prototype, 'write').mockRejectedValue(new Error('no disk'));
    const message = delivery.message ?? storedMessage();
    try {
      for (let move = 0; move < 3; move += 1) await expect(delivery.moveTo(target, message)).rejects.toThrow('no disk');
    } finally {
      write.mockRestore();
    }
    await delivery.moveTo(target, message);
    expect(await target.depth()).toEqual({ count: 1, estimated: false });
    expect(await store.depth()).toEqual({ count: 0, estimated: false });
  });

  test('a folder that another process uses is left alone: it says so, and takes over when that has ended', async () => {
    const dataDirectory = await folders.make();
    const child = new PuttingProcess(dataDirectory);
    await waitFor(() => child.said.length >= 10, { what: 'messages to be put', deadlineMs: 20_000 });
    const store = await open({ name: 'Killed', dataDirectory, putDeadlineMs: 100 });
    await waitFor(() => store.status().state === 'DOWN', { what: 'it to notice' });
    const holder = new RegExp(`another process uses it: process ${child.pid} on .* since \\d{4}-`);
    expect(store.status().lastError).toMatch(holder);
    await expect(store.put(storedMessage())).rejects.toThrow(holder);
    await child.kill();
    const found = new Set(await drain(store));
    expect(child.said.filter((id) => !found.has(id))).toEqual([]);
  });

  test('a replacement serves the same journal', async () => {
    const old = await open({ name: 'S' });
    const [first, second] = [storedMessage(), storedMessage()];
    await old.put(first);
    const replacement = openInMemoryStore({
      name: 'S',
      journal: true,
      dataDirectory: dataOf.get(old) ?? '',
      previous: old,
    });
    opened.push(replacement);
    await old.close();
    await replacement.put(second);
    await replacement.close();
    expect(await drain(await reopen(old))).toEqual([first.id, second.id]);
  });

  test('undeployed and deployed again at once, it finds everything', async () => {
    const store = await open();
    const messages = Array.from({ length: 20 }, () => storedMessage());
    const puts = Promise.all(messages.map((message) => store.put(message)));
    const closing = puts.then(() => store.close());
    await puts;
    const again = await reopen(store);
    await closing;
    expect(await drain(again)).toEqual(messages.map(({ id }) => id));
  });

  test('without x.journal nothing is written, and the other wish waits for the next start', async () => {
    const dataDirectory = await folders.make();
    const plain = await open({ name: 'S', journal: false, dataDirectory });
    await plain.put(storedMessage());
    const wished = openInMemoryStore({ name: 'S', journal: true, dataDirectory, previous: plain });
    opened.push(wished);
    await wished.put(storedMessage());
    expect(wished.durable).toBe(false);
    expect(existsSync(join(dataDirectory, 'journal'))).toBe(false);
  });

  test('what is confirmed survives kill -9, again and again, in order', { timeout: 60_000 }, async () => {
    const dataDirectory = await folders.make();
    const confirmed: string[] = [];
    for (let kill = 0; kill < 5; kill += 1) {
      const child = new PuttingProcess(dataDirectory);
      await waitFor(() => child.said.length >= 40 * (kill + 1), { what: 'messages to be put', deadlineMs: 20_000 });
      await child.kill();
      confirmed.push(...child.said);
    }
    const found = await drain(await open({ name: 'Killed', dataDirectory }));
    const places = new Map(found.map((id, index) => [id, index]));
    expect(confirmed.filter((id) => !places.has(id))).toEqual([]);
    expect(new Set(found).size).toBe(found.length);
    const order = confirmed.map((id) => places.get(id) ?? -1);
    expect(order).toEqual([...order].sort((one, other) => one - other));
    // Not more than what was on its way at each kill.
    expect(found.length - confirmed.length).toBeLessThanOrEqual(5 * 16);
  });

  test('a put after close is refused', async () => {
    const store = await open();
    await store.close();
    await expect(store.put(storedMessage())).rejects.toBeInstanceOf(StoreError);
  });
});

/** A process of its own that puts messages into a journal, and prints the ids of those that are confirmed. */
class PuttingProcess {
  readonly said: string[] = [];
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;

  constructor(dataDirectory: string) {
    const program = fileURLToPath(new URL('./in-memory-process.ts', import.meta.url));
    this.#child = spawn(process.execPath, [program, dataDirectory], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#gone = once(this.#child, 'close');
    if (this.#child.stdout) createInterface({ input: this.#child.stdout }).on('line', (line) => this.said.push(line));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#gone;
  }
}
