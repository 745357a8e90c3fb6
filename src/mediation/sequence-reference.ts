import { MediationError } from '../message/errors.ts';
import type { MessageContext } from '../message/message-context.ts';
import { type Sequence, sequenceFaultHandler } from './sequence.ts';

/** A sequence of a proxy or an API's resource: by key, looked up per message, or inline. */
export type SequenceReference =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'inline'; readonly sequence: Sequence };

/**
 * The sequence that a reference means for this message; undefined without a reference.
 * @param missing the reference's words for a key that names nothing
 * @throws MediationError with them
 */
export function resolveSequence(
  message: MessageContext,
  reference: SequenceReference | undefined,
  missing: (key: string) => string,
): Sequence | undefined {
  if (reference === undefined) return undefined;
  if (reference.kind === 'inline') return reference.sequence;
  const sequence = message.configuration.find('sequence', reference.key);
  if (!sequence) throw new MediationError(missing(reference.key));
  return sequence;
}

/**
 * Pushes the own fault sequence of an entry point, or the configuration's `fault` where it has none or names one that is missing
 * (spec proxies 1.3 step 6, 6.5).
 * @param options.usesDefault false: `fault` is not for those that have none (spec proxies 12)
 */
export function pushFaultSequence(
  message: MessageContext,
  own: SequenceReference | undefined,
  description: string,
  { usesDefault = true }: { readonly usesDefault?: boolean } = {},
): void {
  const found = own?.kind === 'inline' ? own.sequence : own && message.configuration.find('sequence', own.key);
  const sequence = found ?? (own || usesDefault ? message.configuration.find('sequence', 'fault') : undefined);
  if (sequence) message.faultStack.push(sequenceFaultHandler(sequence, description));
}
