import { execFileSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type MessageStore, StoreError } from '../../src/stores/message-store.ts';
import { waitFor } from '../support/wait-for.ts';
import { Folders, openInMemoryStore } from './in-memory-stores.ts';
import { storedMessage, textBody } from './messages.ts';

const folders = new Folders();
const mounted: string[] = [];
const opened: MessageStore[] = [];

/** A file system of 3 MB; undefined where we may not have one. */
async function smallDisk(): Promise<string | undefined> {
  const folder = await folders.make();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  mounted.push(folder);
  return folder;
}

const canMount = (await smallDisk()) !== undefined;
unmountAll();

function unmountAll(): void {
  for (const folder of mounted.splice(0)) execFileSync('umount', [folder], { stdio: 'ignore' });
}

function open(dataDirectory: string): MessageStore {
  const store = openInMemoryStore({ name: 'Full', journal: true, dataDirectory });
  opened.push(store);
  return store;
}

/** Puts until it is refused; the ids of what was confirmed. */
async function fill(store: MessageStore): Promise<{ confirmed: string[]; refusal: unknown }> {
  const confirmed: string[] = [];
  for (;;) {
    const messages = Array.from({ length: 8 }, () => storedMessage({ body: textBody('x'.repeat(4_000)) }));
    const results = await Promise.allSettled(messages.map((message) => store.put(message)));
    confirmed.push(...messages.filter((_, index) => results[index]?.status === 'fulfilled').map(({ id }) => id));
    const refused = results.find((result) => result.status === 'rejected');
    if (refused) return { confirmed, refusal: refused.reason };
  }
}

async function drain(store: MessageStore): Promise<string[]> {
  await waitFor(() => store.status().state !== 'CONNECTING', { what: () => JSON.stringify(store.status()) });
  const consumer = store.consumer();
  const ids: string[] = [];
  for (;;) {
    const delivery = await consumer.receive({ signal: new AbortController().signal, waitMs: 0 });
    if (!delivery) break;
    ids.push(delivery.message?.id ?? '?');
    await delivery.done();
  }
  await consumer.close();
  return ids;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
  unmountAll();
  await folders.removeAll();
});

// It needs a disk that is small, which only root on Linux can have.
describe.skipIf(!canMount)('the journal on a full disk', () => {
  async function aDisk(): Promise<string> {
    const disk = await smallDisk();
    if (disk === undefined) throw new Error('no disk');
    return disk;
  }

  test('refuses puts with the reason, keeps what it confirmed, and nothing of what it refused', async () => {
    const disk = await aDisk();
    const store = open(disk);
    const { confirmed, refusal } = await fill(store);
    expect(refusal).toBeInstanceOf(StoreError);
    expect(String(refusal)).toContain('Store [Full] could not write its journal');
    expect(String(refusal)).toContain('no space is left on the disk');
    expect(store.status().state).toBe('DEGRADED');
    expect((await store.depth()).count).toBe(confirmed.length);
    await store.close();
    expect(await drain(open(disk))).toEqual(confirmed);
  });

  test('delivers while the disk is full, and takes messages again when that made room', async () => {
    const disk = await aDisk();
    const store = open(disk);
    const { confirmed } = await fill(store);
    await fill(store);
    const consumer = store.consumer();
    const delivery = await consumer.receive({ signal: new AbortController().signal, waitMs: 1000 });
    expect(delivery?.message?.id).toBe(confirmed[0]);
    await delivery?.done();
    await consumer.close();
    const rest = await drain(store);
    expect(rest.slice(0, confirmed.length - 1)).toEqual(confirmed.slice(1));
    const message = storedMessage();
    await store.put(message);
    await store.close();
    expect(await drain(open(disk))).toEqual([message.id]);
  });

  test('heals when others make room', async () => {
    const disk = await aDisk();
    await writeFile(join(disk, 'other'), Buffer.alloc(1024 * 1024));
    const store = open(disk);
    const { confirmed } = await fill(store);
    await rm(join(disk, 'other'));
    const { confirmed: more } = await fill(store);
    expect(more.length).toBeGreaterThan(100);
    expect(await drain(store)).toEqual([...confirmed, ...more]);
  });
});
