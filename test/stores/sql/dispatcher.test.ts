import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Dispatcher } from '../../../src/stores/sql/dispatcher.ts';
import type { ClaimedMessage } from '../../../src/stores/sql/message-table.ts';

/** A table of messages 1, 2, 3 …, and what was asked of it. */
class Table {
  readonly claims: number[] = [];
  readonly givenBack: number[] = [];
  ready = true;
  /** Awaited by every claim. */
  answer: Promise<unknown> = nextTurn();
  #next = 1;
  #left: number;
  readonly dispatcher: Dispatcher;

  constructor(messages: number) {
    this.#left = messages;
    this.dispatcher = new Dispatcher({
      ready: () => this.ready,
      claim: (count) => this.#claim(count),
      giveBack: ({ lease }) => this.givenBack.push(lease.indexId),
    });
  }

  add(messages: number): void {
    this.#left += messages;
  }

  async next(waitMs?: number, signal = new AbortController().signal): Promise<number | undefined> {
    return (await this.dispatcher.next(signal, waitMs))?.lease.indexId;
  }

  async #claim(count: number): Promise<readonly ClaimedMessage[]> {
    this.claims.push(count);
    await this.answer;
    const claimed = Math.min(count, this.#left);
    this.#left -= claimed;
    return Array.from({ length: claimed }, () => {
      const indexId = this.#next;
      this.#next += 1;
      return { lease: { indexId, deliveries: 1 }, msgId: String(indexId), bytes: Buffer.alloc(0) };
    });
  }
}

describe('the dispatcher', () => {
  test('serves all who come in one turn with one claim, in their order', async () => {
    const table = new Table(100);
    const settled = Promise.resolve();
    const got = await Promise.all(Array.from({ length: 8 }, () => settled.then(() => table.next())));
    expect(got).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(table.claims).toEqual([8]);
  });

  test('claims at most 16 at one time, and no more than somebody waits for', async () => {
    const table = new Table(100);
    await Promise.all(Array.from({ length: 20 }, () => table.next()));
    expect(table.claims).toEqual([16, 4]);
    expect(table.givenBack).toEqual([]);
  });

  test('who does not want to wait gets what is there', async () => {
    const table = new Table(1);
    table.answer = delay(20);
    expect(await table.next(0)).toBe(1);
    expect(await table.next(0)).toBeUndefined();
  });

  test('who does not want to wait gets nothing when there is no database', async () => {
    const table = new Table(1);
    table.ready = false;
    expect(await table.next(0)).toBeUndefined();
    expect(table.claims).toEqual([]);
  });

  test('a message for somebody who has gone is given back; nobody at all is asked for nothing', async () => {
    const table = new Table(1);
    const gone = new AbortController();
    const { promise, resolve: answer } = Promise.withResolvers<void>();
    table.answer = promise;
    const next = table.next(undefined, gone.signal);
    await nextTurn();
    await nextTurn();
    gone.abort();
    expect(await next).toBeUndefined();
    answer();
    await promise;
    await nextTurn();
    expect(table.givenBack).toEqual([1]);

    const early = new AbortController();
    const another = table.next(undefined, early.signal);
    early.abort();
    expect(await another).toBeUndefined();
    await nextTurn();
    expect(table.claims).toEqual([1]);
  });

  test('who waits hears of what comes', async () => {
    const table = new Table(0);
    const next = table.next();
    await delay(5);
    table.add(1);
    table.dispatcher.wake();
    expect(await next).toBe(1);
  });
});
