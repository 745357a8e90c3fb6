import { isUtf8 } from 'node:buffer';
import { mediaTypeOf } from '../../message/media-type.ts';
import type { StoredBody } from '../stored-message.ts';
import { StoredMessageError } from '../stored-message-codec.ts';

/*
 * What other applications put on a queue, as far as it does not depend on the broker's protocol: it is delivered, not discarded as
 * the reference does (spec stores 2.3, 2.5).
 */

const SOAP11 = 'http://schemas.xmlsoap.org/soap/envelope/';
const SOAP12 = 'http://www.w3.org/2003/05/soap-envelope';
/** How far into a body its root element is looked for, bytes. */
const LOOKED_AT = 4096;
/** What to tell about them. */
export const JAVA_OBJECT = 'Queues written by the Java runtime hold serialized Java objects, which cannot be read here';

/** HTTP headers of a connection, and those of a body that a sender writes itself. */
const NOT_FORWARDED: ReadonlySet<string> = new Set(
  (
    'connection content-length content-type content_type contenttype expect host keep-alive proxy-authenticate proxy-authorization ' +
    'proxy-connection te trailer transfer-encoding upgrade'
  ).split(' '),
);
const HTTP_NAME = /^[!#$%&'*+.^_`|~\w-]+$/;
const HTTP_VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

const CONTENT_TYPES: Readonly<Record<StoredBody['kind'], string>> = {
  soap11: 'text/xml; charset=UTF-8',
  soap12: 'application/soap+xml; charset=UTF-8',
  xml: 'application/xml; charset=UTF-8',
  json: 'application/json; charset=UTF-8',
  text: 'text/plain; charset=UTF-8',
  binary: 'application/octet-stream',
  none: 'application/octet-stream',
};

/** @throws StoredMessageError for bytes that Java has serialized: they are no payload (REQ-07) */
export function refuseJavaObject(bytes: Uint8Array): void {
  if (bytes[0] === 0xac && bytes[1] === 0xed) {
    throw new StoredMessageError(`it is a serialized Java object. ${JAVA_OBJECT}`);
  }
}

/** Whether a property of a message can go on as an HTTP header. */
export function isForwardable(name: string, value: string): boolean {
  return HTTP_NAME.test(name) && HTTP_VALUE.test(value) && !NOT_FORWARDED.has(name.toLowerCase());
}

/** The media type that fits a body whose sender did not name one. */
export function usualContentType(kind: StoredBody['kind']): string {
  return CONTENT_TYPES[kind];
}

/** What a body is, by the media type that its sender named, else by its first characters. */
export function bodyKind(contentType: string | undefined, bytes: Buffer): StoredBody['kind'] {
  if (!isUtf8(bytes) || bytes.subarray(0, LOOKED_AT).includes(0)) return 'binary';
  const mediaType = mediaTypeOf(contentType);
  const seen = kindSeen(bytes);
  if (mediaType === '' || mediaType === 'application/octet-stream') return seen;
  if (/(^|[/+])xml$/.test(mediaType)) return seen === 'soap11' || seen === 'soap12' ? seen : 'xml';
  if (/(^|[/+])json$/.test(mediaType)) return 'json';
  return mediaType.startsWith('text/') || mediaType === 'application/x-www-form-urlencoded' ? 'text' : 'binary';
}

/** By its first characters. */
function kindSeen(bytes: Buffer): StoredBody['kind'] {
  const start = bytes.toString('utf8', 0, LOOKED_AT).replace(/^\ufeff?\s*/, '');
  if (start.startsWith('<')) return xmlKind(start);
  return start.startsWith('{') || start.startsWith('[') ? 'json' : 'text';
}

/** By the root element: an Envelope is SOAP when its tag declares the namespace that its prefix stands for. */
function xmlKind(start: string): StoredBody['kind'] {
  const root = start.replace(/^(?:\s|<\?[^>]*\?>|<!--[\s\S]*?-->)+/, '');
  const tag = /^<(?:([\w.-]+):)?Envelope(\s[^>]*)?\/?>/.exec(root);
  if (!tag) return 'xml';
  const declaration = tag[1] === undefined ? 'xmlns' : `xmlns:${tag[1]}`;
  const namespace = new RegExp(`\\s${declaration.replaceAll('.', '\\.')}\\s*=\\s*["']([^"']*)["']`).exec(
    tag[2] ?? '',
  )?.[1];
  if (namespace === SOAP11) return 'soap11';
  return namespace === SOAP12 ? 'soap12' : 'xml';
}
