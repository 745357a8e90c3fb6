import type { StoredMessage } from '../stored-message.ts';

/** What a message that is to be inserted once goes by in its table's register of ids. */
export interface TableClaim {
  readonly key: string;
  readonly windowMs: number;
  /** After the transaction: the id of the message that has the key already; undefined when this one has got it. */
  first: string | undefined;
}

/** Beside the messages rather than in them: a claim is about one put, and no store but one with a register needs to know. */
const claims = new WeakMap<StoredMessage, TableClaim>();

/** Makes the next put of a message one that is not repeated. */
export function claim(message: StoredMessage, key: string, windowMs: number): TableClaim {
  const made: TableClaim = { key, windowMs, first: undefined };
  claims.set(message, made);
  return made;
}

/** After that put the message is like any other: put again, it is stored. */
export function forgetClaim(message: StoredMessage): void {
  claims.delete(message);
}

/** Undefined for messages that are put whatever was put before, as nearly all are. */
export function claimOf(message: StoredMessage): TableClaim | undefined {
  return claims.get(message);
}

/** Whether a put of the message has resolved and it is not stored, for one with the same id is. */
export function isRepetition(message: StoredMessage): boolean {
  return claims.get(message)?.first !== undefined;
}
