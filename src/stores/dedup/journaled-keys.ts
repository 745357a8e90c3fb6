import { readStoredMessageBytes } from '../sql/stored-message-bytes.ts';
import type { StoredMessage } from '../stored-message.ts';
import type { RememberedIds } from './remembered-ids.ts';
import { keyIn } from './windowed-puts.ts';

/** What hears of the messages of a journal, so that their keys are remembered whatever becomes of the process. */
export interface JournalListener {
  /** The message is in the journal, and nobody has got it yet. Never rejects. */
  written(message: StoredMessage): Promise<void>;
  /** The journal had this message when it was opened; the bytes are only lent. Never throws. */
  found(bytes: Uint8Array): void;
}

/**
 * The key of a message is in the journal with the message, in one record, and is written down again before anybody can take the
 * message away. So there is no moment at which the message was stored and its key is not to be found.
 */
export class JournaledKeys implements JournalListener {
  readonly #ids: RememberedIds;

  constructor(ids: RememberedIds) {
    this.#ids = ids;
  }

  async written(message: StoredMessage): Promise<void> {
    const key = keyIn(message);
    if (key !== undefined) await this.#ids.remember(key, message.id);
  }

  found(bytes: Uint8Array): void {
    let message: StoredMessage;
    try {
      message = readStoredMessageBytes(bytes);
    } catch {
      // A poison message; whoever receives it says so.
      return;
    }
    const key = keyIn(message);
    if (key !== undefined) this.#ids.restore(key, message.id, message.storedAt);
  }
}
