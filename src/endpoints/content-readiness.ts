import { MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';

/**
 * Asks for a readiness that depends on what is in the message. Where that cannot be told the endpoint counts as ready: its send then
 * says what is wrong. The payload stays what it is; reading it in vain would empty it.
 */
export function readyByContent(message: MessageContext, ask: () => number): number {
  const { payload } = message;
  // An envelope has been read already; everything else is cheap to copy.
  const kept = payload.kind === 'envelope' ? payload : payload.clone();
  try {
    return ask();
  } catch (error) {
    if (!(error instanceof MediationError)) throw error;
    message.payload = kept;
    return 0;
  }
}
