import { type BodyFormat, isPayloadWrapper } from './builder.ts';
import type { Payload } from './payload.ts';
import type { SoapVersion } from './soap.ts';
import type { StreamedBody } from './streamed-body.ts';

/** A payload as it goes over the wire. Where there is no entity, there are no bytes. */
export interface FormattedBody {
  readonly bytes: Uint8Array | undefined;
  /** Instead of bytes: a body that goes over the wire as it comes, unread. */
  readonly stream?: StreamedBody | undefined;
  /** The Content-Type header; none when undefined. */
  readonly contentType: string | undefined;
  /**
   * The Content-Encoding of the bytes: only untouched bodies keep theirs. Writers must send exactly this one, whatever the message's
   * headers say.
   */
  readonly contentEncoding: string | undefined;
}

/** Formats that a body is written in. */
export type WireFormat = Exclude<BodyFormat, 'other' | 'related'>;

/** What a format is called in a Content-Type where nobody says. */
export const DEFAULT_TYPES: Readonly<Record<WireFormat, string>> = {
  soap11: 'text/xml',
  soap12: 'application/soap+xml',
  xml: 'application/xml',
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  'form-data': 'multipart/form-data',
  text: 'text/plain',
  binary: 'application/octet-stream',
};

/** The format of envelopes of a version. */
export function soapFormat(version: SoapVersion): 'soap11' | 'soap12' {
  return version === '1.2' ? 'soap12' : 'soap11';
}

/** Text payloads and `text` wrappers; anything else writes nothing. */
export function plainText(payload: Payload): string {
  const text = payload.text();
  if (text !== undefined) return text;
  const child = payload.firstBodyChild();
  return isPayloadWrapper(child, 'text') ? (child.textContent ?? '') : '';
}
