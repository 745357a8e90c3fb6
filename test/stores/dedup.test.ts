import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import { TransportHeaders } from '../../src/message/headers.ts';
import { jmsStore } from '../../src/stores/jms.ts';
import type { MessageStore } from '../../src/stores/message-store.ts';
import type { StoredMessage } from '../../src/stores/stored-message.ts';
import { FakeConfiguration, message, sequence } from '../mediation/harness.ts';
import { waitFor } from '../support/wait-for.ts';
import { problems, read, SYN } from '../synapse/read.ts';
import { DEDUP_ID, dedupSuite, putOnce } from './dedup-suite.ts';
import { Folders, openInMemoryStore } from './in-memory-stores.ts';
import { JdbcStores } from './jdbc-stores.ts';
import { openJmsStore } from './jms-stores.ts';
import { storedMessage } from './messages.ts';
import { drain, logged, OpenStores } from './store-calls.ts';

const folders = new Folders();
const stores = new OpenStores();

afterEach(async () => {
  await stores.closeAll();
  await folders.removeAll();
});

function withHeaders(parts: Parameters<typeof message>[0], headers: Readonly<Record<string, string>>) {
  const sent = message(parts);
  sent.headers = TransportHeaders.from(Object.entries(headers));
  return sent;
}

dedupSuite('in memory', {
  durable: false,
  open: async (dedup, after) =>
    stores.add(openInMemoryStore({ dedup, ...(after && { name: after.name, previous: after }) })),
  closeAll: stores.closeAll,
});

describe('the parameters', () => {
  const errors = (parameters: string) =>
    problems(read(`<messageStore ${SYN} name="S">${parameters}</messageStore>`)).join('\n');
  const parameter = (name: string, value: string) => `<parameter name="${name}">${value}</parameter>`;

  test.each([
    '<parameter name="x.dedup.id" expression="$trp:Idempotency-Key"/>',
    parameter('x.dedup.id', '$trp:Idempotency-Key'),
    parameter('x.dedup.id', "get-property('transport','X-Request-Id')"),
    parameter('x.dedup.id', 'json-eval($.id)'),
    parameter('x.dedup.id', '$trp:Key') + parameter('x.dedup.window', '1000') + parameter('x.dedup.max', '5'),
  ])('%s is good', (written) => expect(errors(written)).toBe(''));

  test.each([
    [parameter('x.dedup.id', '$trp:'), /parameter 'x\.dedup\.id'/],
    [parameter('x.dedup.id', 'Idempotency-Key'), /is the path to an element.*\$trp:Idempotency-Key/],
    [parameter('x.dedup.id', '$trp:Key') + parameter('x.dedup.window', 'PT1H'), /'x\.dedup\.window': 'PT1H'/],
    [parameter('x.dedup.id', '$trp:Key') + parameter('x.dedup.max', '0'), /'x\.dedup\.max': '0'/],
    [parameter('x.dedup.max', '10'), /'x\.dedup\.max' has no effect without 'x\.dedup\.id'/],
  ])('%s is refused', (written, reason) => expect(errors(written)).toMatch(reason));
});

describe('the store mediator', () => {
  const flow = sequence('<store messageStore="S"/><property name="after" value="1"/>');

  function request(store: MessageStore, headers: Readonly<Record<string, string>>) {
    return withHeaders({ body: '<a/>', configuration: new FakeConfiguration({ messageStore: { S: store } }) }, headers);
  }

  async function send(store: MessageStore, headers: Readonly<Record<string, string>>) {
    const sent = request(store, headers);
    expect(await flow.mediate(sent)).toBe(true);
    expect(sent.properties.get('after')).toBe('1');
    return sent.properties;
  }

  test('goes on with a repetition as with the first, says so, and tells the flow', async () => {
    const store = stores.add(openInMemoryStore({ name: 'S', dedup: DEDUP_ID }));
    const first = await send(store, { 'Idempotency-Key': 'order 7' });
    expect(first.has('STORE_DUPLICATE')).toBe(false);
    const lines = await logged(async () => {
      const again = await send(store, { 'idempotency-key': 'order 7' });
      expect(again.get('STORE_DUPLICATE')).toBe('true');
      const [kept] = await drain(store);
      expect(again.get('STORE_DUPLICATE_OF')).toBe(kept?.id);
    });
    expect(lines.filter(({ level }) => level === 'info').map((line) => line.message)).toEqual([
      expect.stringMatching(/^Message \[.*\] repeats message \[.*\] in store \[S\] and is not stored again$/),
    ]);
    expect(store.once?.duplicates).toBe(1);
  });

  test('stores messages without an id, or with an empty one, and takes back what it had said', async () => {
    const store = stores.add(openInMemoryStore({ name: 'S', dedup: DEDUP_ID }));
    for (const headers of [{}, {}, { 'Idempotency-Key': ' ' }, { 'Idempotency-Key': '' }]) {
      const sent = request(store, headers);
      sent.properties.set('STORE_DUPLICATE', 'true');
      await flow.mediate(sent);
      expect(sent.properties.has('STORE_DUPLICATE')).toBe(false);
    }
    expect(await drain(store)).toHaveLength(4);
  });

  test('stores the next one when the first could not be stored', async () => {
    const store = stores.add(openInMemoryStore({ name: 'S', dedup: DEDUP_ID, maxMessages: 1 }));
    await store.put(storedMessage());
    await expect(flow.mediate(request(store, { 'Idempotency-Key': 'a' }))).rejects.toThrow('Failed to store');
    await drain(store);
    expect((await send(store, { 'Idempotency-Key': 'a' })).has('STORE_DUPLICATE')).toBe(false);
    expect((await send(store, { 'Idempotency-Key': 'a' })).get('STORE_DUPLICATE')).toBe('true');
  });
});

describe('what is remembered', () => {
  test('is bounded: the oldest is forgotten, with a warning', async () => {
    const store = stores.add(openInMemoryStore({ dedup: { ...DEDUP_ID, 'x.dedup.max': '3' } }));
    const lines = await logged(async () => {
      for (const key of ['1', '2', '3', '4']) await putOnce(store, key);
    });
    expect(lines.filter(({ level }) => level === 'warn').map((line) => line.message)).toEqual([
      expect.stringContaining('x.dedup.max'),
    ]);
    expect(await putOnce(store, '2')).toBeDefined();
    expect(await putOnce(store, '1')).toBeUndefined();
  });

  test('is of one store: another one takes the same id', async () => {
    const dataDirectory = await folders.make();
    const [one, other] = ['One', 'Other'].map((name) => {
      return stores.add(openInMemoryStore({ name, journal: true, dataDirectory, dedup: DEDUP_ID }));
    }) as [MessageStore, MessageStore];
    const sent = withHeaders({}, { 'Idempotency-Key': 'a' });
    expect(one.once?.keyOf(sent)).toMatch(/^[0-9a-f]{64}$/);
    expect(other.once?.keyOf(sent)).not.toBe(one.once?.keyOf(sent));
  });
});

describe('a journal', () => {
  test('tells the ids of its messages when they were not written down any more', async () => {
    const [dataDirectory, first] = [await folders.make(), storedMessage()];
    const open = () => stores.add(openInMemoryStore({ name: 'J', journal: true, dataDirectory, dedup: DEDUP_ID }));
    const store = open();
    await putOnce(store, 'k', first);
    await store.close();
    // As after a kill between the two writes.
    await rm(join(dataDirectory, 'dedup'), { recursive: true });
    const again = open();
    expect(await putOnce(again, 'k')).toBe(first.id);
    expect((await drain(again)).map(({ id }) => id)).toEqual([first.id]);
    await again.close();
    expect(await putOnce(open(), 'k')).toBe(first.id);
  });

  test('has the id on the disk before anybody can take the message away', async () => {
    const [dataDirectory, first] = [await folders.make(), storedMessage()];
    const open = () => stores.add(openInMemoryStore({ name: 'J', journal: true, dataDirectory, dedup: DEDUP_ID }));
    const store = open();
    const taken = store.consumer().receive({ signal: new AbortController().signal, waitMs: 10_000 });
    void putOnce(store, 'k', first);
    await (await taken)?.done();
    // What a killed process leaves: whatever is in the files at this moment.
    const copy = await folders.make();
    await cp(dataDirectory, copy, { recursive: true, filter: (path) => !path.endsWith('lock') });
    const survivor = stores.add(openInMemoryStore({ name: 'J', journal: true, dataDirectory: copy, dedup: DEDUP_ID }));
    expect(await putOnce(survivor, 'k')).toBe(first.id);
    expect(await drain(survivor)).toEqual([]);
  });
});

describe('a broker', () => {
  test('is no longer asked when what was remembered cannot be read: messages with an id are refused', async () => {
    const dataDirectory = await folders.make();
    await writeFile(join(dataDirectory, 'dedup'), 'a file where a folder should be');
    const store = stores.add(openJmsStore({ stompPort: 1, dataDirectory, putDeadlineMs: 200, parameters: DEDUP_ID }));
    expect(store.type).toBe(jmsStore.type);
    await expect(putOnce(store, 'k')).rejects.toThrow(/could not store message .*the ids of earlier messages/);
  });
});

describe('a database', () => {
  const jdbc = new JdbcStores();
  afterEach(() => jdbc.closeAll());

  async function sqlite(parameters: Readonly<Record<string, string>>) {
    const file = join(await jdbc.folder(), 'messages.db');
    const access = { url: `jdbc:sqlite:${file}`, driver: 'org.sqlite.JDBC' };
    const table = jdbc.table();
    const store = await jdbc.open(access, { table, parameters });
    const ask = (sql: string) => {
      const database = new DatabaseSync(file);
      try {
        return database.prepare(sql).all();
      } finally {
        database.close();
      }
    };
    return { store, table, ask };
  }

  test('says what to create when it may not create the table of ids', async () => {
    const { store, ask } = await sqlite(DEDUP_ID);
    await store.put(storedMessage());
    expect(ask("SELECT name FROM sqlite_master WHERE name LIKE '%_dedup'")).toHaveLength(1);
    const { store: other } = await sqlite({ ...DEDUP_ID, 'x.create.table': 'false' });
    await waitFor(() => other.status().lastError !== undefined, { what: 'the store to complain' });
    expect(other.status().lastError).toContain('does not exist');
  });

  test('keeps the id and the message together: neither is there when the message does not fit', async () => {
    const { store, table, ask } = await sqlite(DEDUP_ID);
    const first = storedMessage();
    await putOnce(store, 'k', first);
    expect(ask(`SELECT dedup_key, msg_id FROM ${table}_dedup`)).toEqual([{ dedup_key: 'k', msg_id: first.id }]);
    ask(`CREATE TRIGGER refuse BEFORE INSERT ON ${table} BEGIN SELECT RAISE(ABORT, 'no more'); END`);
    await expect(putOnce(store, 'l')).rejects.toThrow('no more');
    expect(ask(`SELECT dedup_key FROM ${table}_dedup`)).toEqual([{ dedup_key: 'k' }]);
    ask('DROP TRIGGER refuse');
    expect(await putOnce(store, 'l')).toBeUndefined();
  });

  test('inserts what is new of many at once, beside messages without an id', async () => {
    const { store } = await sqlite(DEDUP_ID);
    await putOnce(store, 'k0');
    const sent: StoredMessage[] = Array.from({ length: 40 }, () => storedMessage());
    const firsts = await Promise.all(
      sent.map((each, index) => (index % 4 === 0 ? store.put(each) : putOnce(store, `k${index % 10}`, each))),
    );
    const stored = sent.filter((_, index) => firsts[index] === undefined).map(({ id }) => id);
    expect(stored.length).toBe(10 + 9);
    expect(
      (await drain(store))
        .slice(1)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(stored.sort());
  });
});
