/** Messages with attachments: MTOM and SOAP with Attachments, both `multipart/related` (stockquote-samples 1.14, sample 51). */
import { parseMultipart } from '../../../src/message/multipart.ts';
import { parseMediaType } from './media-type.ts';
import type { SoapVersion } from './soap.ts';

/** Namespace of `xop:Include`, which stands where MTOM took binary content out. */
export const XOP = 'http://www.w3.org/2004/08/xop/include';

/** A file beside the envelope. */
export interface Attachment {
  /** Without angle brackets. */
  readonly id: string;
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** A message taken apart. */
export interface RelatedMessage {
  readonly version: SoapVersion;
  /** The envelope. */
  readonly root: Uint8Array;
  readonly charset: string | undefined;
  readonly attachments: ReadonlyMap<string, Attachment>;
}

/** The SOAP version that the Content-Type of a message with attachments promises; undefined when it is no such message. */
export function relatedVersion(contentType: string | undefined): SoapVersion | undefined {
  const { type, parameters } = parseMediaType(contentType);
  if (type !== 'multipart/related') return undefined;
  const root = parameters.get('type') === 'application/xop+xml' ? parameters.get('start-info') : parameters.get('type');
  return parseMediaType(root).type === 'application/soap+xml' ? 'soap12' : 'soap11';
}

/** Takes a message with attachments apart. @throws MultipartError */
export function openRelated(body: Uint8Array, contentType: string): RelatedMessage {
  const { parameters } = parseMediaType(contentType);
  const parts = parseMultipart(body, parameters.get('boundary')).map(({ headers, bytes }) => ({
    id: (headers.get('content-id') ?? '').replace(/^<|>$/g, ''),
    contentType: headers.get('content-type') ?? 'application/octet-stream',
    bytes,
  }));
  const start = parameters.get('start')?.replace(/^<|>$/g, '');
  const root = parts.find(({ id }) => start !== undefined && id === start) ?? parts[0];
  return {
    version: relatedVersion(contentType) ?? 'soap11',
    root: root?.bytes ?? new Uint8Array(),
    charset: parseMediaType(root?.contentType).parameters.get('charset'),
    attachments: new Map(parts.filter((part) => part !== root).map((part) => [part.id, part])),
  };
}

/** The Content-Type and the body of a message with attachments. @param mtom false: SOAP with Attachments */
export function writeRelated(
  version: SoapVersion,
  envelope: string | Uint8Array,
  attachments: readonly Attachment[],
  mtom: boolean,
): { readonly contentType: string; readonly body: Uint8Array } {
  const boundary = `MIMEBoundary_${crypto.randomUUID()}`;
  const start = `0.${crypto.randomUUID()}@apache.org`;
  const soap = version === 'soap11' ? 'text/xml' : 'application/soap+xml';
  const rootType = mtom ? `application/xop+xml; charset=UTF-8; type="${soap}"` : `${soap}; charset=UTF-8`;
  const chunks = [part(boundary, start, rootType, '8bit'), Buffer.from(envelope), Buffer.from('\r\n')];
  for (const { id, contentType, bytes } of attachments)
    chunks.push(part(boundary, id, contentType, 'binary'), Buffer.from(bytes), Buffer.from('\r\n'));
  chunks.push(Buffer.from(`--${boundary}--\r\n`));
  const type = mtom
    ? `type="application/xop+xml"; start="<${start}>"; start-info="${soap}"`
    : `type="${soap}"; start="<${start}>"`;
  return { contentType: `multipart/related; boundary="${boundary}"; ${type}`, body: Buffer.concat(chunks) };
}

function part(boundary: string, id: string, contentType: string, encoding: string): Buffer {
  return Buffer.from(
    `--${boundary}\r\nContent-Type: ${contentType}\r\nContent-Transfer-Encoding: ${encoding}\r\nContent-ID: <${id}>\r\n\r\n`,
  );
}

/** The element that stands for an attachment in MTOM. */
export function include(id: string): string {
  return `<xop:Include xmlns:xop="${XOP}" href="cid:${id}"/>`;
}
