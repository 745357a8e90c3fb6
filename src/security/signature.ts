import {
  constants,
  createHash,
  createHmac,
  createSign,
  createVerify,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import { elementChildren, type XmlDocument, type XmlElement, type XmlNode } from '../xml/index.ts';
import { type AlgorithmSuite, SHORTEST_RSA_KEY } from './algorithm-suite.ts';
import { canonicalize, namespacesAround } from './canonical-xml.ts';
import { base64Text, childNamed, childrenNamed, type ElementIds, isNamed, make, requiredChild } from './elements.ts';
import { ALGORITHMS, NAMESPACES } from './names.ts';
import { SecurityFailure, SecuritySetupError } from './security-failure.ts';

/** What signs or verifies: a key pair's half, or a secret that both sides have. */
export type SignatureKey =
  | { readonly kind: 'asymmetric'; readonly key: KeyObject }
  | { readonly kind: 'symmetric'; readonly secret: Buffer };

/** More references in one signature are refused: each costs a look at all of its element. */
const MAX_REFERENCES = 32;
/** Each prefix of a PrefixList is looked up at every element. */
const MAX_PREFIXES = 64;

const DIGESTS: Readonly<Record<string, string>> = { [ALGORITHMS.sha1]: 'sha1', [ALGORITHMS.sha256]: 'sha256' };
const SIGNATURES: Readonly<Record<string, { readonly kind: SignatureKey['kind']; readonly hash: string }>> = {
  [ALGORITHMS.rsaSha1]: { kind: 'asymmetric', hash: 'sha1' },
  [ALGORITHMS.rsaSha256]: { kind: 'asymmetric', hash: 'sha256' },
  [ALGORITHMS.hmacSha1]: { kind: 'symmetric', hash: 'sha1' },
  [ALGORITHMS.hmacSha256]: { kind: 'symmetric', hash: 'sha256' },
};

/**
 * A `<ds:Signature>` over elements that have `wsu:Id`s, each in exclusive canonical form. Prefixes that are declared around an element
 * are covered, too: values such as `xsi:type` may use them.
 */
export function makeSignature(
  document: XmlDocument,
  options: {
    readonly elements: ReadonlyArray<{ readonly element: XmlElement; readonly id: string }>;
    readonly suite: AlgorithmSuite;
    readonly key: SignatureKey;
    readonly keyReference: XmlElement;
  },
): { readonly element: XmlElement; readonly value: string } {
  const { suite, key } = options;
  const method = (key.kind === 'asymmetric' ? suite.asymmetricSignatures : suite.symmetricSignatures)[0] ?? '';
  const digest = suite.digests[0] ?? '';
  const signedInfo = make(document, 'ds', 'SignedInfo', {}, [
    make(document, 'ds', 'CanonicalizationMethod', { Algorithm: ALGORITHMS.exclusive }),
    make(document, 'ds', 'SignatureMethod', { Algorithm: method }),
    ...options.elements.map(({ element, id }) => makeReference(document, element, id, digest)),
  ]);
  const value = sign(canonicalize(signedInfo), method, key).toString('base64');
  const element = make(document, 'ds', 'Signature', {}, [
    signedInfo,
    make(document, 'ds', 'SignatureValue', {}, value),
    make(document, 'ds', 'KeyInfo', {}, [options.keyReference]),
  ]);
  return { element, value };
}

function makeReference(document: XmlDocument, element: XmlElement, id: string, digest: string): XmlElement {
  const prefixes = Object.keys(flattened(namespacesAround(element))).map((prefix) => prefix || '#default');
  const inclusivePrefixes = prefixes.sort().slice(0, MAX_PREFIXES);
  const inclusive = make(document, 'exclusive', 'InclusiveNamespaces', { PrefixList: inclusivePrefixes.join(' ') });
  const transform = make(document, 'ds', 'Transform', { Algorithm: ALGORITHMS.exclusive }, [
    inclusivePrefixes.length > 0 ? inclusive : undefined,
  ]);
  const value = digestOf(canonicalize(element, { inclusivePrefixes }), digest).toString('base64');
  return make(document, 'ds', 'Reference', { URI: `#${id}` }, [
    make(document, 'ds', 'Transforms', {}, [transform]),
    make(document, 'ds', 'DigestMethod', { Algorithm: digest }),
    make(document, 'ds', 'DigestValue', {}, value),
  ]);
}

/** The inherited entries of a scope, too. */
function flattened(scope: Record<string, string>): Record<string, string> {
  const all: Record<string, string> = {};
  for (const prefix in scope) all[prefix] = scope[prefix] ?? '';
  return all;
}

/** What a signature says, before anything of it is believed. */
export interface SignatureReading {
  readonly element: XmlElement;
  readonly signedInfo: XmlElement;
  readonly method: string;
  readonly value: string;
  readonly keyInfo: XmlElement;
}

/**
 * Reads the frame of a signature.
 * @throws SecurityFailure when it is not well-formed or uses what the suite does not allow
 */
export function readSignature(element: XmlElement, suite: AlgorithmSuite): SignatureReading {
  const signedInfo = requiredChild(element, 'ds', 'SignedInfo');
  checkExclusive(requiredChild(signedInfo, 'ds', 'CanonicalizationMethod'));
  const methodElement = requiredChild(signedInfo, 'ds', 'SignatureMethod');
  const method = methodElement.getAttribute('Algorithm') ?? '';
  const allowed = [...suite.asymmetricSignatures, ...suite.symmetricSignatures];
  // A shortened HMAC could be guessed.
  if (!allowed.includes(method) || elementChildren(methodElement).length > 0) throw unsupported('signature', method);
  return {
    element,
    signedInfo,
    method,
    value: base64Text(requiredChild(element, 'ds', 'SignatureValue')),
    keyInfo: requiredChild(element, 'ds', 'KeyInfo'),
  };
}

/**
 * Verifies a signature: first its value by the key, then the digests of what it refers to.
 * @returns the elements that it covers, as they stand in the tree
 * @throws SecurityFailure
 */
export function verifySignature(
  reading: SignatureReading,
  key: SignatureKey,
  ids: ElementIds,
  suite: AlgorithmSuite,
): readonly XmlElement[] {
  const { signedInfo, method, value } = reading;
  if (SIGNATURES[method]?.kind !== key.kind) throw unsupported('signature', method);
  const canonicalization = requiredChild(signedInfo, 'ds', 'CanonicalizationMethod');
  const text = canonicalize(signedInfo, canonicalOptions(canonicalization));
  if (!verify(text, Buffer.from(value, 'base64'), method, key)) throw failed('the value of a signature is wrong');
  const references = childrenNamed(signedInfo, 'ds', 'Reference');
  if (references.length === 0 || references.length > MAX_REFERENCES)
    throw new SecurityFailure('InvalidSecurity', `a signature has ${references.length} references`);
  const covered = references.map((reference) => referredElement(reference, ids));
  refuseOverlaps(covered);
  for (const [index, element] of covered.entries()) verifyDigest(references[index] as XmlElement, element, suite);
  return covered;
}

function referredElement(reference: XmlElement, ids: ElementIds): XmlElement {
  const uri = reference.getAttribute('URI') ?? '';
  const element = uri.startsWith('#') ? ids.find(uri.slice(1)) : undefined;
  if (element) return element;
  throw failed('a signature refers to something that is not in the message');
}

/** What is looked at once is enough: elements inside each other would make a small message cost a lot. */
function refuseOverlaps(elements: readonly XmlElement[]): void {
  const covered = new Set<XmlNode>(elements);
  const overlaps = (element: XmlElement) => {
    for (let node = element.parentNode; node; node = node.parentNode) if (covered.has(node)) return true;
    return false;
  };
  if (covered.size !== elements.length || elements.some(overlaps))
    throw new SecurityFailure('InvalidSecurity', 'a signature refers to something twice');
}

function verifyDigest(reference: XmlElement, element: XmlElement, suite: AlgorithmSuite): void {
  const transforms = childNamed(reference, 'ds', 'Transforms');
  const [transform, second] = transforms ? elementChildren(transforms) : [];
  if (!transform || second || !isNamed(transform, 'ds', 'Transform'))
    throw unsupported('transform', 'none, or several');
  checkExclusive(transform);
  const digest = requiredChild(reference, 'ds', 'DigestMethod').getAttribute('Algorithm') ?? '';
  if (!suite.digests.includes(digest)) throw unsupported('digest', digest);
  const expected = Buffer.from(base64Text(requiredChild(reference, 'ds', 'DigestValue')), 'base64');
  const actual = digestOf(canonicalize(element, canonicalOptions(transform)), digest);
  if (expected.length === actual.length && timingSafeEqual(expected, actual)) return;
  throw failed(`<${element.nodeName}> is not what was signed`);
}

function checkExclusive(element: XmlElement): void {
  const algorithm = element.getAttribute('Algorithm') ?? '';
  if (algorithm !== ALGORITHMS.exclusive && algorithm !== ALGORITHMS.exclusiveWithComments)
    throw unsupported('canonicalization', algorithm);
}

function canonicalOptions(element: XmlElement) {
  const [inclusive] = elementChildren(element).filter((child) => child.namespaceURI === NAMESPACES.exclusive);
  const prefixes = (inclusive?.getAttribute('PrefixList') ?? '').split(/\s+/, MAX_PREFIXES + 1).filter(Boolean);
  if (prefixes.length > MAX_PREFIXES) throw new SecurityFailure('InvalidSecurity', 'a PrefixList is too long');
  return {
    comments: element.getAttribute('Algorithm') === ALGORITHMS.exclusiveWithComments,
    inclusivePrefixes: prefixes,
  };
}

function digestOf(text: string, algorithm: string): Buffer {
  return createHash(DIGESTS[algorithm] ?? '')
    .update(text, 'utf8')
    .digest();
}

function sign(text: string, method: string, key: SignatureKey): Buffer {
  const hash = SIGNATURES[method]?.hash ?? '';
  if (key.kind === 'symmetric') return createHmac(hash, key.secret).update(text, 'utf8').digest();
  if (!isLongEnough(key.key)) throw new SecuritySetupError('the key to sign with is no RSA key of enough bits');
  return createSign(hash).update(text, 'utf8').sign(key.key);
}

function verify(text: string, value: Buffer, method: string, key: SignatureKey): boolean {
  const hash = SIGNATURES[method]?.hash ?? '';
  if (key.kind === 'symmetric') {
    const expected = createHmac(hash, key.secret).update(text, 'utf8').digest();
    return expected.length === value.length && timingSafeEqual(expected, value);
  }
  if (!isLongEnough(key.key)) throw new SecurityFailure('InvalidSecurityToken', 'the key is no RSA key of enough bits');
  return createVerify(hash).update(text, 'utf8').verify({ key: key.key, padding: constants.RSA_PKCS1_PADDING }, value);
}

/** An RSA key that no suite finds too short. */
export function isLongEnough(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= SHORTEST_RSA_KEY;
}

function unsupported(what: string, algorithm: string): SecurityFailure {
  return new SecurityFailure('UnsupportedAlgorithm', `the policy's suite does not allow this ${what}: ${algorithm}`);
}

function failed(message: string): SecurityFailure {
  return new SecurityFailure('FailedCheck', message);
}
