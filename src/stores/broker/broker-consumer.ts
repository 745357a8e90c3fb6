import { logger } from '../../logging/index.ts';
import { LONGEST_INTERVAL, pause } from '../../scheduling/index.ts';
import { type Delivery, type StoreConsumer, StoreError } from '../message-store.ts';
import { BackOff, type ConnectionFailure } from './back-off.ts';
import type { BrokerDelivery, DeliveryHost } from './broker-delivery.ts';
import type { PutSupervisor } from './put-window.ts';
import type { RepeatedPuts } from './repeated-puts.ts';

const log = logger('MessageStore');

/** A broker needs a moment to push the first message to a new subscription; nobody is served by a shorter wait, ms. */
const SHORTEST_WAIT_MS = 100;

/** What a consumer knows of its store. */
export interface ConsumerHost extends DeliveryHost {
  readonly supervisor: Pick<PutSupervisor, 'trouble' | 'troubleOver'>;
  /** Undefined: every copy of a message is delivered. */
  readonly repeatedPuts: RepeatedPuts | undefined;
  noteClosed(consumer: StoreConsumer): void;
}

/** Somebody who waits for a message. */
export interface Waiter<A> {
  readonly end: (arrival: A | undefined) => void;
  /** When it has waited long enough, as of performance.now(). */
  readonly until: number;
  /** Aborted at its end; to be asked for while it waits. */
  readonly ended: AbortSignal;
}

/**
 * What the receiving sides of stores on brokers have in common: one receive at a time, one delivery at a time, work for as long as
 * somebody waits, and one report for each trouble. How messages come in is the protocol's; `A` is what comes in.
 */
export abstract class BrokerConsumer<A, D extends BrokerDelivery, H extends ConsumerHost> implements StoreConsumer {
  readonly id: string;
  protected readonly host: H;
  protected readonly backOff = new BackOff();
  protected waiter: Waiter<A> | undefined;
  protected delivery: D | undefined;
  readonly #life = new AbortController();
  #working = false;
  #unhealthy = false;

  constructor(id: string, host: H) {
    this.id = id;
    this.host = host;
  }

  async receive({ signal, waitMs }: { signal: AbortSignal; waitMs?: number }): Promise<Delivery | undefined> {
    if (this.closed.aborted) throw this.#error('is closed');
    if (this.waiter) throw new Error(`${this.id} is receiving already`);
    if (this.delivery && !this.delivery.settled) throw new Error(`${this.id} has an unsettled delivery`);
    if (signal.aborted) return undefined;
    const until = performance.now() + (waitMs ?? Number.POSITIVE_INFINITY);
    for (;;) {
      const arrival = this.takeArrived() ?? (await this.#wait(signal, until));
      if (!arrival) this.onIdle();
      // Closed in the moment in which a message came: the end of what it came through gives it back.
      if (!arrival || this.closed.aborted) return undefined;
      const delivery = this.newDelivery(arrival);
      this.delivery = delivery;
      if (!(await this.#isRepeated(delivery, signal, until))) return delivery;
      if (signal.aborted || this.closed.aborted || performance.now() >= until) return undefined;
    }
  }

  async close(): Promise<void> {
    if (this.closed.aborted) return;
    this.#life.abort();
    this.waiter?.end(undefined);
    await this.leave();
    this.host.supervisor.troubleOver(this.id);
    this.host.noteClosed(this);
  }

  /** Aborted when it is closed. */
  protected get closed(): AbortSignal {
    return this.#life.signal;
  }

  /** Whether somebody waits for a message. */
  protected get wanted(): boolean {
    return this.waiter !== undefined && !this.closed.aborted;
  }

  /** Whether the last thing that was heard was trouble. */
  protected get unhealthy(): boolean {
    return this.#unhealthy;
  }

  /** What has come in, and nobody has asked for yet. */
  protected takeArrived(): A | undefined {
    return undefined;
  }

  /** Nothing came for who waited. */
  protected onIdle(): void {}

  protected abstract newDelivery(arrival: A): D;
  /** Whether {@link work} is to be called: as long as somebody waits, and messages do not come by themselves. */
  protected abstract get hasWork(): boolean;
  /** Goes one step towards a message. Never rejects. */
  protected abstract work(): Promise<void>;
  /** Lets go of everything, unsettled messages included. Never rejects. */
  protected abstract leave(): Promise<void>;
  /** Logs that messages cannot be received, or can be again. */
  protected abstract logTrouble(reason: Error): void;
  protected abstract logRecovery(): void;

  /** Works for as long as there is work to be done, whoever asks. Never rejects. */
  protected async begin(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    while (this.hasWork) await this.work();
    this.#working = false;
  }

  /** Messages can be received. */
  protected onHealthy(): void {
    this.host.supervisor.troubleOver(this.id);
    if (!this.#unhealthy) return;
    this.#unhealthy = false;
    this.logRecovery();
  }

  /** Messages cannot be received. `ours`: the connection of the store knows nothing of it. */
  protected report(reason: Error, ours: boolean): void {
    if (this.closed.aborted) return;
    const affected = this.waiter !== undefined || this.delivery?.settled === false;
    if (ours && affected) this.host.supervisor.trouble(this.id, reason.message);
    if (this.#unhealthy) return;
    this.#unhealthy = true;
    this.logTrouble(reason);
  }

  protected backOffAfter(failure: ConnectionFailure): Promise<void> {
    return pause(this.backOff.failed(failure), this.closed);
  }

  /**
   * Whether it is a message that was delivered already: its second copy, or one whose removal the broker has forgotten. It is not in
   * hand any more then. Never rejects.
   */
  async #isRepeated(delivery: D, signal: AbortSignal, until: number): Promise<boolean> {
    const { repeatedPuts } = this.host;
    const { put } = delivery;
    if (!repeatedPuts || !put) return false;
    if (put.again) {
      for (let other = repeatedPuts.inHand(put.id); other; other = repeatedPuts.inHand(put.id)) {
        if (await this.#endsFirst(other, signal, until)) continue;
        await delivery.release();
        return true;
      }
      // While it waited the connection may have been lost.
      if (delivery.settled) return true;
    }
    if (put.again ? repeatedPuts.wasRemoved(put.id) : repeatedPuts.mayBeBack(put.id)) {
      await this.#removeAgain(delivery);
      return true;
    }
    delivery.onceEnded(repeatedPuts.take(put.id));
    return false;
  }

  /** False when nobody waits any more. */
  async #endsFirst(other: Promise<void>, signal: AbortSignal, until: number): Promise<boolean> {
    const ended = new AbortController();
    let first = false;
    void other.then(() => {
      first = !(signal.aborted || this.closed.aborted);
      ended.abort();
    });
    await pause(until - performance.now(), ended.signal, signal, this.closed);
    return first;
  }

  /** Never rejects: what cannot be removed comes again. */
  async #removeAgain(delivery: D): Promise<void> {
    const details = { store: this.host.name, messageId: delivery.message?.id };
    const why = delivery.put?.again ? 'it was sent twice' : 'the broker has forgotten that it was removed';
    try {
      await delivery.done();
      log.info(`${this.id} has removed a message that was delivered already: ${why}`, details);
    } catch (error) {
      log.debug(`${this.id} could not remove a message that was delivered already: ${String(error)}`, details);
      if (!delivery.settled) await delivery.release();
    }
  }

  #wait(signal: AbortSignal, until: number): Promise<A | undefined> {
    return new Promise((resolve) => {
      // Made when somebody asks: with the error that it is aborted with it takes as long as reading a message.
      let ended: AbortController | undefined;
      const end = (arrival: A | undefined) => {
        this.waiter = undefined;
        signal.removeEventListener('abort', stop);
        clearTimeout(timer);
        ended?.abort();
        resolve(arrival);
      };
      const stop = () => end(undefined);
      const waitMs = Math.max(until - performance.now(), SHORTEST_WAIT_MS);
      const timer = Number.isFinite(waitMs) ? setTimeout(stop, Math.min(waitMs, LONGEST_INTERVAL)) : undefined;
      signal.addEventListener('abort', stop, { once: true });
      this.waiter = {
        end,
        until,
        get ended() {
          ended ??= new AbortController();
          return ended.signal;
        },
      };
      void this.begin();
    });
  }

  #error(problem: string): StoreError {
    return new StoreError(this.host.name, `Store [${this.host.name}]: ${this.id} ${problem}`);
  }
}
