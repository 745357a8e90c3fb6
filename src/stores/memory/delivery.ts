import { POINTS, reach } from '../../fault-points.ts';
import type { QueueEntry } from '../message-queue.ts';
import type { Delivery, MessageStore, PoisonMessage } from '../message-store.ts';
import { readStoredMessageBytes } from '../sql/stored-message-bytes.ts';
import type { StoredMessage } from '../stored-message.ts';
import type { Holding } from './holding.ts';

/**
 *     open ──done(), moveTo()──▶ settling ──removed──▶ settled          open ──release()──▶ settled
 *                                    └──not stored, not removed──▶ open
 *     open ──consumer closed──▶ abandoned: the message is available again, settling fails
 */
export class InMemoryDelivery implements Delivery {
  readonly message: StoredMessage | undefined;
  readonly poison: PoisonMessage | undefined;
  readonly redelivered: boolean;
  readonly #entry: QueueEntry;
  readonly #holding: Holding;
  #state: 'open' | 'settling' | 'settled' | 'abandoned' = 'open';
  #settling: Promise<void> | undefined;
  /** The store that has it already, though it could not be removed here. */
  #copiedTo: string | undefined;

  /** `message`: when it is at hand; else it is unpacked. */
  constructor(entry: QueueEntry, message: StoredMessage | undefined, holding: Holding) {
    this.message = message ?? holding.messageOf(entry);
    this.poison = this.message ? undefined : poisonOf(entry);
    this.redelivered = entry.returns > 0;
    this.#entry = entry;
    this.#holding = holding;
  }

  get settled(): boolean {
    return this.#state === 'settled' || this.#state === 'abandoned';
  }

  done(): Promise<void> {
    return this.#settle(() => this.#holding.remove(this.#entry));
  }

  async release(): Promise<void> {
    // "Never throws": a delivery whose consumer was closed is released already.
    if (this.#state === 'abandoned') return;
    this.#requireOpen();
    this.#state = 'settled';
    this.#holding.queue.putBack(this.#entry);
  }

  moveTo(store: MessageStore, message: StoredMessage): Promise<void> {
    return this.#settle(async () => {
      if (this.#copiedTo !== store.name) await store.put(message);
      this.#copiedTo = store.name;
      reach(POINTS.moveCopied, store.name, message);
      await this.#holding.remove(this.#entry);
    });
  }

  /** The consumer closes: waits for a settling that has begun, and gives back what is still unsettled. */
  async abandon(): Promise<void> {
    if (this.#state === 'settling') await this.#settling?.catch(() => undefined);
    if (this.#state !== 'open') return;
    this.#state = 'abandoned';
    this.#holding.queue.putBack(this.#entry);
  }

  async #settle(how: () => Promise<void>): Promise<void> {
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
    throw this.#holding.error(`gave message [${id}] back when its consumer was closed`);
  }
}

/** Out of a journal that another version wrote. */
function poisonOf({ packed, place }: QueueEntry): PoisonMessage {
  const { bytes } = packed;
  return { id: `journal-${place?.sequence ?? 0}`, reason: reasonOf(bytes), bytes, headers: [] };
}

function reasonOf(bytes: Buffer): string {
  try {
    readStoredMessageBytes(bytes);
    return 'it could not be read';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
