import type { MessageContext } from '../../message/message-context.ts';
import { DeadlineError } from '../broker/deadline.ts';
import { type MessageStore, StoreError } from '../message-store.ts';
import type { StoredMessage } from '../stored-message.ts';
import { FirstOnes } from './first-ones.ts';
import type { DedupRules } from './parameters.ts';
import { dedupKey, type PutsOnce } from './puts-once.ts';
import { claim, forgetClaim } from './table-claim.ts';

export interface RegisteredPutsOptions {
  readonly store: Pick<MessageStore, 'name' | 'put'>;
  readonly rules: DedupRules;
  readonly deadlineMs: number;
  /** Recognised by the store that this one replaces. */
  readonly duplicates: number;
}

/** Puts of a store whose database keeps the ids beside the messages; see id-register.ts. */
export class RegisteredPuts implements PutsOnce {
  duplicates: number;
  readonly #options: RegisteredPutsOptions;
  /** Saves the database those of this process that come at the same time. */
  readonly #firstOnes = new FirstOnes();

  constructor(options: RegisteredPutsOptions) {
    this.#options = options;
    this.duplicates = options.duplicates;
  }

  keyOf(message: MessageContext): string | undefined {
    return dedupKey(this.#options.store.name, this.#options.rules, message);
  }

  async put(message: StoredMessage, key: string): Promise<string | undefined> {
    const { store, rules, deadlineMs } = this.#options;
    let first: string | undefined;
    try {
      first = await this.#firstOnes.put(key, message.id, deadlineMs, async () => {
        const made = claim(message, key, rules.windowMs);
        try {
          await store.put(message);
        } finally {
          // The same object may go on to a failover store, and come back from there as a message that moves.
          forgetClaim(message);
        }
        return made.first;
      });
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error;
      throw new StoreError(
        store.name,
        `Store [${store.name}] could not store message [${message.id}]: ${error.message}`,
        {
          cause: error,
        },
      );
    }
    if (first !== undefined) this.duplicates += 1;
    return first;
  }
}
