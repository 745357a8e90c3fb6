import { logger } from '../../logging/index.ts';
import { within } from '../broker/deadline.ts';
import type { DepthOptions, StoreDepth } from '../message-store.ts';
import type { StompConnection, StompHeaders } from './connection.ts';
import { isArtemis, subscribedQueue } from './queue-name.ts';
import { queueStatistics } from './queue-statistics.ts';

const log = logger('JmsStore');
const FRESH_FOR_MS = 2_000;
const DEADLINE_MS = 3_000;
const BROWSE_MS = 1_500;
/**
 * ActiveMQ ends a browse after the messages that it holds in memory and one page more (`maxBrowsePageSize`, 400 unless configured),
 * and says nothing of it: only what is shorter than a page has certainly been seen to its end.
 */
const BROWSE_PAGE = 400;
/** A browse shows every message, body included: no more of them are looked at. */
const MAX_COUNTED = 10_000;
/**
 * A browse beyond a page tells only whether there are more messages than expected, which others must have stored; and 10,000 of them keep
 * broker and process busy for 150 to 700 ms. After one that told nothing the next one waits twice as long, up to this: about 1 % of the time.
 */
const LONGEST_REST_MS = 60_000;
const LEAST_REST_MS = 1_000;
/** Of the time, what goes into those at most. */
const FAR_LOOKS_SHARE = 0.05;

interface Counted {
  readonly count: number;
  /** It is the whole number, not the least that there must be. */
  readonly complete: boolean;
  /** How long a browse beyond a page has taken. */
  readonly farMs?: number;
}

export interface QueueDepthOptions {
  /** Whose queue it is, for its log lines. */
  readonly store: string;
  readonly queue: string;
  /** Ask the StatisticsBrokerPlugin first. */
  readonly statistics: boolean;
  /** A connection for a browse; undefined while the broker is not reachable. */
  open(): Promise<StompConnection | undefined>;
  /** Messages that this process has stored and removed so far. */
  counters(): { readonly enqueued: number; readonly dequeued: number };
}

/**
 * The number of messages on a queue (OP-17), in others' hands included: told by the broker's statistics, if the store asks for them
 * and the broker has them; else counted by a browse on a connection of its own, if that is less than a page; else estimated from the last
 * count and from what this process has done since, and never less than a browse beyond that page has shown, which is made the more rarely
 * the less it tells. Looks at most once in two seconds, however often it is asked, unless the answer has to be fresh.
 */
export class QueueDepth {
  readonly #options: QueueDepthOptions;
  #asksStatistics: boolean;
  #last: { readonly depth: StoreDepth; readonly at: number } | undefined;
  #looking: Promise<StoreDepth> | undefined;
  /** What was counted last, and the counters of that moment. */
  #counted: { readonly count: number; readonly change: number } | undefined;
  /** When a browse may go beyond a page again, and how long it had to wait for that. */
  #farLook = { againAt: 0, restMs: LEAST_REST_MS };

  constructor(options: QueueDepthOptions) {
    this.#options = options;
    this.#asksStatistics = options.statistics;
  }

  async depth({ fresh = false }: DepthOptions = {}): Promise<StoreDepth> {
    // A look that has begun may have passed what is asked about.
    if (fresh) await this.#looking;
    else if (this.#last && performance.now() - this.#last.at < FRESH_FOR_MS) return this.#last.depth;
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
    const found = await within(this.#count(), DEADLINE_MS, 'the depth').catch(() => undefined);
    const { count: expected } = this.estimate();
    const more = found !== undefined && found.count > (expected === 'unknown' ? 0 : expected);
    if (found && (found.complete || more)) {
      this.#counted = { count: found.count, change: this.#change() };
    }
    if (found?.farMs !== undefined) this.#lookedFar(found.farMs, more);
    const depth = found?.complete ? { count: found.count, estimated: false } : this.estimate();
    this.#last = { depth, at: performance.now() };
    return depth;
  }

  #change(): number {
    const { enqueued, dequeued } = this.#options.counters();
    return enqueued - dequeued;
  }

  async #count(): Promise<Counted | undefined> {
    const connection = await this.#options.open();
    if (!connection) return undefined;
    const artemis = isArtemis(connection.server);
    if (this.#asksStatistics && !artemis) {
      const count = await queueStatistics(connection, this.#options.queue);
      await connection.close();
      if (count !== undefined) return { count, complete: true };
      this.#noStatistics();
      return undefined;
    }
    if (!artemis) return this.#browse(connection);
    // It has no browsers over STOMP.
    await connection.close();
    return undefined;
  }

  /** Without the plug-in, or without the libraries that it answers with, a broker never answers. */
  #noStatistics(): void {
    this.#asksStatistics = false;
    log.warn(
      `The broker does not answer questions about ${this.#options.queue}: x.depth.statistics needs its StatisticsBrokerPlugin. ` +
        'The number of messages is counted by browsing until the store is deployed again',
      { store: this.#options.store },
    );
  }

  /** How many messages a browse shows before it has nothing more to tell. */
  #most(): number {
    const { count: expected } = this.estimate();
    if (expected === 'unknown' || expected < BROWSE_PAGE) return MAX_COUNTED;
    const mayTell = expected < MAX_COUNTED && performance.now() >= this.#farLook.againAt;
    return mayTell ? MAX_COUNTED : BROWSE_PAGE;
  }

  #lookedFar(tookMs: number, told: boolean): void {
    const least = Math.max(LEAST_REST_MS, tookMs / FAR_LOOKS_SHARE);
    const restMs = told ? least : Math.min(LONGEST_REST_MS, Math.max(least, 2 * this.#farLook.restMs));
    this.#farLook = { againAt: performance.now() + restMs, restMs };
  }

  async #browse(connection: StompConnection): Promise<Counted> {
    const most = this.#most();
    const begun = performance.now();
    const { dequeued } = this.#options.counters();
    let count = 0;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const headers = { ...subscribedQueue(this.#options.queue, connection.server), browser: 'true', ack: 'auto' };
    const onMessage = (headers: StompHeaders) => {
      if (headers.browser === 'end') return resolve(count < BROWSE_PAGE);
      count += 1;
      if (count >= most) resolve(false);
    };
    const { confirmed } = connection.subscribe(headers, (message) => onMessage(message.headers), { maxBodyBytes: 0 });
    confirmed.catch(() => resolve(false));
    void connection.ended.then(() => resolve(false));
    const complete = await within(promise, BROWSE_MS, 'the end of the browse').catch(() => false);
    if (complete) await connection.close();
    else connection.destroy('enough was browsed');
    if (complete) return { count, complete };
    // Those that were shown first may be gone by now.
    const left = Math.max(0, count - (this.#options.counters().dequeued - dequeued));
    const far = most > BROWSE_PAGE && count >= BROWSE_PAGE;
    return { count: left, complete, ...(far && { farMs: performance.now() - begun }) };
  }
}
