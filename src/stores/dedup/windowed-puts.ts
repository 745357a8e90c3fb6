import type { MessageContext } from '../../message/message-context.ts';
import { type MessageStore, StoreError } from '../message-store.ts';
import type { StoredMessage } from '../stored-message.ts';
import type { DedupRules } from './parameters.ts';
import { dedupKey, type PutsOnce } from './puts-once.ts';
import type { RememberedIds } from './remembered-ids.ts';

/** Under this property a message in a journal has its id and the key that it was stored with: a copy of it has another id. */
const KEY_PROPERTY = 'x.dedup.key';

export interface WindowedPutsOptions {
  readonly store: Pick<MessageStore, 'name' | 'put'>;
  readonly rules: DedupRules;
  readonly ids: RememberedIds;
  readonly deadlineMs: number;
  /** The store itself remembers the key of what it has, as it stands in the message, before anybody gets it. */
  readonly storeRemembers?: {
    /** Resolves when it has read what it had. */
    ready(): Promise<void>;
  };
}

/**
 * Puts of a store whose medium has no place for ids: they are remembered beside it. First the medium confirms the message, then the
 * id is written down, then the client is answered; so an id never stands for a message that is not stored. Whoever is killed between
 * the two may get a repetition stored, unless the store remembers the key with the message.
 */
export class WindowedPuts implements PutsOnce {
  readonly #options: WindowedPutsOptions;

  constructor(options: WindowedPutsOptions) {
    this.#options = options;
  }

  get duplicates(): number {
    return this.#options.ids.duplicates;
  }

  keyOf(message: MessageContext): string | undefined {
    return dedupKey(this.#options.store.name, this.#options.rules, message);
  }

  async put(message: StoredMessage, key: string): Promise<string | undefined> {
    const { store, ids, deadlineMs, storeRemembers } = this.#options;
    let first: string | undefined;
    try {
      await ids.ready();
      await storeRemembers?.ready();
      first = await ids.firstOnes.put(key, message.id, deadlineMs, () => this.#try(message, key));
    } catch (error) {
      if (error instanceof StoreError) throw error;
      throw new StoreError(
        store.name,
        `Store [${store.name}] could not store message [${message.id}]: ${(error as Error).message}`,
        {
          cause: error,
        },
      );
    }
    if (first !== undefined) ids.duplicates += 1;
    return first;
  }

  async #try(message: StoredMessage, key: string): Promise<string | undefined> {
    const { store, ids, storeRemembers } = this.#options;
    const first = ids.find(key);
    if (first !== undefined) return first;
    if (storeRemembers) {
      await store.put(withKey(message, key));
    } else {
      await store.put(message);
      await ids.remember(key, message.id);
    }
    return undefined;
  }
}

function withKey(message: StoredMessage, key: string): StoredMessage {
  return { ...message, properties: new Map(message.properties).set(KEY_PROPERTY, `${message.id} ${key}`) };
}

/** The key that a message was stored with by {@link WindowedPuts}. */
export function keyIn({ id, properties }: StoredMessage): string | undefined {
  const written = properties.get(KEY_PROPERTY);
  return typeof written === 'string' && written.startsWith(`${id} `) ? written.slice(id.length + 1) : undefined;
}
