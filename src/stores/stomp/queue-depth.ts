import { within } from '../broker/deadline.ts';
import type { StoreDepth } from '../message-store.ts';
import type { StompConnection, StompHeaders } from './connection.ts';
import { isArtemis, subscribedQueue } from './queue-name.ts';

const FRESH_FOR_MS = 2_000;
const DEADLINE_MS = 2_000;
const BROWSE_MS = 1_500;
/**
 * ActiveMQ ends a browse after the messages that it holds in memory and one page more (`maxBrowsePageSize`, 400 unless configured),
 * and says nothing of it: only what is shorter than a page has certainly been seen to its end.
 */
const BROWSE_PAGE = 400;
/** A browse shows every message, body included: no more of them are looked at. */
const MAX_COUNTED = 10_000;

export interface QueueDepthOptions {
  readonly queue: string;
  /** A connection for a browse; undefined while the broker is not reachable. */
  open(): Promise<StompConnection | undefined>;
  /** Messages that this process has stored and removed so far. */
  counters(): { readonly enqueued: number; readonly dequeued: number };
}

/**
 * The number of messages on a queue (OP-17), in others' hands included: counted by a browse on a connection of its own, if that is
 * less than a page; else estimated from the last count and from what this process has done since, and never less than a browse has
 * shown. Looks at most once in two seconds, however often it is asked.
 */
export class QueueDepth {
  readonly #options: QueueDepthOptions;
  #last: { readonly depth: StoreDepth; readonly at: number } | undefined;
  #looking: Promise<StoreDepth> | undefined;
  /** What was counted last, and the counters of that moment. */
  #counted: { readonly count: number; readonly change: number } | undefined;

  constructor(options: QueueDepthOptions) {
    this.#options = options;
  }

  depth(): Promise<StoreDepth> {
    if (this.#last && performance.now() - this.#last.at < FRESH_FOR_MS) return Promise.resolve(this.#last.depth);
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** From what is known; never waits. */
  estimate(): StoreDepth {
    if (this.#counted === undefined) return { count: 'unknown', estimated: true };
    const { count, change } = this.#counted;
    return { count: Math.max(0, count + this.#change() - change), estimated: true };
  }

  async #look(): Promise<StoreDepth> {
    const found = await within(this.#browse(), DEADLINE_MS, 'the depth').catch(() => undefined);
    const { count: expected } = this.estimate();
    if (found && (found.complete || expected === 'unknown' || found.count > expected)) {
      this.#counted = { count: found.count, change: this.#change() };
    }
    const depth = found?.complete ? { count: found.count, estimated: false } : this.estimate();
    this.#last = { depth, at: performance.now() };
    return depth;
  }

  #change(): number {
    const { enqueued, dequeued } = this.#options.counters();
    return enqueued - dequeued;
  }

  async #browse(): Promise<{ count: number; complete: boolean } | undefined> {
    const connection = await this.#options.open();
    if (!connection) return undefined;
    if (isArtemis(connection.server)) {
      // It has no browsers over STOMP.
      await connection.close();
      return undefined;
    }
    let count = 0;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const headers = { ...subscribedQueue(this.#options.queue, connection.server), browser: 'true', ack: 'auto' };
    const onMessage = (headers: StompHeaders) => {
      if (headers.browser === 'end') return resolve(count < BROWSE_PAGE);
      count += 1;
      if (count >= MAX_COUNTED) resolve(false);
    };
    connection.subscribe(headers, (message) => onMessage(message.headers), 0).confirmed.catch(() => resolve(false));
    void connection.ended.then(() => resolve(false));
    const complete = await within(promise, BROWSE_MS, 'the end of the browse').catch(() => false);
    if (complete) await connection.close();
    else connection.destroy('enough was browsed');
    return { count, complete };
  }
}
