import type { Delivery } from '../stores/message-store.ts';

/** How often a store is asked whether it has taken a message back, ms. */
const LOOK_MS = 1000;

/** The wait of a worker with a message in hand. */
export interface Hold {
  /** Aborted when there is nothing to wait for any more: it was halted, or the message was taken back. */
  readonly signal: AbortSignal;
  /** To be called when the wait is over. */
  end(): void;
}

/** Holds a message until `halt` is aborted, or its store takes it back: whatever is tried with it then, it comes again. */
export function hold(delivery: Delivery, halt: AbortSignal): Hold {
  const over = new AbortController();
  const stop = () => over.abort();
  const look = () => {
    if (wasTakenBack(delivery)) stop();
  };
  const timer = setInterval(look, LOOK_MS);
  halt.addEventListener('abort', stop);
  if (halt.aborted) stop();
  else look();
  return {
    signal: over.signal,
    end: () => {
      clearInterval(timer);
      halt.removeEventListener('abort', stop);
    },
  };
}

/** Whether a message that we have not settled is in its store's hands again, as the connection or the lease was lost. */
export function wasTakenBack(delivery: Delivery): boolean {
  return delivery.settled === true;
}
