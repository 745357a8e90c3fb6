import { afterEach, describe, expect, it } from 'vitest';
import { type Delivery, type MessageStore, type StoreConsumer, StoreError } from '../../src/stores/message-store.ts';
import { withSecretPasswords } from '../../src/stores/sql/data-source-secrets.ts';
import { storeContract } from '../stores/contract.ts';
import { dedupSuite } from '../stores/dedup-suite.ts';
import { JdbcNodeProcess } from '../stores/jdbc-node-process.ts';
import { drain, jdbcDedup } from '../stores/jdbc-stores.ts';
import { storedMessage, textBody } from '../stores/messages.ts';
import { describeDatabases } from '../support/databases.ts';
import { waitFor } from '../support/wait-for.ts';

/** OP-14, issue 3: from the server's return to the next delivery. */
const RESUME_WITHIN_MS = 3_000;
const never = new AbortController().signal;

async function next(from: MessageStore | StoreConsumer, waitMs = 10_000): Promise<Delivery> {
  const consumer = 'receive' in from ? from : from.consumer();
  const delivery = await consumer.receive({ signal: never, waitMs });
  if (!delivery) throw new Error(`no message within ${waitMs} ms`);
  return delivery;
}

function becomes(store: MessageStore, state: string, deadlineMs = 10_000): Promise<boolean> {
  return waitFor(() => store.status().state === state, {
    what: () => `${state}: ${JSON.stringify(store.status())}`,
    deadlineMs,
  });
}

describeDatabases('a JDBC store', (database) => {
  const { name, flavour, stores } = database;
  storeContract(`JDBC on ${name}`, {
    open: () => stores.open(database.access),
    reopen: (closed) => stores.open(database.access, { table: closed.parameters.get('store.jdbc.table') ?? '' }),
    durable: true,
  });

  dedupSuite(
    `JDBC on ${name}`,
    jdbcDedup(stores, () => database.access),
  );

  describe('with a secret as its password', () => {
    afterEach(() => stores.closeAll());

    it('connects again with what the secret is now, without a deployment (OP-84)', async () => {
      const { server, access } = database;
      const [user, secrets] = ['rotating', new Map([['database', 'one']])];
      await flavour.sql(server, flavour.newUser(user, 'one'));
      const source = { url: access.url, username: user, password: '$secret{database}', driver: access.driver };
      const dataSources = withSecretPasswords(new Map([['Orders', source]]), (alias) => secrets.get(alias));
      const parameters = {
        'store.jdbc.dsName': 'Orders',
        'store.jdbc.table': stores.table(),
        'x.create.table': 'true',
      };
      const store = await stores.openWith(parameters, { dataSources });
      const first = storedMessage();
      await store.put(first);

      await flavour.sql(server, flavour.newPassword(user, 'two'));
      await flavour.sql(server, flavour.endSessions(user));
      await becomes(store, 'DOWN');
      const second = storedMessage();
      const putting = store.put(second);
      secrets.delete('database');
      await waitFor(() => store.status().lastError?.includes("there is no secret 'database'") ?? false, {
        what: () => `the missing secret to be told: ${JSON.stringify(store.status())}`,
        deadlineMs: 60_000,
      });
      secrets.set('database', 'two');
      await putting;
      expect(await drain(store)).toEqual([first.id, second.id]);
    });
  });

  describe('shared', () => {
    afterEach(() => stores.closeAll());

    it('delivers 2,000 messages once each to four workers on two nodes (OP-16)', async () => {
      const table = stores.table();
      const nodes = [await stores.open(database.access, { table }), await stores.open(database.access, { table })];
      const ids = Array.from({ length: 2_000 }, () => storedMessage());
      const begin = performance.now();
      const received: string[] = [];
      const stop = new AbortController();
      const workers = [0, 1, 0, 1].map(async (node) => {
        const consumer = (nodes[node] as MessageStore).consumer();
        for (;;) {
          const delivery = await consumer.receive({ signal: stop.signal });
          if (!delivery) return;
          received.push(delivery.message?.id ?? '');
          await delivery.done();
          if (received.length >= ids.length) stop.abort();
        }
      });
      await Promise.all(ids.map((message, index) => (nodes[index % 2] as MessageStore).put(message)));
      await Promise.all(workers);
      expect(received.length).toBe(ids.length);
      expect(new Set(received)).toEqual(new Set(ids.map(({ id }) => id)));
      expect((await nodes[0]?.depth())?.count).toBe(0);
      process.stdout.write(
        `${name}: 2,000 messages, 2 nodes, 4 workers: ${Math.round(performance.now() - begin)} ms\n`,
      );
    });

    it('hands the message of a dead node to another one when its lease has expired, and to itself at once', async () => {
      const table = stores.table();
      const dataDirectory = await stores.folder();
      const store = await stores.open(database.access, { table });
      const message = storedMessage();
      await store.put(message);
      const consumer = store.consumer();
      for (const wanted of ['the same node', 'another node']) {
        const holder = new JdbcNodeProcess('hold', { access: database.access, table, dataDirectory });
        expect(await holder.says(1)).toEqual([message.id]);
        expect(await consumer.receive({ signal: never, waitMs: 300 }), 'while it is held').toBeUndefined();
        await holder.kill();
        const begin = performance.now();
        if (wanted === 'the same node') {
          const again = await stores.open(database.access, { table, dataDirectory });
          const delivery = await next(again, 5_000);
          expect(delivery.message?.id).toBe(message.id);
          expect(delivery.redelivered).toBe(true);
          await again.close();
        } else {
          // Most of its 30 s have passed.
          await flavour.sql(database.server, `UPDATE ${table}_claims SET expires_at = expires_at - 27000`);
          const delivery = await next(consumer, 10_000);
          expect(delivery.message?.id).toBe(message.id);
          expect(performance.now() - begin).toBeGreaterThan(500);
          await delivery.done();
        }
      }
    });

    it('lets nobody settle what another node has taken over', async () => {
      const table = stores.table();
      const [first, second] = [
        await stores.open(database.access, { table }),
        await stores.open(database.access, { table }),
      ];
      await first.put(storedMessage());
      const late = await next(first);
      await flavour.sql(database.server, `UPDATE ${table}_claims SET expires_at = 0`);
      const taken = await next(second);
      expect(taken.redelivered).toBe(true);
      await expect(late.done()).rejects.toThrow(/another node has taken it over/);
      await expect(late.moveTo(await stores.open(database.access), storedMessage())).rejects.toBeInstanceOf(StoreError);
      await late.release();
      expect((await second.depth()).count).toBe(1);
      await taken.done();
      expect((await second.depth()).count).toBe(0);
    });

    it('settles a message whose claim the database has forgotten', async () => {
      const table = stores.table();
      const store = await stores.open(database.access, { table });
      await store.put(storedMessage());
      const delivery = await next(store);
      await flavour.sql(database.server, `DELETE FROM ${table}_claims`);
      await delivery.done();
      expect((await store.depth()).count).toBe(0);
    });

    it('reports rows of the Java runtime and of strangers as poison, and goes on (REQ-26, OP-18)', async () => {
      const table = stores.table();
      const store = await stores.open(database.access, { table });
      await becomes(store, 'READY');
      const java = flavour.bytes('aced00057372003b');
      await flavour.sql(database.server, `INSERT INTO ${table} (msg_id, message) VALUES ('uuid:java', ${java})`);
      await flavour.sql(
        database.server,
        `INSERT INTO ${table} (msg_id, message) VALUES ('uuid:odd', ${flavour.bytes('3c61')})`,
      );
      const message = storedMessage();
      await store.put(message);
      const consumer = store.consumer();
      const first = await next(consumer);
      expect(first.message).toBeUndefined();
      expect(first.poison).toMatchObject({ id: 'uuid:java', reason: expect.stringContaining('Java runtime') });
      expect(Buffer.from(first.poison?.bytes ?? []).toString('hex')).toBe('aced00057372003b');
      await first.done();
      const second = await next(consumer);
      expect(second.poison?.reason).toContain('it is no stored message');
      await second.done();
      const third = await next(consumer);
      expect(third.message?.id).toBe(message.id);
      await third.done();
    });
  });

  describe('with the documented table', () => {
    afterEach(() => stores.closeAll());

    it('waits for a table that is missing, says how to create it, and uses it as it is (REQ-09)', async () => {
      const table = stores.table();
      const store = await stores.open(database.access, {
        table,
        deadlineMs: 1_000,
        parameters: { 'x.create.table': 'false' },
      });
      await becomes(store, 'DOWN');
      expect(store.status().lastError).toMatch(/does not exist; set x\.create\.table=true in the store, or create it/);
      await expect(store.put(storedMessage())).rejects.toThrow(/does not exist/);
      await flavour.sql(database.server, flavour.documentedTable(table));
      await becomes(store, 'READY');
      const message = storedMessage();
      await store.put(message);
      expect((await next(store)).message?.id).toBe(message.id);
    });

    it.runIf(name === 'MariaDB')('refuses what its column would cut off (REQ-40)', async () => {
      await flavour.sql(database.server, "SET GLOBAL sql_mode = ''");
      const table = stores.table();
      await flavour.sql(database.server, flavour.documentedTable(table));
      const store = await stores.open(database.access, { table });
      const large = storedMessage({ body: textBody('x'.repeat(70_000)) });
      await becomes(store, 'READY');
      await expect(store.put(large)).rejects.toThrow(/holds 65535; enlarge it: ALTER TABLE .* MODIFY message LONGBLOB/);
      await store.put(storedMessage({ body: textBody('x'.repeat(60_000)) }));
      expect((await store.depth()).count).toBe(1);
      const myIsam = stores.table();
      await flavour.sql(database.server, `${flavour.documentedTable(myIsam)} ENGINE=MyISAM`);
      const unsafe = await stores.open(database.access, { table: myIsam });
      await becomes(unsafe, 'DOWN');
      expect(unsafe.status().lastError).toContain('knows no transactions');
      await flavour.sql(database.server, 'SET GLOBAL sql_mode = DEFAULT');
    });
  });

  describe('under faults', () => {
    afterEach(async () => {
      database.server.resume();
      if (database.server.state === 'stopped') await database.server.restart();
      await stores.closeAll();
    });

    it('loses nothing that it has confirmed when the server is killed, and goes on within 3 s of its return', async () => {
      const store = await stores.open(database.access);
      const confirmed = new Set<string>();
      const attempted = new Set<string>();
      const stop = new AbortController();
      const producers = Array.from({ length: 8 }, async () => {
        while (!stop.signal.aborted) {
          const message = storedMessage();
          attempted.add(message.id);
          await store.put(message).then(
            () => confirmed.add(message.id),
            (error: unknown) => expect(error).toBeInstanceOf(StoreError),
          );
        }
      });
      const resumed: number[] = [];
      for (let kill = 0; kill < 3; kill += 1) {
        const enough = confirmed.size + 200;
        await waitFor(() => confirmed.size >= enough, { what: 'confirmed messages', deadlineMs: 30_000 });
        await database.server.kill();
        await database.server.restart();
        const back = performance.now();
        const before = confirmed.size;
        await waitFor(() => confirmed.size > before, {
          what: 'a put after the kill',
          deadlineMs: 20_000,
          everyMs: 5,
        });
        resumed.push(performance.now() - back);
      }
      stop.abort();
      await Promise.all(producers);
      const delivered = await drain(store);
      const unique = new Set(delivered);
      expect(
        [...confirmed].filter((id) => !unique.has(id)),
        'confirmed and lost',
      ).toEqual([]);
      expect(
        delivered.filter((id) => !attempted.has(id)),
        'invented',
      ).toEqual([]);
      expect(delivered.length, 'duplicates').toBe(unique.size);
      expect(Math.max(...resumed)).toBeLessThan(RESUME_WITHIN_MS);
      const times = resumed.map((ms) => Math.round(ms)).join(', ');
      process.stdout.write(`${name}: 3 kills, ${confirmed.size} confirmed, 0 lost, resumed after ${times} ms\n`);
    });

    it('moves between its tables in one transaction: a killed server leaves each message in one place (OP-15)', async () => {
      const [source, target] = [await stores.open(database.access), await stores.open(database.access)];
      const messages = Array.from({ length: 300 }, () => storedMessage());
      await Promise.all(messages.map((message) => source.put(message)));
      const consumer = source.consumer();
      let moved = 0;
      const moving = (async () => {
        for (;;) {
          const delivery = await consumer.receive({ signal: never, waitMs: 5_000 });
          if (!delivery?.message) return;
          try {
            await delivery.moveTo(target, delivery.message);
            moved += 1;
          } catch (error) {
            expect(error).toBeInstanceOf(StoreError);
            await delivery.release();
          }
        }
      })();
      for (const enough of [80, 180]) {
        await waitFor(() => moved >= enough, { what: 'moves', deadlineMs: 30_000 });
        await database.server.kill();
        await database.server.restart();
      }
      await moving;
      const arrived = await drain(target);
      expect(arrived.length).toBe(messages.length);
      expect(new Set(arrived)).toEqual(new Set(messages.map(({ id }) => id)));
      expect((await source.depth()).count).toBe(0);
    });

    it('settles what it had in hand when the server was killed', async () => {
      const store = await stores.open(database.access);
      const message = storedMessage();
      await store.put(message);
      const delivery = await next(store);
      await database.server.kill();
      const done = delivery.done();
      await database.server.restart();
      await done;
      expect(await drain(store)).toEqual([]);
    });

    it('is there at once without its database.server, and comes up by itself (OP-14)', async () => {
      await database.server.stop();
      const table = stores.table();
      const begin = performance.now();
      const store = await stores.open(database.access, { table, deadlineMs: 1_500 });
      expect(performance.now() - begin).toBeLessThan(1_000);
      await expect(store.put(storedMessage()), 'waits until the deadline').rejects.toThrow(/within 1500 ms/);
      const failover = {
        'store.producer.guaranteed.delivery.enable': 'true',
        'store.failover.message.store.name': 'Other',
      };
      const impatient = await stores.open(database.access, { table, deadlineMs: 60_000, parameters: failover });
      await expect(impatient.put(storedMessage()), 'the failover store waits for it').rejects.toThrow(
        /is not reachable/,
      );
      expect(store.status().state).toBe('DOWN');
      expect(await store.depth()).toEqual({ count: 'unknown', estimated: false });
      const message = storedMessage();
      const waiting = next(store, 30_000);
      await database.server.restart();
      const back = performance.now();
      await becomes(store, 'READY');
      expect(performance.now() - back).toBeLessThan(RESUME_WITHIN_MS);
      await store.put(message);
      expect((await waiting).message?.id).toBe(message.id);
    });

    it('fails at its deadline when the server hangs, and loses nothing (OP-11)', async () => {
      const store = await stores.open(database.access, { deadlineMs: 1_500 });
      const first = storedMessage();
      await store.put(first);
      database.server.pause();
      const begin = performance.now();
      await expect(store.put(storedMessage())).rejects.toBeInstanceOf(StoreError);
      expect(performance.now() - begin).toBeLessThan(5_000);
      database.server.resume();
      await waitFor(() => store.put(storedMessage()).then(() => true), {
        what: 'a put after the pause',
        deadlineMs: 20_000,
      });
      expect((await drain(store))[0]).toBe(first.id);
    });

    it('never sends in plain text what was to be encrypted', async () => {
      const [wanted, strict] =
        name === 'PostgreSQL' ? ['sslmode=require', 'ssl=true'] : ['sslMode=trust', 'sslMode=verify-full'];
      for (const parameter of [wanted, strict]) {
        const store = await stores.open(
          { ...database.access, url: `${database.access.url}?${parameter}` },
          { deadlineMs: 300 },
        );
        await becomes(store, 'DOWN');
        expect(store.status().lastError).toMatch(/SSL|secure connection/i);
        await expect(store.put(storedMessage())).rejects.toBeInstanceOf(StoreError);
      }
    });

    it('says that it may not log in, without the password, and asks seldom', async () => {
      const store = await stores.open({ ...database.access, password: 'wrong s3cret' }, { deadlineMs: 300 });
      await becomes(store, 'DOWN');
      expect(store.status().lastError).toMatch(/authentication failed|access denied/i);
      expect(store.status().lastError).not.toContain('s3cret');
    });

    it('survives that the server ends its connections', async () => {
      const store = await stores.open(database.access);
      await becomes(store, 'READY');
      await flavour.sql(database.server, flavour.endSessions(database.server.user));
      const message = storedMessage();
      await waitFor(() => store.put(message).then(() => true), { what: 'a put', deadlineMs: 10_000 });
      expect((await next(store)).message?.id).toBe(message.id);
      await becomes(store, 'READY');
      expect(store.status().lastError).toBeDefined();
    });
  });
});
