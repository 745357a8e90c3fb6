import { POINTS, reach } from '../../fault-points.ts';
import { type Delivery, type MessageStore, type PoisonMessage, StoreError } from '../message-store.ts';
import type { StoredMessage } from '../stored-message.ts';
import { within } from './deadline.ts';
import { RefusedError } from './put-window.ts';
import type { PutMark } from './repeated-puts.ts';

/** What a delivery knows of its store. */
export interface DeliveryHost {
  readonly name: string;
  /** For acknowledgements and moves, ms. */
  readonly deadlineMs: number;
  noteSettled(): void;
}

/** What a broker has handed over, read. */
export interface ReceivedMessage {
  readonly message: StoredMessage | undefined;
  /** Given when there is no message. */
  readonly poison: PoisonMessage | undefined;
  readonly redelivered: boolean;
  /** Undefined when the message does not tell. */
  readonly put: PutMark | undefined;
}

/**
 * A message of a broker in a consumer's hands:
 *
 *     OPEN ──done()──► ACKNOWLEDGING ──confirmed──► SETTLED         OPEN ──release()──► SETTLED
 *       ▲                 │
 *       │                 └──refused, no answer in time──► OPEN
 *     OPEN ──moveTo()──► MOVING ──stored there, removed here──► SETTLED
 *                           └──not stored, or not known to be removed──► OPEN
 *     any ──what it came through has ended, consumer closed──► LOST: the broker has it again, settling it fails
 */
export abstract class BrokerDelivery implements Delivery {
  readonly message: StoredMessage | undefined;
  readonly poison: PoisonMessage | undefined;
  readonly redelivered: boolean;
  readonly put: PutMark | undefined;
  readonly #host: DeliveryHost;
  #state: 'open' | 'acknowledging' | 'moving' | 'settled' | 'lost' = 'open';
  #lostBecause = '';
  /** An acknowledgement whose answer is still to come is waited for again, not sent again. */
  #acknowledgement: Promise<void> | undefined;
  #underWay: Promise<void> | undefined;
  /** The store that has it already, though it is not known to be removed here. */
  #copiedTo: string | undefined;
  #ended: (removed: boolean) => void = () => undefined;

  constructor({ message, poison, redelivered, put }: ReceivedMessage, host: DeliveryHost) {
    this.message = message;
    this.poison = poison;
    this.redelivered = redelivered;
    this.put = put;
    this.#host = host;
  }

  get settled(): boolean {
    return this.#state === 'settled' || this.#state === 'lost';
  }

  async done(): Promise<void> {
    this.#requireOpen();
    await this.#settling('acknowledging', async () => {
      await this.acknowledge().catch((error: unknown) => {
        throw this.error('was not confirmed to be removed', error);
      });
    });
  }

  async release(): Promise<void> {
    // "Never throws": what is lost is released already.
    if (this.#state === 'lost') return;
    this.#requireOpen();
    this.#end('settled');
    await this.giveBack();
  }

  async moveTo(store: MessageStore, message: StoredMessage): Promise<void> {
    this.#requireOpen();
    await this.#settling('moving', async () => {
      try {
        await this.move(store, message);
      } catch (error) {
        throw error instanceof StoreError ? error : this.error(`could not be moved to store [${store.name}]`, error);
      }
    });
  }

  /** The broker has it again. */
  lose(because: string): void {
    if (this.settled) return;
    this.#lostBecause = because;
    this.#end('lost');
  }

  /** Hears whether it was removed when it is not in hand any more; and once more when that turns out later. */
  onceEnded(listener: (removed: boolean) => void): void {
    this.#ended = listener;
  }

  /** Ends when nothing is under way; never rejects. */
  async quiet(): Promise<void> {
    await this.#underWay?.catch(() => undefined);
  }

  /** Whether nobody is settling it. */
  protected get open(): boolean {
    return this.#state === 'open';
  }

  /** Whether what it came through has ended. */
  protected abstract get carrierLost(): boolean;
  /** Tells the broker to remove it; resolves when that is confirmed. @throws RefusedError when it can be asked again */
  protected abstract sendAcknowledgement(): Promise<void>;
  /** Lets the broker have it back. Never rejects. */
  protected abstract giveBack(): Promise<void>;

  /** It is not in hand any more. */
  protected onEnd(): void {}

  /** It was removed; what it came through is free for the next one. */
  protected onRemoved(): void {}

  /** Stores it there and removes it here. @throws when one of both did not happen, or is not known to have */
  protected async move(store: MessageStore, message: StoredMessage): Promise<void> {
    if (this.#copiedTo !== store.name) await store.put(message);
    this.#copiedTo = store.name;
    reach(POINTS.moveCopied, this.#host.name, message);
    await this.acknowledge().catch((error: unknown) => {
      throw this.error(`was stored in store [${store.name}], but not confirmed to be removed here`, error);
    });
  }

  protected error(problem: string, cause: unknown): StoreError {
    const reason = cause instanceof Error ? `: ${cause.message}` : '';
    const { name } = this.#host;
    return new StoreError(name, `Store [${name}]: message ${this.shownId} ${problem}${reason}`, { cause });
  }

  protected get shownId(): string {
    return `[${this.message?.id ?? this.poison?.id}]`;
  }

  /** @throws an error when it is not confirmed in time, or refused */
  protected async acknowledge(): Promise<void> {
    this.#acknowledgement ??= this.sendAcknowledgement();
    try {
      await within(this.#acknowledgement, this.#host.deadlineMs, 'the acknowledgement to be confirmed');
    } catch (error) {
      if (error instanceof RefusedError) this.#acknowledgement = undefined;
      throw error;
    }
  }

  async #settling(state: 'acknowledging' | 'moving', work: () => Promise<void>): Promise<void> {
    this.#state = state;
    const underWay = work();
    this.#underWay = underWay;
    try {
      await underWay;
    } catch (error) {
      this.#reopen();
      throw error;
    } finally {
      this.#underWay = undefined;
    }
    this.#host.noteSettled();
    if (this.settled) this.#state = 'settled';
    else this.#end('settled', true);
    this.#ended(true);
    this.onRemoved();
  }

  #end(state: 'settled' | 'lost', removed = false): void {
    this.#state = state;
    this.onEnd();
    if (!removed) this.#ended(false);
  }

  #reopen(): void {
    if (this.#state === 'lost') return;
    this.#state = 'open';
    if (this.carrierLost) this.lose('the connection that delivered it has ended');
  }

  #requireOpen(): void {
    if (this.#state === 'open') return;
    if (this.#state !== 'lost') throw new Error(`the delivery of ${this.shownId} is settled already`);
    throw this.error(`is the broker’s again: ${this.#lostBecause}`, undefined);
  }
}
