import {
  type CipherGCMTypes,
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';
import {
  cloneInto,
  elementChildren,
  parseXml,
  serializeXml,
  type XmlDocument,
  type XmlElement,
  type XmlNode,
} from '../xml/index.ts';
import type { AlgorithmSuite } from './algorithm-suite.ts';
import { namespacesAround } from './canonical-xml.ts';
import { base64Text, childNamed, declare, isNamed, make, newId, requiredChild } from './elements.ts';
import { ALGORITHMS, ENCRYPTED_TYPES } from './names.ts';
import { SecurityFailure } from './security-failure.ts';
import { isLongEnough } from './signature.ts';

interface Cipher {
  readonly name: string;
  readonly keyBytes: number;
  readonly ivBytes: number;
  readonly blockBytes: number;
  readonly authenticated: boolean;
}

const cbc = (name: string, keyBytes: number, blockBytes = 16): Cipher => ({
  name,
  keyBytes,
  ivBytes: blockBytes,
  blockBytes,
  authenticated: false,
});
const gcm = (name: string, keyBytes: number): Cipher => ({
  name,
  keyBytes,
  ivBytes: 12,
  blockBytes: 16,
  authenticated: true,
});

const CIPHERS: Readonly<Record<string, Cipher>> = {
  [ALGORITHMS.aes128Cbc]: cbc('aes-128-cbc', 16),
  [ALGORITHMS.aes192Cbc]: cbc('aes-192-cbc', 24),
  [ALGORITHMS.aes256Cbc]: cbc('aes-256-cbc', 32),
  [ALGORITHMS.tripleDesCbc]: cbc('des-ede3-cbc', 24, 8),
  [ALGORITHMS.aes128Gcm]: gcm('aes-128-gcm', 16),
  [ALGORITHMS.aes192Gcm]: gcm('aes-192-gcm', 24),
  [ALGORITHMS.aes256Gcm]: gcm('aes-256-gcm', 32),
};
const TAG_BYTES = 16;

/** The same for every reason: whoever tries keys or ciphertexts learns nothing from it. */
function undecipherable(cause?: unknown): SecurityFailure {
  return new SecurityFailure('FailedCheck', 'something encrypted cannot be decrypted', cause);
}

/** Encrypts bytes as XML Encryption does: the initialization vector, the ciphertext, of authenticated ciphers the tag. */
export function encryptBytes(plain: Buffer, key: Buffer, algorithm: string): Buffer {
  const cipher = CIPHERS[algorithm] as Cipher;
  const iv = randomBytes(cipher.ivBytes);
  if (cipher.authenticated) {
    const gcmCipher = createCipheriv(cipher.name as CipherGCMTypes, key, iv);
    const text = Buffer.concat([gcmCipher.update(plain), gcmCipher.final()]);
    return Buffer.concat([iv, text, gcmCipher.getAuthTag()]);
  }
  const padding = cipher.blockBytes - (plain.length % cipher.blockBytes);
  const last = Buffer.alloc(padding, padding);
  const cbcCipher = createCipheriv(cipher.name, key, iv).setAutoPadding(false);
  return Buffer.concat([iv, cbcCipher.update(Buffer.concat([plain, last])), cbcCipher.final()]);
}

/** @throws SecurityFailure FailedCheck, whatever the reason */
export function decryptBytes(sealed: Buffer, key: Buffer, algorithm: string): Buffer {
  const cipher = CIPHERS[algorithm];
  if (!cipher || key.length < cipher.keyBytes) throw undecipherable();
  const secret = key.subarray(0, cipher.keyBytes);
  const iv = sealed.subarray(0, cipher.ivBytes);
  const end = sealed.length - (cipher.authenticated ? TAG_BYTES : 0);
  const text = sealed.subarray(cipher.ivBytes, Math.max(cipher.ivBytes, end));
  try {
    if (cipher.authenticated) {
      const decipher = createDecipheriv(cipher.name as CipherGCMTypes, secret, iv, { authTagLength: TAG_BYTES });
      decipher.setAuthTag(sealed.subarray(end));
      return Buffer.concat([decipher.update(text), decipher.final()]);
    }
    const decipher = createDecipheriv(cipher.name, secret, iv).setAutoPadding(false);
    return withoutPadding(Buffer.concat([decipher.update(text), decipher.final()]), cipher.blockBytes);
  } catch (cause) {
    throw undecipherable(cause);
  }
}

/** XML Encryption 1.0, 5.2: only the last byte counts. */
function withoutPadding(padded: Buffer, blockBytes: number): Buffer {
  const padding = padded.at(-1) ?? 0;
  if (padding < 1 || padding > blockBytes || padding > padded.length) throw undecipherable();
  return padded.subarray(0, padded.length - padding);
}

/** A fresh key for the suite's cipher. */
export function newSessionKey({ encryptionKeyBytes }: AlgorithmSuite): Buffer {
  return randomBytes(encryptionKeyBytes);
}

/** An `<xenc:EncryptedKey>`: a secret that only the owner of a certificate can read. */
export function makeEncryptedKey(
  document: XmlDocument,
  secret: Buffer,
  recipient: KeyObject,
  keyReference: XmlElement,
  suite: AlgorithmSuite,
): { readonly element: XmlElement; readonly id: string; readonly sha1: string } {
  const algorithm = suite.keyTransports[0] ?? '';
  if (!isLongEnough(recipient))
    throw new SecurityFailure('InvalidSecurityToken', 'the key is no RSA key of enough bits');
  const padding = algorithm === ALGORITHMS.rsa15 ? constants.RSA_PKCS1_PADDING : constants.RSA_PKCS1_OAEP_PADDING;
  const sealed = publicEncrypt({ key: recipient, padding }, secret);
  const id = newId('EK');
  const digest = make(document, 'ds', 'DigestMethod', { Algorithm: ALGORITHMS.sha1 });
  const element = make(document, 'xenc', 'EncryptedKey', { Id: id }, [
    make(document, 'xenc', 'EncryptionMethod', { Algorithm: algorithm }, [
      algorithm === ALGORITHMS.rsa15 ? undefined : digest,
    ]),
    make(document, 'ds', 'KeyInfo', {}, [keyReference]),
    cipherData(document, sealed),
  ]);
  return { element, id, sha1: createHash('sha1').update(sealed).digest('base64') };
}

function cipherData(document: XmlDocument, sealed: Buffer): XmlElement {
  const value = make(document, 'xenc', 'CipherValue', {}, sealed.toString('base64'));
  return make(document, 'xenc', 'CipherData', {}, [value]);
}

/**
 * The secret in an `<xenc:EncryptedKey>`. A key that cannot be read is replaced by one that fits nothing, so that the two cannot be told apart
 * (Bleichenbacher).
 * @param expectedBytes how long the secret has to be
 * @throws SecurityFailure when the suite does not allow the algorithm
 */
export function readEncryptedKey(
  element: XmlElement,
  privateKey: KeyObject,
  suite: AlgorithmSuite,
): { readonly secret: Buffer; readonly sha1: string } {
  const method = requiredChild(element, 'xenc', 'EncryptionMethod');
  const algorithm = method.getAttribute('Algorithm') ?? '';
  const digest = childNamed(method, 'ds', 'DigestMethod')?.getAttribute('Algorithm') ?? ALGORITHMS.sha1;
  const others = elementChildren(method).filter((child) => !isNamed(child, 'ds', 'DigestMethod'));
  if (!suite.keyTransports.includes(algorithm) || digest !== ALGORITHMS.sha1 || others.length > 0)
    throw new SecurityFailure(
      'UnsupportedAlgorithm',
      `the policy's suite does not allow this key transport: ${algorithm}`,
    );
  const sealed = cipherValue(element);
  const padding = algorithm === ALGORITHMS.rsa15 ? constants.RSA_PKCS1_PADDING : constants.RSA_PKCS1_OAEP_PADDING;
  const sha1 = createHash('sha1').update(sealed).digest('base64');
  const substitute = newSessionKey(suite);
  try {
    const secret = privateDecrypt({ key: privateKey, padding }, sealed);
    return { secret: secret.length === suite.encryptionKeyBytes ? secret : substitute, sha1 };
  } catch {
    return { secret: substitute, sha1 };
  }
}

function cipherValue(element: XmlElement): Buffer {
  const data = requiredChild(element, 'xenc', 'CipherData');
  return Buffer.from(base64Text(requiredChild(data, 'xenc', 'CipherValue')), 'base64');
}

/**
 * Puts an `<xenc:EncryptedData>` in the place of an element, or of all that is in it.
 * @param keyReference names the key; undefined where the EncryptedKey lists what it is for
 * @returns the id for the reference list
 */
export function encryptElement(
  element: XmlElement,
  type: keyof typeof ENCRYPTED_TYPES,
  key: Buffer,
  suite: AlgorithmSuite,
  keyReference?: XmlElement,
): string {
  const document = element.ownerDocument as XmlDocument;
  const algorithm = suite.ciphers[0] ?? '';
  const content = type === 'element' ? [element] : childNodes(element);
  const text = content.map((node) => serializeXml(node)).join('');
  const id = newId('ED');
  const data = make(document, 'xenc', 'EncryptedData', { Id: id, Type: ENCRYPTED_TYPES[type] }, [
    make(document, 'xenc', 'EncryptionMethod', { Algorithm: algorithm }),
    keyReference && make(document, 'ds', 'KeyInfo', {}, [keyReference]),
    cipherData(document, encryptBytes(Buffer.from(text, 'utf8'), key, algorithm)),
  ]);
  declare(data, 'xenc', 'ds', 'wsse');
  if (type === 'element') element.parentNode?.replaceChild(data, element);
  else {
    for (const node of content) element.removeChild(node);
    element.appendChild(data);
  }
  return id;
}

/** What an EncryptedData was. */
export interface Decrypted {
  readonly parent: XmlElement;
  readonly type: keyof typeof ENCRYPTED_TYPES;
  /** It was all that its parent had in it. */
  readonly alone: boolean;
  /** The elements that stand in its place now. */
  readonly elements: readonly XmlElement[];
}

/**
 * Puts what is in an `<xenc:EncryptedData>` back in its place.
 * @throws SecurityFailure
 */
export function decryptElement(data: XmlElement, key: Buffer, suite: AlgorithmSuite): Decrypted {
  const algorithm = requiredChild(data, 'xenc', 'EncryptionMethod').getAttribute('Algorithm') ?? '';
  if (!suite.ciphers.includes(algorithm))
    throw new SecurityFailure('UnsupportedAlgorithm', `the policy's suite does not allow this cipher: ${algorithm}`);
  const parent = data.parentNode as XmlElement;
  const type = typeOf(data);
  const nodes = parsedInPlace(decryptBytes(cipherValue(data), key, algorithm), data);
  const elements = nodes.filter((node): node is XmlElement => node.nodeType === 1);
  if (type === 'element' && (nodes.length !== 1 || elements.length !== 1)) throw undecipherable();
  const alone = isAlone(data);
  for (const node of nodes) parent.insertBefore(node, data);
  parent.removeChild(data);
  return { parent, type, alone, elements };
}

/** Nothing but blanks and comments beside it. */
function isAlone(data: XmlElement): boolean {
  for (let node = data.parentNode?.firstChild ?? null; node; node = node.nextSibling) {
    const matters = node.nodeType === 1 || (node.nodeType !== 8 && (node.nodeValue ?? '').trim() !== '');
    if (node !== data && matters) return false;
  }
  return true;
}

function typeOf(data: XmlElement): keyof typeof ENCRYPTED_TYPES {
  const type = data.getAttribute('Type');
  if (type === ENCRYPTED_TYPES.content) return 'content';
  if (type === ENCRYPTED_TYPES.element) return 'element';
  throw new SecurityFailure('InvalidSecurity', 'an EncryptedData stands neither for an element nor for content');
}

/** The nodes of a decrypted text, read with the prefixes of the place where it stood. */
function parsedInPlace(plain: Buffer, data: XmlElement): XmlNode[] {
  const namespaces = namespacesAround(data);
  let declarations = '';
  for (const prefix in namespaces) {
    const name = prefix === '' ? 'xmlns' : `xmlns:${prefix}`;
    if (prefix !== 'xml')
      declarations += ` ${name}="${(namespaces[prefix] ?? '').replace(/[&<"]/g, (c) => `&#${c.charCodeAt(0)};`)}"`;
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plain);
    const document = data.ownerDocument as XmlDocument;
    const root = parseXml(`<content${declarations}>${text}</content>`).documentElement as XmlElement;
    return childNodes(root).map((node) => cloneInto(document, node));
  } catch (cause) {
    throw undecipherable(cause);
  }
}

function childNodes(parent: XmlElement): XmlNode[] {
  const nodes: XmlNode[] = [];
  for (let node = parent.firstChild; node; node = node.nextSibling) nodes.push(node);
  return nodes;
}
