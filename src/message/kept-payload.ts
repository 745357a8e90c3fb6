import { serializeXml, type XmlElement } from '../xml/index.ts';
import type { BodyFormat } from './builder.ts';
import { MediationError } from './errors.ts';
import { withCharset } from './media-type.ts';
import { packEnvelope } from './packaging.ts';
import type { Payload } from './payload.ts';
import { DEFAULT_TYPES, type FormattedBody, plainText, soapFormat } from './written-body.ts';

/**
 * A payload by itself, for those who keep it (stores): untouched bytes as they are, else its own content written once, envelopes as
 * SOAP, without looking at properties of the message.
 * @throws MediationError
 */
export function formatPayload(payload: Payload): FormattedBody & { readonly format: BodyFormat | 'none' } {
  const bytes = payload.originalBytes();
  const { contentType, contentEncoding } = payload;
  if (bytes) return { bytes, contentType, contentEncoding, format: payload.format ?? 'binary' };
  return { ...changedPayload(payload), contentEncoding: undefined };
}

function changedPayload(payload: Payload): Omit<FormattedBody, 'contentEncoding'> & { format: BodyFormat | 'none' } {
  const { kind, contentType } = payload;
  const binary = kind === 'binary' ? payload.binary() : undefined;
  if (binary) return { bytes: binary, contentType, format: 'binary' };
  if (kind === 'json') return keptText(payload.jsonText(), contentType ?? DEFAULT_TYPES.json, 'json');
  if (kind === 'text') return keptText(plainText(payload), contentType ?? DEFAULT_TYPES.text, 'text');
  if (kind === 'empty') return { bytes: undefined, contentType, format: 'none' };
  return keptXml(payload);
}

function keptText(text: string, contentType: string, format: BodyFormat) {
  return { bytes: Buffer.from(text, 'utf8'), contentType: withCharset(contentType, 'UTF-8'), format };
}

/** A plain document stays one as long as it is all there is; everything else is kept as the whole envelope. */
function keptXml(payload: Payload) {
  const envelope = payload.envelope();
  const child = payload.firstBodyChild();
  const { contentType } = payload;
  const alone = child !== undefined && payload.format === 'xml' && contentType !== undefined && isAlone(payload, child);
  try {
    if (alone) return keptText(serializeXml(child), contentType, 'xml');
    const format = soapFormat(payload.soapVersion);
    const written = keptText(serializeXml(envelope), DEFAULT_TYPES[format], format);
    const packed = packEnvelope(payload, envelope, undefined, () => written);
    return packed === written ? written : { ...packed, format: 'related' as const };
  } catch (cause) {
    throw new MediationError(`Error while writing message. ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

function isAlone(payload: Payload, child: XmlElement): boolean {
  const header = payload.header();
  if (header && (header.firstChild || header.attributes.length > 0)) return false;
  const body = payload.body();
  return body.firstChild === child && body.lastChild === child && payload.soapVersion === '1.1';
}
