import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openStore } from '../../samples/custom-store/extensions/folder-store.ts';
import { customStoreKind } from '../../src/extensions/custom-store.ts';
import type { MessageStore } from '../../src/stores/message-store.ts';
import { storeContract } from '../stores/contract.ts';
import { storedMessage, textBody } from '../stores/messages.ts';
import { moduleOf } from './modules.ts';

const dataDirectory = mkdtempSync(join(tmpdir(), 'mini-synapse-folder-store-'));
const kind = customStoreKind(moduleOf({ openStore }));
let folders = 0;

afterAll(() => rmSync(dataDirectory, { recursive: true, force: true }));

function open(named?: string, previous?: MessageStore): MessageStore {
  folders += 1;
  const folder = named ?? `f${folders}`;
  return kind.open({
    name: folder,
    position: { file: 'a.xml', line: 1, column: 1 },
    parameters: {},
    written: new Map([['folder', folder]]),
    services: { dataDirectory, putDeadlineMs: 10_000, stompUrls: new Map(), dataSources: new Map() },
    previous,
  });
}

/** The contract of every store, on the sample's, as artifacts use it: behind its containment. */
storeContract('samples/custom-store', {
  open: async () => open(),
  reopen: async (closed) => open(closed.name),
  durable: true,
  browsing: 'not at all',
});

const now = { signal: new AbortController().signal, waitMs: 1000 };

describe('the store of samples/custom-store', () => {
  it('keeps a message as a file that people can read', async () => {
    const store = open('readable');
    await store.put(storedMessage({ id: 'urn:uuid:1', body: textBody('Grüße') }));
    const [name = ''] = readdirSync(join(dataDirectory, 'readable'));
    const [head = '', body] = readFileSync(join(dataDirectory, 'readable', name), 'utf8').split('\n');
    expect(name).toBe('000000000001.message');
    expect(JSON.parse(head)).toMatchObject({ v: 1, id: 'urn:uuid:1' });
    expect(body).toBe('Grüße');
    await store.close();
  });

  it('clears away what a process that was killed had not finished', async () => {
    mkdirSync(join(dataDirectory, 'killed'));
    writeFileSync(join(dataDirectory, 'killed', '000000000001.message.new'), 'half a mess');
    const store = open('killed');
    await store.put(storedMessage({ id: 'a' }));
    expect(readdirSync(join(dataDirectory, 'killed'))).toEqual(['000000000001.message']);
    await store.close();
  });

  it('gives a file that is no message as poison', async () => {
    const store = open('poison');
    await store.put(storedMessage());
    writeFileSync(join(dataDirectory, 'poison', '000000000001.message'), 'scribbled over');
    const delivery = await store.consumer().receive(now);
    expect([delivery?.message, Buffer.from(delivery?.poison?.bytes ?? []).toString()]).toEqual([
      undefined,
      'scribbled over',
    ]);
    await delivery?.done();
    await store.close();
  });

  it('redeployed, does not give away what somebody has', async () => {
    const store = open('redeployed');
    await store.put(storedMessage({ id: 'a' }));
    const held = await store.consumer().receive(now);
    const successor = open('redeployed', store);
    const consumer = successor.consumer();
    expect(await consumer.receive({ ...now, waitMs: 100 })).toBeUndefined();
    await held?.done();
    await store.close();
    await successor.put(storedMessage({ id: 'b' }));
    expect((await consumer.receive(now))?.message?.id).toBe('b');
    await successor.close();
  });

  it('without its parameter cannot be opened', () => {
    expect(() =>
      kind.open({
        name: 's',
        position: { file: 'a.xml', line: 1, column: 1 },
        parameters: {},
        written: new Map(),
        services: { dataDirectory, putDeadlineMs: 1, stompUrls: new Map(), dataSources: new Map() },
        previous: undefined,
      }),
    ).toThrow("openStore() of module /extensions/own.ts failed: the parameter 'folder' is missing");
  });
});
