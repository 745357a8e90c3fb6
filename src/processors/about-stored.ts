import type { Position } from '../grammar/diagnostic.ts';
import type { LogDetails } from '../logging/logger.ts';
import { artifactNamed } from '../mediation/about-message.ts';
import type { StoredMessage } from '../stores/stored-message.ts';

/** Whose hands a stored message is in. */
export interface InHands {
  readonly processor: string;
  /** Where the processor stands: what a line about a delivery is to show when no mediator is at work. */
  readonly position?: Position | undefined;
  readonly store?: string;
}

/** What every log line about a message in the hands of a processor says of it (OP-70): whence it came, its id, and who has it. */
export function aboutStored(
  { processor, position, store }: InHands,
  stored: StoredMessage | undefined,
  id: string,
): LogDetails {
  const name = stored?.properties.get('ARTIFACT_NAME');
  return {
    ...placeOf(position),
    processor,
    ...(store !== undefined && { store }),
    ...artifactNamed(typeof name === 'string' ? name : undefined),
    messageId: id,
  };
}

/** The file and the line for a log line. */
export function placeOf(position: Position | undefined): { readonly file?: string; readonly line?: number } {
  return position ? { file: position.file, line: position.line } : {};
}
