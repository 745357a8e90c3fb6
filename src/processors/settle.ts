import { POINTS, reach } from '../fault-points.ts';
import type { Logger } from '../logging/index.ts';
import type { LogDetails } from '../logging/logger.ts';
import { pause } from '../scheduling/index.ts';
import { type Delivery, StoreError } from '../stores/message-store.ts';
import type { DeliveryClaim } from './delivery-ledger.ts';

/** Waits between tries to settle, ms. A connection that is gone for longer has lost the delivery anyway. */
const SETTLE_AGAIN_MS: readonly number[] = [100, 500];

/**
 * Removes a message from its store, as the last step of its processing. When the store cannot confirm it, that is tried again a few
 * times; then the message is let go, and the ledger remembers that it only needs settling when it comes again (REQ-32). Never
 * throws.
 */
export async function settle(
  delivery: Delivery,
  claim: DeliveryClaim,
  context: {
    readonly log: Logger;
    readonly processor: string;
    readonly id: string;
    readonly signal: AbortSignal;
    /** What log lines say of the message. */
    readonly about?: () => LogDetails;
  },
): Promise<void> {
  const { log, processor, id, signal, about } = context;
  for (let tries = 0; ; tries += 1) {
    try {
      reach(POINTS.settleBegun, processor, id);
      await delivery.done();
      reach(POINTS.settleConfirmed, processor, id);
      claim.settled();
      return;
    } catch (error) {
      claim.unsettled();
      const wait = SETTLE_AGAIN_MS[tries];
      const details = {
        processor,
        messageId: id,
        ...about?.(),
        cause: error instanceof Error ? error.message : String(error),
      };
      if (wait === undefined || !(error instanceof StoreError) || signal.aborted) {
        log.warn(
          `[${processor}] Message ${id} is delivered, but its store did not confirm its removal; it will not be sent again`,
          details,
        );
        break;
      }
      log.debug(`[${processor}] Message ${id} is delivered, its acknowledgement is pending`, details);
      await pause(wait, signal);
    }
  }
  await letGo(delivery, log, processor);
}

/** Gives a message back to its store. Never throws. */
export async function letGo(delivery: Delivery, log: Logger, processor: string): Promise<void> {
  try {
    await delivery.release();
  } catch (error) {
    log.debug(`[${processor}] A message could not be released, its store has it already: ${String(error)}`);
  }
}
