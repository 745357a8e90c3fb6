import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import type { Cluster } from '../../src/coordination/cluster.ts';
import type { Grant, LeaseMedium, Refusal } from '../../src/coordination/lease-medium.ts';
import type { MessageStore } from '../../src/stores/message-store.ts';
import { JdbcStores } from '../stores/jdbc-stores.ts';
import { storedMessage } from '../stores/messages.ts';

/* The statements of the coordination, on SQLite; test/flows/cluster.test.ts runs them on PostgreSQL and MariaDB. */

const TASK = 'MSMP_P_0';
const FOR_EVER = new AbortController().signal;
const stores = new JdbcStores();

afterEach(() => stores.closeAll());

function cluster(node: string, leaseMs = 15_000): Cluster {
  return { node, group: 'default', leaseMs };
}

interface TwoNodes {
  readonly file: string;
  readonly stores: readonly [MessageStore, MessageStore];
  open(parameters?: Readonly<Record<string, string>>): Promise<MessageStore>;
}

async function twoNodes(): Promise<TwoNodes> {
  const file = join(await stores.folder(), 'shared.db');
  const table = stores.table();
  const access = { url: `jdbc:sqlite:${file}`, driver: 'org.sqlite.JDBC' };
  const open = (parameters: Readonly<Record<string, string>> = {}) => stores.open(access, { table, parameters });
  return { file, stores: [await open(), await open()], open };
}

function medium(store: MessageStore, node: string, leaseMs?: number): LeaseMedium {
  const found = store.leases?.(cluster(node, leaseMs));
  if (!found) throw new Error('the store has no leases');
  return found;
}

async function granted(answer: Promise<Grant | Refusal>): Promise<Grant> {
  const found = await answer;
  if (!found.granted) throw new Error(`refused: ${JSON.stringify(found)}`);
  return found;
}

/** As somebody with another program sees it. */
function rows(file: string, sql: string): unknown[] {
  const database = new DatabaseSync(file);
  try {
    return database
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }));
  } finally {
    database.close();
  }
}

function expire(file: string): void {
  const database = new DatabaseSync(file);
  database.exec('UPDATE COORDINATED_TASK_LEASE_TABLE SET EXPIRES_AT = 1');
  database.close();
}

describe('leases in a database', () => {
  it('are with one process, and show in the tables of the reference', async () => {
    const { file, stores: on } = await twoNodes();
    const [a, b] = [medium(on[0], 'a'), medium(on[1], 'b')];
    const grant = await granted(a.acquire(TASK, FOR_EVER));
    expect(grant.validMs).toBeLessThan(15_000);
    expect(await b.acquire(TASK, FOR_EVER)).toMatchObject({ granted: false, holder: 'a', state: 'RUNNING' });
    expect(await grant.renew()).toBe(true);
    expect(rows(file, 'SELECT * FROM COORDINATED_TASK_TABLE')).toEqual([
      { TASK_NAME: TASK, DESTINED_NODE_ID: 'a', TASK_STATE: 'RUNNING' },
    ]);
    expect(rows(file, 'SELECT GROUP_ID, NODE_ID FROM CLUSTER_NODE_STATUS_TABLE ORDER BY NODE_ID')).toEqual([
      { GROUP_ID: 'default', NODE_ID: 'a' },
      { GROUP_ID: 'default', NODE_ID: 'b' },
    ]);
    await grant.release();
    expect(rows(file, 'SELECT DESTINED_NODE_ID, TASK_STATE FROM COORDINATED_TASK_TABLE')).toEqual([
      { DESTINED_NODE_ID: null, TASK_STATE: 'NONE' },
    ]);
    await granted(b.acquire(TASK, FOR_EVER));
  });

  it('are over for who was overtaken, whatever it does', async () => {
    const { file, stores: on } = await twoNodes();
    const [a, b] = [medium(on[0], 'a'), medium(on[1], 'b')];
    const old = await granted(a.acquire(TASK, FOR_EVER));
    expire(file);
    const present = await granted(b.acquire(TASK, FOR_EVER));
    expect(await old.renew()).toBe(false);
    await old.release();
    expect(await present.renew()).toBe(true);
    expect(rows(file, 'SELECT DESTINED_NODE_ID, TASK_STATE FROM COORDINATED_TASK_TABLE')).toEqual([
      { DESTINED_NODE_ID: 'b', TASK_STATE: 'RUNNING' },
    ]);
  });

  it('bring back what the former holder had in hand, and it cannot settle that any more', async () => {
    const { file, stores: on } = await twoNodes();
    const [a, b] = [medium(on[0], 'a'), medium(on[1], 'b')];
    await on[0].put(storedMessage({ id: 'first' }));
    await on[0].put(storedMessage({ id: 'second' }));
    await granted(a.acquire(TASK, FOR_EVER));
    const inHand = await on[0].consumer().receive({ signal: FOR_EVER, waitMs: 5_000 });
    expect(inHand?.message?.id).toBe('first');
    expire(file);
    await granted(b.acquire(TASK, FOR_EVER));
    const again = await on[1].consumer().receive({ signal: FOR_EVER, waitMs: 5_000 });
    expect([again?.message?.id, again?.redelivered]).toEqual(['first', true]);
    await expect(inHand?.done()).rejects.toThrow();
    await again?.done();
    expect((await on[1].depth()).count).toBe(1);
  });

  it('leave alone what a process has in hand that holds another task', async () => {
    const { file, stores: on } = await twoNodes();
    const [a, b] = [medium(on[0], 'a'), medium(on[1], 'b')];
    await on[0].put(storedMessage({ id: 'first' }));
    await granted(a.acquire(TASK, FOR_EVER));
    const inHand = await on[0].consumer().receive({ signal: FOR_EVER, waitMs: 5_000 });
    expire(file);
    await granted(a.acquire('MSMP_Q_0', FOR_EVER));
    await granted(b.acquire(TASK, FOR_EVER));
    await inHand?.done();
    expect((await on[1].depth()).count).toBe(0);
  });

  it('are given to nobody while the processor is to be inactive', async () => {
    const { file, stores: on } = await twoNodes();
    const [a, b] = [medium(on[0], 'a'), medium(on[1], 'b')];
    const state = () => rows(file, 'SELECT TASK_STATE AS state FROM COORDINATED_TASK_TABLE');
    expect(await a.states?.read(TASK)).toBeUndefined();
    const grant = await granted(a.acquire(TASK, FOR_EVER));
    expect(await b.states?.read(TASK)).toBe('active');
    await b.states?.write([TASK], 'inactive');
    expect(state()).toEqual([{ state: 'DEACTIVATED' }]);
    expect(await a.states?.read(TASK)).toBe('inactive');
    await grant.release();
    expect(state()).toEqual([{ state: 'PAUSED' }]);
    expect(await b.acquire(TASK, FOR_EVER)).toMatchObject({ granted: false, holder: undefined, state: 'PAUSED' });
    await b.states?.write([TASK], 'active');
    expect(state()).toEqual([{ state: 'ACTIVATED' }]);
    await granted(a.acquire(TASK, FOR_EVER));
    await a.states?.write([TASK], 'inactive');
    expect(state()).toEqual([{ state: 'PAUSED' }]);
    await a.states?.remove([TASK]);
    expect(state()).toEqual([]);
  });

  it('end with their store', async () => {
    const { file, stores: on } = await twoNodes();
    const grant = await granted(medium(on[0], 'a').acquire(TASK, FOR_EVER));
    await on[0].close();
    expect(grant.lost.aborted).toBe(true);
    expect(rows(file, "SELECT NODE_ID FROM CLUSTER_NODE_STATUS_TABLE WHERE NODE_ID = 'a'")).toEqual([]);
    expect(() => on[0].leases?.(cluster('a'))).toThrow('is closed');
  });

  it('say which statements make the tables when they may not be made', async () => {
    const { open } = await twoNodes();
    const store = await open({ 'x.create.table': 'false' });
    await expect(medium(store, 'c').acquire(TASK, FOR_EVER)).rejects.toThrow(
      /COORDINATED_TASK_TABLE does not exist; set x\.create\.table=true in the store, or create it: CREATE TABLE/,
    );
  });
});
