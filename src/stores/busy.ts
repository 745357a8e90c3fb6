import { StoreError } from './message-store.ts';

/** An error that says whether it is one of {@link isBusy}. */
export interface MayBeBusy {
  readonly busy: boolean;
}

/**
 * Whether a store did not take a message, or not in time, because too many others were on their way to its medium (OP-100): the same
 * message may be taken a moment later.
 */
export function isBusy(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if ((cause as Partial<MayBeBusy>).busy === true) return true;
  return false;
}

/** A store holds as much as it may (OP-100); `busy`: there may be room for the message when others are gone. */
export class StoreFullError extends StoreError implements MayBeBusy {
  readonly busy: boolean;

  constructor(store: string, message: string, { busy }: MayBeBusy) {
    super(store, message);
    this.busy = busy;
  }
}
