import { hash } from 'node:crypto';
import type { MessageContext } from '../../message/message-context.ts';
import type { StoredMessage } from '../stored-message.ts';
import type { DedupRules } from './parameters.ts';

/**
 * How a store keeps one of several messages with the same client-supplied id (OP-07). Only the store mediator puts in this way: what
 * moves between stores, or is sent again by an operator, is a message that somebody was promised, and is never dropped.
 */
export interface PutsOnce {
  /** Repetitions that were recognised by this process. */
  readonly duplicates: number;
  /**
   * What stands for the id of a message; undefined when it has none.
   * @throws MediationError when the expression fails
   */
  keyOf(message: MessageContext): string | undefined;
  /**
   * Stores the message, unless one with this key is stored within the window; waits for one that is being stored.
   * @returns the id of the message that was stored before; undefined when this one was stored
   * @throws StoreError as the put of the store
   */
  put(message: StoredMessage, key: string): Promise<string | undefined>;
}

/**
 * Ids may be long, hold anything, and tell who somebody is: what is remembered of one is its hash, and the store's name in it, as
 * several stores may remember at one place. Undefined for a message without an id.
 */
export function dedupKey(store: string, { id }: DedupRules, message: MessageContext): string | undefined {
  const value = id.stringValue(message)?.trim();
  return value ? hash('sha256', `${store}\0${value}`, 'hex') : undefined;
}
