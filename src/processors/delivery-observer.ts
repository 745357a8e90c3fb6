import type { MessageContext } from '../message/message-context.ts';
import type { StoredMessage } from '../stores/stored-message.ts';
import type { Outcome } from './outcome.ts';

declare module '../message/configuration.ts' {
  interface Services {
    /** Counts and follows delivery attempts; absent where nobody observes. */
    deliveries?: DeliveryObserver;
  }
}

/** What message processors tell about their attempts. Must not throw, and must be cheap. */
export interface DeliveryObserver {
  /** An attempt begins. @returns to be called with what came of it; undefined when it ended in an unexpected error */
  begins(attempt: ObservedAttempt): (outcome: Outcome | undefined) => void;
  /** The stored message of an attempt has been made a message again, which the attempt works on. */
  restored(stored: StoredMessage, message: MessageContext): void;
}

export interface ObservedAttempt {
  readonly processor: string;
  readonly store: string;
  readonly stored: StoredMessage;
  /** Counts from 1. */
  readonly number: number;
}
