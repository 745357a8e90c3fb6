import { logger } from '../../logging/index.ts';
import { pause } from '../../scheduling/index.ts';
import { BackOff, HEALTHY_AFTER_MS } from '../broker/back-off.ts';
import { within } from '../broker/deadline.ts';
import type { ConnectionSupervisor } from '../broker/supervisor.ts';
import { type Delivery, type StoreConsumer, StoreError } from '../message-store.ts';
import type { AmqpAddress } from './address.ts';
import { type AmqpConnection, messageOf } from './connection.ts';
import { type Arrival, ConsumerChannel } from './consumer-channel.ts';
import { AmqpDelivery } from './delivery.ts';

const log = logger('RabbitMQConsumer');

/** The broker needs a moment to answer; nobody is served by a shorter wait, ms. */
const SHORTEST_WAIT_MS = 100;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const LEAVE_DEADLINE_MS = 1_000;

/** What a consumer knows of its store. */
export interface ConsumerHost {
  readonly name: string;
  readonly queue: string;
  readonly supervisor: ConnectionSupervisor<AmqpAddress, AmqpConnection>;
  /** For acknowledgements, ms. */
  readonly deadlineMs: number;
  /** How long a message may be held, ms. */
  readonly longestHoldMs: number;
  /** Makes sure that the queue is there. @throws when the broker does not let us have it */
  prepare(connection: AmqpConnection): Promise<unknown>;
  noteHeld(change: 1 | -1): void;
  noteSettled(): void;
  noteClosed(consumer: AmqpConsumer): void;
}

interface Waiter {
  readonly end: (arrival: Arrival | undefined) => void;
  /** When it has waited long enough, as of performance.now(). */
  readonly until: number;
  /** Aborted at its end. */
  readonly ended: AbortSignal;
}

/**
 * The receiving side of a store: a channel of its own on the connection that does not publish.
 *
 *     APART ──receive(), connected──► OPEN ──asked, there is one──► HOLDING ──done(), release()──► OPEN
 *       ▲                              │ ▲                             ▲
 *       │                    there is  │ │ nobody waits                │
 *       │                    none      ▼ │ any more                    │
 *       │                           LISTENING ──message────────────────┘
 *       └──channel or connection lost, from everywhere: what was held is the broker's again
 */
export class AmqpConsumer implements StoreConsumer {
  readonly id: string;
  readonly #host: ConsumerHost;
  readonly #life = new AbortController();
  readonly #backOff = new BackOff();
  #channel: ConsumerChannel | undefined;
  #openedAt = 0;
  #waiter: Waiter | undefined;
  #delivery: AmqpDelivery | undefined;
  #fetching = false;
  #unhealthy = false;

  constructor(id: string, host: ConsumerHost) {
    this.id = id;
    this.#host = host;
  }

  async receive({ signal, waitMs }: { signal: AbortSignal; waitMs?: number }): Promise<Delivery | undefined> {
    if (this.#life.signal.aborted) throw this.#error('is closed');
    if (this.#waiter) throw new Error(`${this.id} is receiving already`);
    if (this.#delivery && !this.#delivery.settled) throw new Error(`${this.id} has an unsettled delivery`);
    if (signal.aborted) return undefined;
    const arrival = await this.#wait(signal, waitMs);
    if (!arrival) return undefined;
    // Closed in the moment in which a message came: the end of the channel gives it back.
    if (this.#life.signal.aborted) return undefined;
    this.#delivery = new AmqpDelivery(arrival, this.#host);
    return this.#delivery;
  }

  async close(): Promise<void> {
    if (this.#life.signal.aborted) return;
    this.#life.abort();
    this.#waiter?.end(undefined);
    const delivery = this.#delivery;
    const channel = this.#channel;
    this.#channel = undefined;
    const leave = async () => {
      await delivery?.abandon();
      await channel?.close();
    };
    await within(leave(), LEAVE_DEADLINE_MS, 'the end of the channel').catch(() => undefined);
    delivery?.lose('its consumer was closed');
    this.#host.supervisor.troubleOver(this.id);
    this.#host.noteClosed(this);
  }

  #wait(signal: AbortSignal, waitMs: number | undefined): Promise<Arrival | undefined> {
    return new Promise((resolve) => {
      const ended = new AbortController();
      const end = (arrival: Arrival | undefined) => {
        this.#waiter = undefined;
        signal.removeEventListener('abort', stop);
        clearTimeout(timer);
        ended.abort();
        resolve(arrival);
      };
      const stop = () => end(undefined);
      const limit = waitMs === undefined ? undefined : Math.min(Math.max(waitMs, SHORTEST_WAIT_MS), LONGEST_TIMER_MS);
      const timer = limit === undefined ? undefined : setTimeout(stop, limit);
      signal.addEventListener('abort', stop, { once: true });
      const until = waitMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + waitMs;
      this.#waiter = { end, until, ended: ended.signal };
      void this.#fetch();
    });
  }

  /** Fetches for as long as somebody waits, whoever it is. Never rejects. */
  async #fetch(): Promise<void> {
    if (this.#fetching) return;
    this.#fetching = true;
    while (this.#wanted()) {
      const channel = this.#channel?.leaving === false ? this.#channel : await this.#open();
      if (!channel || !this.#wanted()) continue;
      try {
        const arrival = await this.#fetchFrom(channel);
        this.#onHealthy();
        if (arrival) await this.#hand(arrival);
      } catch (error) {
        await this.#failed(error);
      }
    }
    this.#fetching = false;
  }

  #wanted(): boolean {
    return this.#waiter !== undefined && !this.#life.signal.aborted;
  }

  async #fetchFrom(channel: ConsumerChannel): Promise<Arrival | undefined> {
    const arrival = await channel.get();
    if (arrival) return arrival;
    const waiter = this.#waiter;
    if (!waiter) return undefined;
    if (performance.now() >= waiter.until) {
      waiter.end(undefined);
      return undefined;
    }
    return channel.listen(waiter.ended);
  }

  /** To who waits; else the message goes back at once, as nobody may sit on it. */
  async #hand(arrival: Arrival): Promise<void> {
    if (this.#waiter && !this.#life.signal.aborted) this.#waiter.end(arrival);
    else await arrival.channel.close();
  }

  async #open(): Promise<ConsumerChannel | undefined> {
    const { supervisor, queue, prepare, deadlineMs } = this.#host;
    const connection = await supervisor.connected(this.#life.signal);
    if (!connection) return undefined;
    try {
      // After a failure the queue may be gone.
      if (this.#unhealthy) await prepare(connection);
      const channel = await within(ConsumerChannel.open(connection, queue), deadlineMs, 'a channel');
      if (this.#life.signal.aborted) {
        await channel.close();
        return undefined;
      }
      this.#channel = channel;
      this.#openedAt = performance.now();
      void channel.ended.then((reason) => this.#onLost(channel, reason));
      return channel;
    } catch (error) {
      await this.#failed(error);
      return undefined;
    }
  }

  #onHealthy(): void {
    this.#host.supervisor.troubleOver(this.id);
    if (!this.#unhealthy) return;
    this.#unhealthy = false;
    log.info(`${this.id} receives from store [${this.#host.name}] again`, { store: this.#host.name });
  }

  /** The channel is gone, and with it what was held. */
  #onLost(channel: ConsumerChannel, reason: Error): void {
    this.#delivery?.lose('the connection that delivered it has ended', channel);
    if (this.#channel !== channel) return;
    this.#channel = undefined;
    if (performance.now() - this.#openedAt >= HEALTHY_AFTER_MS) this.#backOff.reset();
    if (!channel.leaving) this.#report(reason);
  }

  async #failed(error: unknown): Promise<void> {
    if (this.#life.signal.aborted) return;
    const { supervisor } = this.#host;
    // Without a connection there is nothing to be tried: whoever waits for the next one is told by the supervisor.
    if (!supervisor.connection || supervisor.connection.lost) return;
    this.#report(error);
    const channel = this.#channel;
    this.#channel = undefined;
    if (channel) void channel.close();
    await pause(this.#backOff.failed('lost'), this.#life.signal);
  }

  #report(reason: unknown): void {
    const { supervisor, name } = this.#host;
    if (this.#life.signal.aborted) return;
    const connection = supervisor.connection;
    const wanted = this.#waiter !== undefined || this.#delivery?.settled === false;
    if (wanted && connection && !connection.lost) supervisor.trouble(this.id, messageOf(reason));
    if (this.#unhealthy) return;
    this.#unhealthy = true;
    log.warn('The connection and channel to the RabbitMQ broker are unhealthy.', {
      store: name,
      consumer: this.id,
      cause: messageOf(reason),
    });
    log.info(`Cleanup and Reinitializing connection and channel for ${this.id}`, { store: name });
  }

  #error(problem: string): StoreError {
    return new StoreError(this.#host.name, `Store [${this.#host.name}]: ${this.id} ${problem}`);
  }
}
