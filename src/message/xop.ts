import { randomUUID } from 'node:crypto';
import { createElement, elementChildren, maxTextLength, TooLargeError, textOf, type XmlElement } from '../xml/index.ts';
import { binaryTypeOf, markBinary } from './binary-element.ts';
import { MediationError } from './errors.ts';
import type { Part } from './multipart.ts';
import { documentOf } from './soap.ts';

/** Of `xop:Include`, which stands where MTOM took bytes out. */
const XOP_NAMESPACE = 'http://www.w3.org/2004/08/xop/include';

/** True when bytes of the element are beside it, or could be put there. */
export function holdsBinary(element: XmlElement): boolean {
  return isInclude(element) || binaryTypeOf(element) !== undefined || elementChildren(element).some(holdsBinary);
}

/** True when bytes of the element are beside it. */
export function holdsIncludes(element: XmlElement): boolean {
  return isInclude(element) || elementChildren(element).some(holdsIncludes);
}

/**
 * Puts what is known to be bytes beside the envelope, which is changed (XOP 1.0, section 3.1).
 * @returns the parts, to be sent with it
 */
export function takeOut(envelope: XmlElement): Part[] {
  const parts: Part[] = [];
  visit(envelope, (element) => {
    const type = binaryTypeOf(element);
    if (type === undefined || elementChildren(element).length > 0) return;
    const id = `1.${randomUUID()}@mini-synapse`;
    const headers = new Map([
      ['content-type', type],
      ['content-transfer-encoding', 'binary'],
      ['content-id', `<${id}>`],
    ]);
    parts.push({ headers, bytes: Buffer.from(textOf(element), 'base64') });
    element.textContent = '';
    const include = createElement(documentOf(element), XOP_NAMESPACE, 'xop:Include');
    include.setAttribute('href', `cid:${id}`);
    element.appendChild(include);
  });
  return parts;
}

/**
 * Puts the bytes that stand beside an element into it, as Base64; the element is changed.
 * @returns the parts that nothing referred to
 * @throws MediationError when a part is missing, or the texts become too long together: many elements may refer to one part
 */
export function putIn(element: XmlElement, parts: readonly Part[]): Part[] {
  const named = partsByName(parts);
  const texts = new Map<Part, string>();
  const longest = maxTextLength();
  let length = 0;
  visit(element, (include) => {
    if (!isInclude(include)) return;
    const href = include.getAttribute('href') ?? '';
    const part = named.get(decoded(href.replace(/^cid:/i, '')));
    if (!part) throw new MediationError(`The message refers to ${href}, which is not among its attachments`);
    const text = texts.get(part) ?? base64Of(part);
    texts.set(part, text);
    length += text.length;
    if (length > longest) throw tooLong(longest);
    const parent = include.parentNode;
    parent?.replaceChild(documentOf(include).createTextNode(text), include);
    if (parent && parent.childNodes.length === 1) markBinary(parent as XmlElement);
  });
  return parts.filter((part) => !texts.has(part));
}

function base64Of({ bytes }: Part): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function tooLong(longest: number): MediationError {
  const cause = new TooLargeError(`its attachments make texts of more than ${longest} characters`);
  return new MediationError(`The message is too large: ${cause.message}`, { cause });
}

/** What `cid:` URLs of RFC 2392 name: the Content-ID without its angle brackets; the first one wins. */
function partsByName(parts: readonly Part[]): ReadonlyMap<string, Part> {
  const named = new Map<string, Part>();
  for (const part of parts) {
    const id = part.headers.get('content-id')?.replace(/^<|>$/g, '');
    if (id !== undefined && !named.has(id)) named.set(id, part);
  }
  return named;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // No percent-encoding: the id itself.
    return text;
  }
}

function isInclude({ localName, namespaceURI }: XmlElement): boolean {
  return localName === 'Include' && namespaceURI === XOP_NAMESPACE;
}

/** Children first, so that what is visited may replace itself. */
function visit(element: XmlElement, action: (element: XmlElement) => void): void {
  for (const child of elementChildren(element)) visit(child, action);
  action(element);
}
