import { MediationError } from '../../message/errors.ts';
import type { MessageContext } from '../../message/message-context.ts';

declare module '../../message/configuration.ts' {
  interface Services {
    /** Parts that iterate, clone and foreach make of one message (OP-91); 1,000,000 if absent. */
    maxParts?: number;
  }
}

const MAX_PARTS = 1_000_000;

/**
 * Refuses to split a message before the first part is made. A part costs 5 to 15 microseconds, so that a million keep one processor busy
 * for up to a quarter of a minute: more than that is work for a file, not for a message that somebody waits for.
 * @throws MediationError
 */
export function admitParts({ configuration }: MessageContext, count: number, mediator: string): void {
  const most = configuration.services.maxParts ?? MAX_PARTS;
  if (count <= most) return;
  throw new MediationError(`${mediator}: the message has ${count} parts, more than the ${most} that are allowed`, {
    detail: '[mini_synapse] max_parts',
  });
}
