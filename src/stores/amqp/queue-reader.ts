import { within } from '../broker/deadline.ts';
import type { AmqpConnection } from './connection.ts';
import { type Arrival, ConsumerChannel } from './consumer-channel.ts';

/** How far from the oldest message is read. */
export const MAX_LOOKED_AT = 1_000;
/** Messages of one channel of a quorum queue: as many bodies are in memory at a time. */
const CHUNK = 20;
/** The queue is at its end when nothing has come for so long: how many messages wait a quorum queue tells late, ms. */
const IDLE_MS = 250;

export interface QueueReaderOptions {
  readonly connection: AmqpConnection;
  readonly queue: string;
  readonly quorum: boolean;
  /** For every answer, ms. */
  readonly deadlineMs: number;
  /** Hears when what was read is the broker's again before {@link QueueReader.close}. */
  onLost?(channel: ConsumerChannel): void;
}

/**
 * Reads a queue from its oldest message on, without acknowledging anything, and puts everything back to its place at the end.
 *
 * Classic queues are read by `get` on one channel: what that returns at its end goes where it was. Quorum queues put messages back in
 * the order in which they are returned, and one channel returns what it got by `get` in no order at all; what one consumer had it
 * returns in order. So they are read by consumers with a prefetch, each on a channel of its own, and the channels end one after the
 * other, the oldest messages first.
 */
export class QueueReader {
  readonly #options: QueueReaderOptions;
  readonly #channels: ConsumerChannel[] = [];
  #chunk: Arrival[] = [];
  #left = false;

  constructor(options: QueueReaderOptions) {
    this.#options = options;
  }

  /** Whether there are more messages behind the last one, or may be. */
  get left(): boolean {
    return this.#left || this.#chunk.length > 0;
  }

  /** The next message; undefined when there is none. @throws AmqpLostError, DeadlineError */
  async next(): Promise<Arrival | undefined> {
    if (!this.#options.quorum) return this.#get();
    if (this.#chunk.length === 0 && (this.#left || this.#channels.length === 0)) this.#chunk = await this.#nextChunk();
    return this.#chunk.shift();
  }

  /** Puts back what was not acknowledged. Never throws. */
  async close(): Promise<void> {
    this.#chunk = [];
    for (const channel of this.#channels.splice(0)) {
      const closed = within(channel.close(), this.#options.deadlineMs, 'messages to be released');
      await closed.catch(() => undefined);
    }
  }

  async #get(): Promise<Arrival | undefined> {
    const channel = this.#channels[0] ?? (await this.#open());
    const arrival = await within(channel.get(), this.#options.deadlineMs, 'a message');
    const { messageCount = 0 } = (arrival?.message.fields ?? {}) as { messageCount?: number };
    this.#left = messageCount > 0;
    return arrival;
  }

  async #nextChunk(): Promise<Arrival[]> {
    const channel = await this.#open();
    const arrivals = await channel.collect(CHUNK, IDLE_MS);
    this.#left = arrivals.length === CHUNK;
    return arrivals;
  }

  async #open(): Promise<ConsumerChannel> {
    const { connection, queue, deadlineMs, onLost } = this.#options;
    const channel = await within(ConsumerChannel.open(connection, queue), deadlineMs, 'a channel');
    this.#channels.push(channel);
    void channel.ended.then(() => onLost?.(channel));
    return channel;
  }
}
