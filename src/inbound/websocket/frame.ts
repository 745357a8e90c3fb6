import { isUtf8 } from 'node:buffer';
import type { RawData } from 'ws';
import { formatResponse } from '../../message/formatter.ts';
import type { MessageContext } from '../../message/message-context.ts';

/** What one frame, or several that belong together, carries. */
export interface Frame {
  readonly bytes: Buffer;
  readonly binary: boolean;
}

export function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}

/** The media type of what a frame carries: of the artifact; undefined: what its first characters look like. */
export function contentTypeOfFrame({ binary }: Frame, named: string | undefined): string | undefined {
  return named ?? (binary ? 'application/octet-stream' : undefined);
}

/**
 * A message as a frame: text wherever it is text. Undefined for one without a body.
 * @throws MediationError when the payload cannot be written
 */
export function frameOf(message: MessageContext): Frame | undefined {
  const { payload, doingRest } = message;
  const { bytes } = formatResponse(message, doingRest ? 'rest' : payload.soapVersion === '1.2' ? 'soap12' : 'soap11');
  if (!bytes || bytes.length === 0) return undefined;
  const binary = payload.format === 'binary' || !isUtf8(bytes);
  return { bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), binary };
}
