import type { Delivery, MessageStore, PoisonMessage, StoreError } from './message-store.ts';
import type { StoredMessage } from './stored-message.ts';

/** What a store has handed over, read. */
export interface HeldMessage {
  readonly message: StoredMessage | undefined;
  /** Given when there is no message. */
  readonly poison: PoisonMessage | undefined;
  readonly redelivered: boolean;
}

/**
 * A message in the hands of a consumer whose store holds it for him without a connection of his own:
 *
 *     open ──done(), moveTo()──▶ settling ──confirmed──▶ settled        open ──release()──▶ settled
 *       ▲                           │
 *       └──────── not confirmed ────┘
 *     open ──consumer closed──▶ abandoned: the message is available again, settling fails
 */
export abstract class HeldDelivery implements Delivery {
  readonly message: StoredMessage | undefined;
  readonly poison: PoisonMessage | undefined;
  readonly redelivered: boolean;
  #state: 'open' | 'settling' | 'settled' | 'abandoned' = 'open';
  #settling: Promise<void> | undefined;

  constructor({ message, poison, redelivered }: HeldMessage) {
    this.message = message;
    this.poison = poison;
    this.redelivered = redelivered;
  }

  get settled(): boolean {
    return this.#state === 'settled' || this.#state === 'abandoned';
  }

  abstract done(): Promise<void>;
  abstract moveTo(store: MessageStore, message: StoredMessage): Promise<void>;

  async release(): Promise<void> {
    // "Never throws": a delivery whose consumer was closed is released already.
    if (this.#state === 'abandoned') return;
    this.#requireOpen();
    this.#state = 'settled';
    await this.giveBack();
  }

  /** The consumer closes: waits for a settling that has begun, and gives back what is still unsettled. */
  async abandon(): Promise<void> {
    if (this.#state === 'settling') await this.#settling?.catch(() => undefined);
    if (this.#state !== 'open') return;
    this.#state = 'abandoned';
    await this.giveBack();
  }

  /** Makes the message available again. Never throws. */
  protected abstract giveBack(): Promise<void> | void;
  /** A failure in the store's name. */
  protected abstract error(reason: string): StoreError;

  /** Settles it with what `how` does; open again when that fails. */
  protected async settleBy(how: () => Promise<void>): Promise<void> {
    this.#requireOpen();
    this.#state = 'settling';
    this.#settling = how().then(
      () => {
        this.#state = 'settled';
      },
      (error: unknown) => {
        this.#state = 'open';
        throw error;
      },
    );
    await this.#settling;
  }

  #requireOpen(): void {
    if (this.#state === 'open') return;
    const id = this.message?.id ?? this.poison?.id;
    if (this.#state !== 'abandoned') throw new Error(`the delivery of message [${id}] was settled already`);
    throw this.error(`gave message [${id}] back when its consumer was closed`);
  }
}
