import type { MessageStore, StoreConsumer } from '../../src/stores/message-store.ts';
import { waitFor } from '../support/wait-for.ts';
import { storedMessage } from './messages.ts';

/** Producers and consumers at work on a store, and what they have seen. Times are of performance.now(). */
export class Traffic {
  /** Message id -> when its put was confirmed. */
  readonly confirmed = new Map<string, number>();
  readonly received: Array<{ readonly id: string; readonly at: number }> = [];
  failedPuts = 0;
  readonly #store: MessageStore;
  readonly #stopProducing = new AbortController();
  readonly #stopConsuming = new AbortController();
  readonly #producing: Promise<unknown>;
  readonly #consuming: Promise<unknown>;

  constructor(store: MessageStore, producers: number, consumers: number) {
    this.#store = store;
    this.#producing = Promise.all(Array.from({ length: producers }, () => this.#produce()));
    this.#consuming = Promise.all(Array.from({ length: consumers }, () => this.#consume(store.consumer())));
  }

  get lost(): string[] {
    const ids = new Set(this.received.map(({ id }) => id));
    return [...this.confirmed.keys()].filter((id) => !ids.has(id));
  }

  get duplicates(): number {
    return this.received.length - new Set(this.received.map(({ id }) => id)).size;
  }

  /** How long after `since` the first put was confirmed and the first message was delivered, ms. */
  async resumed(since: number): Promise<{ confirmedMs: number; deliveredMs: number }> {
    const first = async (times: () => Iterable<number>) => {
      const what = () => `the store to go on: ${JSON.stringify(this.#store.status())}`;
      const after = () => [...times()].find((at) => at > since);
      return (await waitFor(after, { what, deadlineMs: 8_000 })) - since;
    };
    const [confirmedMs, deliveredMs] = await Promise.all([
      first(() => this.confirmed.values()),
      first(() => this.received.map(({ at }) => at)),
    ]);
    return { confirmedMs, deliveredMs };
  }

  /** Stops producing, and consuming when everything has come or the deadline is over. */
  async end(deadlineMs: number): Promise<void> {
    this.#stopProducing.abort();
    await this.#producing;
    await waitFor(() => this.lost.length === 0, { what: () => `${this.lost.length} messages`, deadlineMs });
    this.#stopConsuming.abort();
    await this.#consuming;
  }

  async #produce(): Promise<void> {
    while (!this.#stopProducing.signal.aborted) {
      const message = storedMessage();
      await this.#store.put(message).then(
        () => void this.confirmed.set(message.id, performance.now()),
        () => {
          this.failedPuts += 1;
        },
      );
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async #consume(consumer: StoreConsumer): Promise<void> {
    for (;;) {
      const delivery = await consumer.receive({ signal: this.#stopConsuming.signal });
      if (!delivery?.message) return;
      this.received.push({ id: delivery.message.id, at: performance.now() });
      await delivery.done().catch(() => undefined);
    }
  }
}
