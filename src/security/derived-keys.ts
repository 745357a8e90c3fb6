import { createHmac, randomBytes } from 'node:crypto';
import type { XmlDocument, XmlElement } from '../xml/index.ts';
import { base64Text, childNamed, ensureId, make, requiredChild, trimmedText } from './elements.ts';
import { SecurityFailure } from './security-failure.ts';

/** The label where a token has none (WS-SecureConversation 1.3, 7). */
const DEFAULT_LABEL = 'WS-SecureConversationWS-SecureConversation';
const NONCE_BYTES = 16;
const MAX_BYTES = 256;

/** P_SHA-1 of TLS 1.0 (RFC 2246, 5). */
export function pSha1(secret: Buffer, seed: Buffer, length: number): Buffer {
  const hmac = (data: Buffer) => createHmac('sha1', secret).update(data).digest();
  const blocks: Buffer[] = [];
  let bytes = 0;
  for (let a = hmac(seed); bytes < length; a = hmac(a)) {
    const block = hmac(Buffer.concat([a, seed]));
    blocks.push(block);
    bytes += block.length;
  }
  return Buffer.concat(blocks).subarray(0, length);
}

/** A `<DerivedKeyToken>` of a secret, and the key. */
export function makeDerivedKey(
  document: XmlDocument,
  secret: Buffer,
  reference: XmlElement,
  length: number,
): { readonly element: XmlElement; readonly id: string; readonly key: Buffer } {
  const nonce = randomBytes(NONCE_BYTES);
  const element = make(document, 'wsc', 'DerivedKeyToken', {}, [
    reference,
    make(document, 'wsc', 'Offset', {}, '0'),
    make(document, 'wsc', 'Length', {}, String(length)),
    make(document, 'wsc', 'Nonce', {}, nonce.toString('base64')),
  ]);
  const id = ensureId(element, 'DK');
  return { element, id, key: pSha1(secret, Buffer.concat([Buffer.from(DEFAULT_LABEL), nonce]), length) };
}

/**
 * The key of a `<DerivedKeyToken>` of either version of WS-SecureConversation.
 * @throws SecurityFailure
 */
export function derivedKey(element: XmlElement, secret: Buffer): Buffer {
  const vocabulary = childNamed(element, 'wsc13', 'Nonce') ? 'wsc13' : 'wsc';
  const number = (name: string, fallback: number) => {
    const child = childNamed(element, vocabulary, name);
    const value = child ? Number(trimmedText(child)) : fallback;
    if (Number.isInteger(value) && value >= 0 && value <= MAX_BYTES) return value;
    throw new SecurityFailure('InvalidSecurity', `<${name}> of a DerivedKeyToken is out of range`);
  };
  if (childNamed(element, vocabulary, 'Generation'))
    throw new SecurityFailure('UnsupportedSecurityToken', 'a DerivedKeyToken counts by generations');
  const label = childNamed(element, vocabulary, 'Label');
  const nonce = Buffer.from(base64Text(requiredChild(element, vocabulary, 'Nonce')), 'base64');
  const [offset, length] = [number('Offset', 0), number('Length', 32)];
  const seed = Buffer.concat([Buffer.from(label ? trimmedText(label) : DEFAULT_LABEL, 'utf8'), nonce]);
  return pSha1(secret, seed, offset + length).subarray(offset);
}
