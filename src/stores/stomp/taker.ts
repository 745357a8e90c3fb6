import { within } from '../broker/deadline.ts';
import { type Delivery, StoreError } from '../message-store.ts';
import type { MessageTaker } from '../store-browser.ts';
import type { StompBrowserHost } from './browse.ts';
import type { StompConnection, StompMessage, StompSubscription } from './connection.ts';
import { type Arrival, JmsDelivery } from './delivery.ts';
import { subscribedQueue } from './queue-name.ts';
import { inSelectors, selectorFor, selectorForShown } from './selector.ts';

/** Unsettled at a time. */
const PREFETCH = 16;
/** How long a message that a browse has shown may take to come; one that somebody has in hand does not come, ms. */
const ARRIVAL_MS = 1_000;

export interface StompTakerOptions {
  readonly ids: readonly string[];
  readonly signal: AbortSignal;
  readonly host: StompBrowserHost;
  /** @throws StoreError */
  connect(): Promise<StompConnection>;
  /** The broker's ids of what a browse shows; undefined where there are no browses. @throws StoreError */
  shown(selector: string): Promise<readonly string[] | undefined>;
  onClose(): void;
}

/**
 * Takes messages by subscriptions whose selectors name them, so that nobody else's messages are touched:
 *
 *     IDLE ──next()──► SUBSCRIBED to the next ids ──all that were shown have come, or none for a second──► IDLE
 *                          └──message──► handed out, acknowledged by its delivery         any ──close()──► CLOSED
 *
 * What is unsettled at the end of its subscription is the broker's again: that puts it before everything else.
 */
export class StompTaker implements MessageTaker {
  readonly #options: StompTakerOptions;
  readonly #parts: Iterator<readonly string[]>;
  readonly #arrived: Arrival[] = [];
  readonly #taken = new Set<JmsDelivery>();
  readonly #seen = new Set<string>();
  #connection: StompConnection | undefined;
  #subscription: StompSubscription | undefined;
  #wanted: ReadonlySet<string> = new Set();
  /** Still to come. */
  #expected = 0;
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(options: StompTakerOptions) {
    this.#options = options;
    this.#parts = inSelectors(options.ids);
  }

  async next(): Promise<Delivery | undefined> {
    for (;;) {
      const delivery = await this.#nextArrived();
      if (delivery || this.#closed) return delivery;
      this.#options.signal.throwIfAborted();
      const part = this.#parts.next();
      if (part.done) return undefined;
      // What is unsettled can be acknowledged as long as its subscription lives.
      if (this.#taken.size === 0) await this.#unsubscribe();
      this.#arrived.length = 0;
      await this.#subscribe(part.value);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake?.();
    await Promise.all([...this.#taken].map((delivery) => delivery.quiet()));
    for (const delivery of this.#taken) delivery.lose('it was given back');
    await this.#connection?.close();
    this.#options.onClose();
  }

  async #nextArrived(): Promise<Delivery | undefined> {
    while (this.#subscription && !this.#closed) {
      const arrival = this.#arrived.shift() ?? (this.#expected > 0 ? await this.#arrival() : undefined);
      if (!arrival) return undefined;
      this.#expected -= 1;
      const delivery = this.#deliveryOf(arrival);
      if (delivery) return delivery;
    }
    return undefined;
  }

  #deliveryOf(arrival: Arrival): Delivery | undefined {
    const { host } = this.#options;
    // Given back at the end of the subscription: alone it cannot be.
    const delivery = new JmsDelivery(arrival, host, { settled: () => undefined, giveBack: async () => undefined });
    const id = delivery.message?.id ?? delivery.poison?.id ?? '';
    // Of several messages with one id the oldest one is meant.
    if (!this.#wanted.has(id) || this.#seen.has(id)) return undefined;
    this.#seen.add(id);
    this.#taken.add(delivery);
    const forget = delivery.put && host.repeatedPuts?.take(delivery.put.id);
    delivery.onceEnded((removed) => {
      this.#taken.delete(delivery);
      forget?.(removed);
    });
    return delivery;
  }

  /** Undefined when none comes. */
  #arrival(): Promise<Arrival | undefined> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve(this.#arrived.shift());
      };
      const timer = setTimeout(end, ARRIVAL_MS);
      this.#wake = end;
    });
  }

  async #subscribe(ids: readonly string[]): Promise<void> {
    const { host, shown, connect } = this.#options;
    const messageIds = await shown(selectorFor(ids));
    this.#expected = messageIds?.length ?? ids.length;
    if (this.#expected === 0) return;
    // The very messages that are there now: not one that comes to their queue with the same id, as when it is sent again.
    const selector = messageIds ? selectorForShown(messageIds) : selectorFor(ids);
    this.#wanted = new Set(ids);
    const connection = this.#connection ?? (await connect());
    if (!this.#connection) void connection.ended.then(() => this.#onLost());
    this.#connection = connection;
    const headers = {
      ...subscribedQueue(host.queue, connection.server),
      ack: 'client-individual',
      selector,
      'activemq.prefetchSize': String(PREFETCH),
    };
    const subscription = connection.subscribe(headers, (message) => this.#onMessage(message, connection, subscription));
    this.#subscription = subscription;
    try {
      await within(subscription.confirmed, host.deadlineMs, 'the subscription to be confirmed');
    } catch (cause) {
      connection.destroy('a subscription was not confirmed');
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new StoreError(host.name, `Store [${host.name}] did not hand over its messages: ${reason}`, { cause });
    }
  }

  #onMessage(message: StompMessage, connection: StompConnection, subscription: StompSubscription): void {
    if (subscription !== this.#subscription) return;
    this.#arrived.push({ message, connection, subscription });
    this.#wake?.();
  }

  /** What was released goes back. */
  async #unsubscribe(): Promise<void> {
    const subscription = this.#subscription;
    const connection = this.#connection;
    if (!subscription || !connection) return;
    this.#subscription = undefined;
    try {
      await within(subscription.unsubscribe(), this.#options.host.deadlineMs, 'messages to be released');
    } catch {
      // The end of the connection has the same effect.
      connection.destroy('a subscription could not be ended');
    }
  }

  #onLost(): void {
    this.#connection = undefined;
    this.#subscription = undefined;
    this.#arrived.length = 0;
    for (const delivery of this.#taken) delivery.lose('the connection that delivered it has ended');
    this.#wake?.();
  }
}
