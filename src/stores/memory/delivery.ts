import { POINTS, reach } from '../../fault-points.ts';
import { HeldDelivery } from '../held-delivery.ts';
import type { QueueEntry } from '../message-queue.ts';
import type { MessageStore, PoisonMessage, StoreError } from '../message-store.ts';
import { readStoredMessageBytes } from '../sql/stored-message-bytes.ts';
import type { StoredMessage } from '../stored-message.ts';
import type { Holding } from './holding.ts';

/** A message of the memory in a consumer's hands. */
export class InMemoryDelivery extends HeldDelivery {
  readonly #entry: QueueEntry;
  readonly #holding: Holding;
  /** The store that has it already, though it could not be removed here. */
  #copiedTo: string | undefined;

  /** `message`: when it is at hand; else it is unpacked. */
  constructor(entry: QueueEntry, message: StoredMessage | undefined, holding: Holding) {
    const known = message ?? holding.messageOf(entry);
    super({ message: known, poison: known ? undefined : poisonOf(entry), redelivered: entry.returns > 0 });
    this.#entry = entry;
    this.#holding = holding;
  }

  override done(): Promise<void> {
    return this.settleBy(() => this.#holding.remove(this.#entry));
  }

  override moveTo(store: MessageStore, message: StoredMessage): Promise<void> {
    return this.settleBy(async () => {
      if (this.#copiedTo !== store.name) await store.put(message);
      this.#copiedTo = store.name;
      reach(POINTS.moveCopied, store.name, message);
      await this.#holding.remove(this.#entry);
    });
  }

  protected override giveBack(): void {
    this.#holding.queue.putBack(this.#entry);
  }

  protected override error(reason: string): StoreError {
    return this.#holding.error(reason);
  }
}

/**
 * Puts a leased entry into a consumer's hands.
 * @throws StoreError when it cannot be read for want of memory; it is available again then
 */
export function deliver(entry: QueueEntry, message: StoredMessage | undefined, holding: Holding): InMemoryDelivery {
  try {
    return new InMemoryDelivery(entry, message, holding);
  } catch (cause) {
    holding.queue.putBack(entry);
    throw holding.error(`could not read a message: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

/** The id of bytes that are no message. */
export function poisonIdOf({ place }: QueueEntry): string {
  return `journal-${place?.sequence ?? 0}`;
}

/** Out of a journal that another version wrote. */
export function poisonOf(entry: QueueEntry): PoisonMessage {
  const { bytes } = entry.packed;
  return { id: poisonIdOf(entry), reason: reasonOf(bytes), bytes, headers: [] };
}

function reasonOf(bytes: Buffer): string {
  try {
    readStoredMessageBytes(bytes);
    return 'it could not be read';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
