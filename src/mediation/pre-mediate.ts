import type { MessageContext } from '../message/message-context.ts';

/** A sequence named `pre-mediate` sees every message first; where it stops, the message is dropped (spec proxies 1.3, 4.8). */
export function passesPreMediate(message: MessageContext): boolean | Promise<boolean> {
  return message.configuration.find('sequence', 'pre-mediate')?.mediate(message) ?? true;
}
