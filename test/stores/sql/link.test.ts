import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SqlNotConnectedError } from '../../../src/stores/sql/driver.ts';
import { SqlLink } from '../../../src/stores/sql/link.ts';
import { ScriptedDatabase } from './scripted-database.ts';

describe('a link to a database', () => {
  let database: ScriptedDatabase;
  let events: string[];
  let prepare: () => Promise<void>;
  let link: SqlLink;

  beforeEach(() => {
    vi.useFakeTimers();
    database = new ScriptedDatabase();
    events = [];
    prepare = async () => undefined;
    link = new SqlLink({
      open: () => database.connect(),
      prepare: () => prepare(),
      onUp: () => events.push('up'),
      onDown: (error, phase) => events.push(`${phase}: ${error.message}`),
      random: () => 0.5,
    });
  });

  afterEach(async () => {
    vi.useRealTimers();
    await link.close();
  });

  test('comes up, and comes up again at once after it has worked for long (OP-12)', async () => {
    link.start();
    expect(await link.up()).toBe(true);
    await vi.advanceTimersByTimeAsync(40_000);
    database.drop();
    await vi.advanceTimersByTimeAsync(0);
    expect(events).toEqual(['up', 'connected: dropped', 'up']);
    expect(link.isUp).toBe(true);
  });

  test('connects at most 26 times in 30 s to a server that accepts and drops, and finds the real one in time', async () => {
    database.accepts = false;
    link.start();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(database.attempts).toBeGreaterThan(15);
    expect(database.attempts).toBeLessThanOrEqual(26);
    database.accepts = true;
    await vi.advanceTimersByTimeAsync(2_050);
    expect(link.isUp).toBe(true);
  });

  test('does not wait for an attempt that is not answered when the server is back', async () => {
    const silent = Promise.withResolvers<never>();
    const connect = vi.spyOn(database, 'connect').mockReturnValueOnce(silent.promise);
    link.start();
    await vi.advanceTimersByTimeAsync(1_699);
    expect([connect.mock.calls.length, link.isUp]).toEqual([1, false]);
    await vi.advanceTimersByTimeAsync(1);
    expect([connect.mock.calls.length, link.isUp]).toEqual([2, true]);
    silent.reject(new Error('no answer in time'));
    await vi.advanceTimersByTimeAsync(0);
    expect(events).toEqual(['up']);
  });

  test('is not up before it is prepared, and tries again when that fails', async () => {
    let missing = true;
    prepare = async () => {
      if (missing) throw new Error('no table');
    };
    link.start();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(link.isUp).toBe(false);
    expect(new Set(events)).toEqual(new Set(['connecting: no table']));
    missing = false;
    await vi.advanceTimersByTimeAsync(2_500);
    expect(events.at(-1)).toBe('up');
  });

  test('asks an idle connection whether it still works', async () => {
    link.start();
    await link.up();
    await vi.advanceTimersByTimeAsync(25_000);
    expect(database.asked.filter((sql) => sql.startsWith('SELECT 1')).length).toBeGreaterThanOrEqual(2);
  });

  test('lets one at a time use the connection, and none when there is none', async () => {
    await expect(link.use(async () => 1)).rejects.toBeInstanceOf(SqlNotConnectedError);
    link.start();
    await link.up();
    const order: string[] = [];
    const first = link.use(async () => {
      order.push('first');
      await Promise.resolve();
      order.push('first ends');
      throw new Error('it failed');
    });
    const second = link.use(async () => order.push('second'));
    await expect(first).rejects.toThrow('it failed');
    await second;
    expect(order).toEqual(['first', 'first ends', 'second']);
  });

  test('stops waiting and trying when it is closed', async () => {
    database.accepts = false;
    link.start();
    const waiting = link.up();
    await link.close();
    expect(await waiting).toBe(false);
    const { attempts } = database;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(database.attempts).toBe(attempts);
    expect(await link.up(AbortSignal.abort())).toBe(false);
  });
});
