import { describe, expect, test } from 'vitest';
import { ConnectionPool, type PoolSettings } from '../../src/databases/connection-pool.ts';
import type { SqlDriver } from '../../src/stores/sql/driver.ts';
import { ScriptedDatabase } from '../stores/sql/scripted-database.ts';

const SETTINGS: PoolSettings = {
  maxActive: 2,
  maxIdle: 1,
  minIdle: 0,
  maxWaitMs: 5_000,
  testOnBorrow: false,
  validationQuery: 'SELECT 1',
  isolation: undefined,
};

function pool(settings: Partial<PoolSettings> = {}) {
  const database = new ScriptedDatabase();
  const dialect = { name: 'PostgreSQL' } as SqlDriver['dialect'];
  const driver = { dialect, key: 'k', where: 'w', connect: () => database.connect() };
  let emptied = 0;
  const made = new ConnectionPool(driver, { ...SETTINGS, ...settings }, () => {
    emptied += 1;
  });
  return { database, made, emptied: () => emptied };
}

describe('a pool of connections', () => {
  test('opens at most so many, and lets others wait for one', async () => {
    const { database, made } = pool();
    const [first, second] = await Promise.all([made.borrow(), made.borrow()]);
    const third = made.borrow();
    first?.giveBack();
    expect((await third).connection).toBe(first?.connection);
    expect(database.attempts).toBe(2);
    second?.giveBack();
    (await third).giveBack();
    // One of them was too many to keep.
    expect(made.size).toBe(1);
    await made.close();
    expect(made.size).toBe(0);
  });

  test('waits no longer than it may', async () => {
    const { made } = pool({ maxActive: 1, maxWaitMs: 20 });
    const { giveBack } = await made.borrow();
    await expect(made.borrow()).rejects.toThrow('Cannot get a connection, all 1 are in use for 20 ms');
    giveBack();
    await made.close();
  });

  test('does not lend a connection that was lost, and gives up its place', async () => {
    const { database, made, emptied } = pool({ maxActive: 1 });
    (await made.borrow()).giveBack();
    database.drop();
    await expect.poll(() => made.size).toBe(0);
    expect(emptied()).toBe(1);
    const { connection, giveBack } = await made.borrow();
    expect(connection).toBe(database.connections[1]);
    giveBack();
    await made.close();
  });

  test('a connection that cannot be opened frees its place for whoever waits', async () => {
    const { database, made } = pool({ maxActive: 1 });
    database.accepts = false;
    await expect(made.borrow()).rejects.toThrow('not now');
    database.accepts = true;
    (await made.borrow()).giveBack();
    await made.close();
  });

  test('asks a connection before each use when told to, and replaces one that fails', async () => {
    const { database, made } = pool({ testOnBorrow: true });
    (await made.borrow()).giveBack();
    // The scripted connection refuses statements of mediators.
    const { connection, giveBack } = await made.borrow();
    expect(connection).toBe(database.connections[1]);
    giveBack();
    await made.close();
  });

  test('sets the level of isolation on new connections', async () => {
    const { database, made } = pool({ isolation: 'SERIALIZABLE' });
    (await made.borrow()).giveBack();
    expect(database.asked).toEqual(['SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE']);
    await made.close();
  });

  test('drained, it closes what is unused at once and what is in use afterwards', async () => {
    const { made } = pool({ maxIdle: 2 });
    const [first, second] = await Promise.all([made.borrow(), made.borrow()]);
    first?.giveBack();
    made.drain();
    expect(made.size).toBe(1);
    second?.giveBack();
    expect(made.size).toBe(0);
    await made.close();
    await expect(made.borrow()).rejects.toThrow('the data source is closed');
  });
});
