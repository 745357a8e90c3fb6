import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { onLogRecord } from '../../src/logging/index.ts';
import { findStoreKind } from '../../src/stores/index.ts';
import { jdbcStore } from '../../src/stores/jdbc.ts';
import { type MessageStore, type StoreConsumer, StoreError } from '../../src/stores/message-store.ts';
import { waitFor } from '../support/wait-for.ts';
import { storeContract } from './contract.ts';
import { dedupSuite } from './dedup-suite.ts';
import { JdbcNodeProcess } from './jdbc-node-process.ts';
import { type DatabaseAccess, drain, JdbcStores, jdbcDedup } from './jdbc-stores.ts';
import { storedMessage, textBody } from './messages.ts';

const contractStores = new JdbcStores();
const contractFile = join(await contractStores.folder(), 'messages.db');

afterAll(() => contractStores.closeAll());

storeContract('JDBC on SQLite', {
  open: () => contractStores.open(sqlite(contractFile)),
  reopen: (closed) =>
    contractStores.open(sqlite(contractFile), { table: closed.parameters.get('store.jdbc.table') ?? '' }),
  durable: true,
  deadlineMs: 30_000,
});

const dedupStores = new JdbcStores();
dedupSuite(
  'JDBC on SQLite',
  jdbcDedup(dedupStores, () => sqlite(contractFile)),
);

function sqlite(file: string): DatabaseAccess {
  return { url: `jdbc:sqlite:${file}`, driver: 'org.sqlite.JDBC' };
}

const never = new AbortController().signal;

async function next(from: MessageStore | StoreConsumer) {
  const consumer = 'receive' in from ? from : from.consumer();
  const delivery = await consumer.receive({ signal: never, waitMs: 10_000 });
  if (!delivery) throw new Error('no message');
  return delivery;
}

describe('the JDBC store', () => {
  const stores = new JdbcStores();
  afterEach(() => stores.closeAll());

  test('is found by its class', () => {
    expect(findStoreKind('org.apache.synapse.message.store.impl.jdbc.JDBCMessageStore')).toBe(jdbcStore);
  });

  test('takes a relative file from the data directory, and a data source by its name', async () => {
    const dataDirectory = await stores.folder();
    const source = { url: 'jdbc:sqlite:shop/orders.db', username: undefined, password: undefined, driver: undefined };
    const dataSources = new Map([['SHOP_DB', source]]);
    const options = { dataDirectory, dataSources };
    const store = await stores.openWith({ 'store.jdbc.dsName': 'SHOP_DB', 'x.create.table': 'true' }, options);
    const message = storedMessage();
    await store.put(message);
    const row = new DatabaseSync(join(dataDirectory, 'shop/orders.db'))
      .prepare('SELECT * FROM jdbc_message_store')
      .get();
    expect(row?.msg_id).toBe(message.id);
    const jndi = await stores.openWith({ 'store.jdbc.dsName': 'java:comp/env/jdbc/SHOP_DB' }, options);
    expect((await next(jndi)).message?.id).toBe(message.id);
  });

  test('makes files with pages into which several messages fit, and takes files with others as they are', async () => {
    const folder = await stores.folder();
    const [made, given] = [join(folder, 'made.db'), join(folder, 'given.db')];
    const other = new DatabaseSync(given);
    other.exec('PRAGMA page_size = 4096; CREATE TABLE theirs (a)');
    other.close();
    for (const file of [made, given]) {
      const store = await stores.open(sqlite(file), { table: 'paged' });
      await store.put(storedMessage());
      expect((await next(store)).message).toBeDefined();
    }
    const pageBytes = (file: string) => new DatabaseSync(file).prepare('PRAGMA page_size').get()?.page_size;
    expect([made, given].map(pageBytes)).toEqual([8192, 4096]);
  });

  test('keeps messages as readable bytes that say what they are (REQ-05)', async () => {
    const file = join(await stores.folder(), 'a.db');
    const store = await stores.open(sqlite(file), { table: 'readable' });
    await store.put(storedMessage({ id: 'urn:uuid:1', body: textBody('the body') }));
    const row = new DatabaseSync(file).prepare('SELECT CAST(message AS TEXT) AS text FROM readable').get();
    expect(row?.text).toMatch(/^mini-synapse message 1 \d+ 8\n\{"v":1,"id":"urn:uuid:1",.*\}\nthe body$/);
  });

  test('reports what it cannot read as poison, with its bytes, and moves it like any other (REQ-26)', async () => {
    const file = join(await stores.folder(), 'a.db');
    const store = await stores.open(sqlite(file), { table: 'mixed' });
    const target = await stores.open(sqlite(file));
    await store.put(storedMessage());
    await (await next(store)).done();
    const database = new DatabaseSync(file);
    const insert = database.prepare('INSERT INTO mixed (msg_id, message) VALUES (?, ?)');
    insert.run('java', Buffer.from('aced00057372', 'hex'));
    insert.run('', Buffer.alloc(0));
    insert.run('cut', Buffer.from('mini-synapse message 1 900 12\n{"v":1,'));
    database.close();
    const reasons: Array<readonly [string | undefined, string | undefined]> = [];
    const consumer = store.consumer();
    for (let row = 0; row < 3; row += 1) {
      const delivery = await next(consumer);
      expect(delivery.message).toBeUndefined();
      reasons.push([delivery.poison?.id, delivery.poison?.reason]);
      await delivery.moveTo(target, storedMessage({ id: `moved ${row}` }));
    }
    expect(reasons[0]).toEqual(['java', expect.stringMatching(/Java runtime \(Java serialization\)/)]);
    expect(reasons[1]).toEqual(['row 3 of table mixed', expect.stringMatching(/it is empty/)]);
    expect(reasons[2]).toEqual(['cut', expect.stringMatching(/is cut off: it has \d+ bytes and should have \d+/)]);
    expect(await drain(target)).toEqual(['moved 0', 'moved 1', 'moved 2']);
  });

  test('counts deliveries only when somebody had the message', async () => {
    const store = await stores.open(sqlite(join(await stores.folder(), 'a.db')));
    const stop = new AbortController();
    const waiting = store.consumer().receive({ signal: stop.signal });
    const putting = store.put(storedMessage());
    stop.abort();
    expect(await waiting).toBeUndefined();
    await putting;
    expect((await next(store)).redelivered).toBe(false);
  });

  test('commits what comes at once together, and one bad message harms no other', async () => {
    const file = join(await stores.folder(), 'a.db');
    const store = await stores.open(sqlite(file), { table: 'checked' });
    await store.put(storedMessage());
    const database = new DatabaseSync(file);
    database.exec(
      "CREATE TRIGGER refuse BEFORE INSERT ON checked WHEN NEW.msg_id LIKE 'bad%' BEGIN SELECT RAISE(ABORT, 'not this one'); END",
    );
    database.close();
    const messages = Array.from({ length: 50 }, (_, index) =>
      storedMessage({ id: `${index % 10 === 3 ? 'bad' : 'good'}-${index}` }),
    );
    const outcomes = await Promise.allSettled(messages.map((message) => store.put(message)));
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []));
    expect(refused.length).toBe(5);
    for (const error of refused) expect(error).toBeInstanceOf(StoreError);
    expect(refused[0]?.message).toMatch(/could not store message \[bad-3\]: not this one/);
    expect((await store.depth()).count).toBe(46);
  });

  test('hands on what it holds when it is replaced, and takes messages for its successor (REQ-28, OP-34)', async () => {
    const file = join(await stores.folder(), 'a.db');
    const dataDirectory = await stores.folder();
    const old = await stores.open(sqlite(file), { table: 't', dataDirectory });
    const [held, waiting, late] = [storedMessage(), storedMessage(), storedMessage()];
    await old.put(held);
    await old.put(waiting);
    const delivery = await next(old);
    const replacement = await stores.open(sqlite(file), { table: 't', dataDirectory, previous: old });
    const consumer = replacement.consumer();
    expect((await next(consumer)).message?.id, 'what the old one holds stays with it').toBe(waiting.id);
    await consumer.close();
    await old.close();
    await expect(delivery.done()).rejects.toBeInstanceOf(StoreError);
    await old.put(late);
    expect(await drain(replacement)).toEqual([held, waiting, late].map(({ id }) => id));
    expect(replacement.status()).toMatchObject({ state: 'READY', enqueued: 3, dequeued: 3 });
  });

  test('remembers what was moved to another medium and could not be deleted', async () => {
    const file = join(await stores.folder(), 'a.db');
    const [source, target] = [
      await stores.open(sqlite(file), { table: 'source' }),
      await stores.open(sqlite(join(await stores.folder(), 'b.db'))),
    ];
    const [moved, other] = [storedMessage(), storedMessage()];
    await source.put(moved);
    await source.put(other);
    const database = new DatabaseSync(file);
    const delivery = await next(source);
    database.exec("CREATE TRIGGER keep BEFORE DELETE ON source BEGIN SELECT RAISE(ABORT, 'not now'); END");
    await delivery.moveTo(target, moved);
    database.exec('DROP TRIGGER keep');
    expect(await drain(source)).toEqual([other.id]);
    await waitFor(async () => (await source.depth()).count === 0, { what: 'the removal of the moved message' });
    expect(await drain(target)).toEqual([moved.id]);
  });

  test('frees what a process held that was killed, at its return (SIGKILL)', async () => {
    const access = sqlite(join(await stores.folder(), 'a.db'));
    const dataDirectory = await stores.folder();
    const [first, second] = [storedMessage(), storedMessage()];
    const store = await stores.open(access, { table: 't' });
    await store.put(first);
    await store.put(second);
    const holder = new JdbcNodeProcess('hold', { access, table: 't', dataDirectory });
    expect(await holder.says(1)).toEqual([first.id]);
    const consumer = store.consumer();
    expect((await next(consumer)).message?.id, 'another process has the first one').toBe(second.id);
    await holder.kill();
    const again = await stores.open(access, { table: 't', dataDirectory });
    const delivery = await next(again);
    expect(delivery.message?.id).toBe(first.id);
    expect(delivery.redelivered).toBe(true);
  });

  test('has everything that it had confirmed when its process was killed (OP-02)', async () => {
    const access = sqlite(join(await stores.folder(), 'a.db'));
    const confirmed: string[] = [];
    for (let kill = 1; kill <= 3; kill += 1) {
      const putter = new JdbcNodeProcess('put', { access, table: 't', dataDirectory: await stores.folder() });
      await putter.says(100 * kill);
      await putter.kill();
      confirmed.push(...putter.said);
    }
    const kept = await drain(await stores.open(access, { table: 't' }));
    expect(confirmed.filter((id) => !kept.includes(id))).toEqual([]);
    expect(new Set(kept).size).toBe(kept.length);
    // Eight puts were under way at each kill.
    expect(kept.length - confirmed.length).toBeLessThanOrEqual(24);
  }, 60_000);

  test('is there at once with a file that cannot be opened, and uses it when it can', async () => {
    const folder = await stores.folder();
    const file = join(folder, 'a.db');
    new DatabaseSync(file).close();
    const spoilt = readFileSync(file);
    await writeFile(
      file,
      'this is no database, but long enough to be taken for the header of one, is it not? '.repeat(20),
    );
    const store = await stores.open(sqlite(file), { deadlineMs: 500 });
    await waitFor(() => store.status().state === 'DOWN', { what: 'DOWN' });
    expect(store.status().lastError).toMatch(/not a database/);
    await expect(store.put(storedMessage())).rejects.toThrow(/within 500 ms: .*not a database/);
    await writeFile(file, spoilt);
    await waitFor(() => store.status().state === 'READY', { what: 'READY' });
    await store.put(storedMessage());
  });

  test('keeps passwords out of logs and errors (REQ-56)', async () => {
    const seen: string[] = [];
    const stop = onLogRecord((record) => seen.push(JSON.stringify(record)));
    const parameters = {
      'store.jdbc.driver': 'org.postgresql.Driver',
      'store.jdbc.connection.url': 'jdbc:postgresql://joe:s3cret@127.0.0.1:1/db?password=s3cret',
      'store.jdbc.password': 's3cret',
    };
    const store = await stores.openWith(parameters, { deadlineMs: 200 });
    const error = await store.put(storedMessage()).catch((failure: unknown) => failure);
    await waitFor(() => store.status().state === 'DOWN', { what: 'DOWN' });
    stop();
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.join('\n')).not.toContain('s3cret');
    expect(String(error)).not.toContain('s3cret');
    expect(JSON.stringify(store.status())).not.toContain('s3cret');
    expect(store.status().lastError).toContain('127.0.0.1:1');
  });
});
