import { describe, expect, it } from 'vitest';
import { parseJdbcUrl } from '../../src/stores/sql/address.ts';
import { driverFor, withUser } from '../../src/stores/sql/data-source.ts';
import type { SqlConnection, SqlDriver, SqlSession } from '../../src/stores/sql/driver.ts';
import type { ClaimedMessage } from '../../src/stores/sql/message-table.ts';
import { SequencedTable } from '../../src/stores/sql/sequenced-table.ts';
import { storeContract } from '../stores/contract.ts';
import type { Flavour } from '../stores/database-flavours.ts';
import { allWithOneNumber, resequenceSuite } from '../stores/resequence-suite.ts';
import { interrupted } from '../stores/sql/interrupted.ts';
import { describeDatabases } from '../support/databases.ts';
import type { DatabaseServer } from '../support/servers/database-server.ts';
import { waitFor } from '../support/wait-for.ts';

/* The resequence store on real databases: what it does, the contract of all stores, and nodes that look in the same instant. */

describeDatabases('a resequence store', (database) => {
  const { name, flavour, stores } = database;
  resequenceSuite(name, { access: () => database.access, sql: (statement) => flavour.sql(database.server, statement) });
  storeContract(
    `resequence on ${name}, all with one number`,
    allWithOneNumber(stores, () => database.access),
  );

  describe('with two nodes that look in the same instant', () => {
    it.each([
      ['the first number of all', 1n],
      ['a later number', 2n],
    ])('while one put of two with one number is not committed, gives one of them to one node: %s', async (_, n) => {
      const { sequenced, connections } = await twoNodes(database.server, stores.table());
      const [x, y, producer] = connections;
      const [one, other] = [sequenced('one'), sequenced('other')];
      await one.prepare(x, true);
      for (let before = 1n; before < n; before += 1n) {
        await one.insert(x, [row('before', before)]);
        await settle(x, one, await one.claim(x, 1));
      }
      const committed = await holdOpen(producer, (session) => one.insert(session, [row('A', n)]));
      await one.insert(x, [row('B', n)]);
      // Node one has seen B alone. A becomes visible, with the smaller index, and node two looks.
      const looking: Promise<readonly ClaimedMessage[]>[] = [];
      const interruptedX = interrupted(x, `INTO ${one.name}_claims`, async () => {
        await committed();
        const claiming = other.claim(y, 1);
        looking.push(claiming);
        await Promise.race([claiming, transactionWaits(producer, flavour)]);
      });
      const claimed = await one.claim(interruptedX, 1);
      expect(claimed.map(({ msgId }) => msgId)).toEqual(['B']);
      expect(await Promise.all(looking), 'nothing comes beside it').toEqual([[]]);
      expect(await other.claim(y, 1)).toEqual([]);
      await settle(x, one, claimed);
      const late = await other.claim(y, 1);
      expect(late.map(({ msgId, unwanted }) => [msgId, unwanted?.action])).toEqual([['A', 'fail']]);
      await Promise.all(connections.map((connection) => connection.close()));
    });

    it('is not held up for long by a node that froze while it looked', async () => {
      const { connections } = await twoNodes(database.server, stores.table());
      const question =
        name === 'PostgreSQL'
          ? "SELECT setting AS idle FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'"
          : 'SELECT @@SESSION.idle_transaction_timeout * 1000 AS idle';
      expect(await connections[0].query(question)).toMatchObject([
        { idle: expect.toSatisfy((ms) => Number(ms) === 10_000) },
      ]);
      await Promise.all(connections.map((connection) => connection.close()));
    });
  });
});

type Three = readonly [SqlConnection, SqlConnection, SqlConnection];

/** A table, and a connection for each node and for somebody else. */
async function twoNodes(server: DatabaseServer, name: string) {
  const address = withUser(parseJdbcUrl(server.jdbcUrl), { username: server.user, password: server.password });
  const driver: SqlDriver = driverFor(address, { dataDirectory: '', trustedCertificates: undefined });
  const sequenced = (owner: string) =>
    new SequencedTable({
      name,
      dialect: driver.dialect,
      owner,
      storeName: name,
      gapTimeoutMs: undefined,
      late: 'fail',
    });
  const connections: Three = [
    await driver.connect('claims'),
    await driver.connect('claims'),
    await driver.connect('messages'),
  ];
  return { sequenced, connections };
}

function row(msgId: string, sequence: bigint) {
  return { msgId, bytes: new Uint8Array([1]), sequence };
}

async function settle(connection: SqlConnection, table: SequencedTable, claimed: readonly ClaimedMessage[]) {
  expect(claimed).toHaveLength(1);
  await connection.transaction((session) =>
    table.settle(
      session,
      claimed.map(({ lease }) => lease),
    ),
  );
}

/** Does something in a transaction that stays open; resolves with what commits it. */
async function holdOpen(
  connection: SqlConnection,
  work: (session: SqlSession) => Promise<void>,
): Promise<() => Promise<void>> {
  const [done, commit] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const transaction = connection.transaction(async (session) => {
    await work(session);
    done.resolve();
    await commit.promise;
  });
  transaction.catch(done.reject);
  await done.promise;
  return async () => {
    commit.resolve();
    await transaction;
  };
}

function transactionWaits(connection: SqlConnection, { waitingTransactions }: Flavour): Promise<boolean> {
  return waitFor(async () => (await connection.query(waitingTransactions)).length > 0, {
    what: 'a transaction that waits for another one',
    deadlineMs: 4_000,
    // MariaDB looks anew only when it was not asked for 100 ms.
    everyMs: 150,
  });
}
