import type { Configuration } from '../message/configuration.ts';
import type { Delivery } from '../stores/message-store.ts';
import type { StoredMessage } from '../stores/stored-message.ts';
import type { Outcome } from './outcome.ts';

/** What "deliver" means: all that makes one kind of processor different from another. Shared by all workers of a processor. */
export interface DeliveryMethod {
  /** The reference's short class name, the category of its log lines (spec stores 11). */
  readonly service: string;
  /**
   * When the message leaves its store: `after` its delivery (OP-01), or `before` it, which makes every failure the loss of a
   * message and is there for those who ask for it (spec stores 5.2).
   */
  readonly acknowledge: 'after' | 'before';
  readonly texts: DeliveryTexts;
  /**
   * One attempt.
   * @throws only what is unexpected: the processor then deactivates itself, the message stays
   */
  deliver(attempt: DeliveryAttempt): Promise<Outcome>;
  /** Why it could deliver nothing at all with this configuration; asked before an operator's activation (REQ-24, REQ-45). */
  obstacle(configuration: Configuration): string | undefined;
  /** What it waits for outside before it can deliver anything, such as a store that is down; undefined: nothing (OP-33). */
  waitsFor?(configuration: Configuration): Hindrance | undefined;
}

/** Something that goes away by itself. */
export interface Hindrance {
  readonly reason: string;
  /** Epoch ms; undefined when nobody knows. */
  readonly since: number | undefined;
  readonly lastError: string | undefined;
}

export interface DeliveryAttempt {
  readonly stored: StoredMessage;
  /** For methods that settle by themselves, see the outcome `settled`. */
  readonly delivery: Delivery;
  /** Counts from 1. */
  readonly number: number;
  /** The configuration of this attempt, from its beginning to its end. */
  readonly configuration: Configuration;
  /** Aborted when the server's stop deadline has passed. */
  readonly signal: AbortSignal;
}

/** The log lines in which the kinds differ (spec stores 11). */
export interface DeliveryTexts {
  /** ERROR after every failed attempt. */
  failed(endpoint: string | undefined): string;
  /** WARN. */
  dropped(attempts: number): string;
  /** INFO. */
  moved(attempts: number): string;
  /** ERROR, followed by the deactivation. */
  notMoved(attempts: number): string;
}
