import type { X509Certificate } from 'node:crypto';
import { firstElement, type XmlElement, type XmlNode } from '../xml/index.ts';
import type { AlgorithmSuite } from './algorithm-suite.ts';
import { checkAgainstPolicy } from './check-policy.ts';
import { derivedKey } from './derived-keys.ts';
import { childNamed, childrenNamed, ElementIds, isNamed, requiredChild } from './elements.ts';
import { type Decrypted, decryptElement, readEncryptedKey } from './encryption.ts';
import { findCertificate, isTrustedBy } from './message-keys.ts';
import { NAMESPACES } from './names.ts';
import type { OpenedParts, Opening, RequestFacts, Sender, SignedBy } from './opening.ts';
import { demandsSecurity } from './policy.ts';
import { SecurityFailure } from './security-failure.ts';
import { checkStructure, securityHeaders } from './security-header.ts';
import { readSignature, type SignatureKey, type SignatureReading, verifySignature } from './signature.ts';
import { readTimestamp, type Timestamp } from './timestamp.ts';
import { readBinaryToken, readKeyInfo, readTokenReference, type TokenReference } from './token-reference.ts';
import { readUsernameToken, type UsernameToken } from './username-token.ts';

/** More of a kind in one message are refused: each costs work before anybody is known to have sent it. */
const LIMITS = { keys: 8, derivedKeys: 16, signatures: 4, encrypted: 64, children: 128 } as const;

/**
 * Checks and decrypts an envelope in place as its policy says, and takes the security header out of it. Nothing may be believed of the envelope
 * when this throws: part of it may be decrypted already.
 * @throws SecurityFailure when the message is not as the policy demands
 * @throws SecuritySetupError when this side has not what it needs
 */
export function openEnvelope(envelope: XmlElement, opening: Opening): RequestFacts {
  return new MessageOpening(envelope, opening).run();
}

class MessageOpening {
  readonly #envelope: XmlElement;
  readonly #opening: Opening;
  readonly #ids: ElementIds;
  readonly #signed = new Map<XmlElement, SignedBy>();
  readonly #decrypted: Decrypted[] = [];
  readonly #confirmations: XmlElement[] = [];
  readonly #signatureValues: string[] = [];
  readonly #certificates = new Map<string, X509Certificate>();
  /** By the id of the EncryptedKey or DerivedKeyToken in this message. */
  readonly #secrets = new Map<string, Secret>();
  /** By the digest of the EncryptedKey, of this message or of the request. */
  readonly #secretsByDigest = new Map<string, Secret>();
  #timestamp: Timestamp | undefined;
  #usernameToken: UsernameToken | undefined;
  #signer: X509Certificate | undefined;
  #received: RequestFacts['secret'];
  readonly #counts = { keys: 0, derivedKeys: 0, signatures: 0, encrypted: 0, children: 0 };

  constructor(envelope: XmlElement, opening: Opening) {
    this.#envelope = envelope;
    this.#opening = opening;
    checkStructure(envelope);
    this.#ids = new ElementIds(envelope);
    const sent = opening.request?.secret;
    if (sent) this.#secretsByDigest.set(sent.sha1, { secret: sent.secret, origin: 'sent secret' });
  }

  run(): RequestFacts {
    const [security, second] = securityHeaders(this.#envelope);
    if (second) throw new SecurityFailure('InvalidSecurity', 'the message has two security headers');
    if (!security) {
      if (!demandsSecurity(this.#opening.policy)) return this.#facts();
      throw new SecurityFailure('InvalidSecurity', 'the message has no security header');
    }
    this.#processHeader(security);
    checkStructure(this.#envelope);
    checkAgainstPolicy(this.#envelope, this.#parts(), this.#opening);
    this.#refuseReplays();
    security.parentNode?.removeChild(security);
    return this.#facts();
  }

  #facts(): RequestFacts {
    return {
      signatureValues: this.#signatureValues,
      signer: this.#signer,
      encryptedFor: undefined,
      secret: this.#received,
    };
  }

  #parts(): OpenedParts {
    return {
      signed: this.#signed,
      signer: this.#signer,
      decrypted: this.#decrypted,
      timestamp: this.#timestamp,
      usernameToken: this.#usernameToken,
      confirmations: this.#confirmations,
    };
  }

  /** The children one after the other: what one of them decrypts or declares, later ones use. */
  #processHeader(security: XmlElement): void {
    for (let child = firstElement(security); child; ) {
      this.#count('children');
      const before: XmlNode | null = child.previousSibling;
      this.#process(child);
      // A child that was encrypted has been replaced by what it was, which is looked at in its turn.
      if (child.parentNode === security) child = nextElement(child.nextSibling);
      else child = nextElement(before ? before.nextSibling : security.firstChild);
    }
  }

  #process(child: XmlElement): void {
    if (isNamed(child, 'wsu', 'Timestamp')) this.#takeTimestamp(child);
    else if (isNamed(child, 'wsse', 'BinarySecurityToken')) this.#takeBinaryToken(child);
    else if (isNamed(child, 'xenc', 'EncryptedKey')) this.#takeEncryptedKey(child);
    else if (isNamed(child, 'wsc', 'DerivedKeyToken') || isNamed(child, 'wsc13', 'DerivedKeyToken'))
      this.#takeDerivedKey(child);
    else if (isNamed(child, 'xenc', 'ReferenceList')) this.#decryptListed(child, undefined);
    else if (isNamed(child, 'xenc', 'EncryptedData')) this.#decrypt(child, undefined);
    else if (isNamed(child, 'wsse', 'UsernameToken')) this.#takeUsernameToken(child);
    else if (isNamed(child, 'wsse11', 'SignatureConfirmation')) this.#confirmations.push(child);
    else if (isNamed(child, 'ds', 'Signature')) this.#takeSignature(child);
    else
      throw new SecurityFailure(
        'UnsupportedSecurityToken',
        `<${child.nodeName}> in a security header is not supported`,
      );
  }

  #takeTimestamp(element: XmlElement): void {
    if (this.#timestamp) throw new SecurityFailure('InvalidSecurity', 'the message has two timestamps');
    this.#timestamp = readTimestamp(element);
  }

  #takeUsernameToken(element: XmlElement): void {
    if (this.#usernameToken) throw new SecurityFailure('InvalidSecurity', 'the message has two UsernameTokens');
    this.#usernameToken = readUsernameToken(element);
  }

  #takeBinaryToken(element: XmlElement): void {
    this.#count('keys');
    const id = idOf(element);
    if (id !== undefined) this.#certificates.set(id, readBinaryToken(element));
  }

  #takeEncryptedKey(element: XmlElement): void {
    this.#count('keys');
    const reference = readKeyInfo(requiredChild(element, 'ds', 'KeyInfo'));
    const key = this.#opening.keys.decryption(this.#resolved(reference));
    if (!key) throw new SecurityFailure('SecurityTokenUnavailable', 'a key is encrypted for somebody else');
    const { secret, sha1 } = readEncryptedKey(element, key, this.#suite());
    const id = idOf(element);
    const entry: Secret = { secret, origin: 'received secret' };
    if (id !== undefined) this.#secrets.set(id, entry);
    this.#secretsByDigest.set(sha1, entry);
    this.#received = { sha1, secret };
    const list = childNamed(element, 'xenc', 'ReferenceList');
    if (list) this.#decryptListed(list, entry);
  }

  /** A certificate that the message brings, in the place of the id that it goes by. */
  #resolved(reference: TokenReference): TokenReference {
    const certificate = reference.kind === 'element' ? this.#certificates.get(reference.id) : undefined;
    return certificate ? { kind: 'certificate', certificate } : reference;
  }

  #takeDerivedKey(element: XmlElement): void {
    this.#count('derivedKeys');
    const base = this.#secretOf(readTokenReference(requiredChild(element, 'wsse', 'SecurityTokenReference')));
    const id = idOf(element);
    if (id !== undefined) this.#secrets.set(id, { secret: derivedKey(element, base.secret), origin: base.origin });
  }

  #secretOf(reference: TokenReference): Secret {
    let found: Secret | undefined;
    if (reference.kind === 'element') found = this.#secrets.get(reference.id);
    else if (reference.kind === 'encryptedKey') found = this.#secretsByDigest.get(reference.value);
    if (found) return found;
    throw new SecurityFailure('SecurityTokenUnavailable', 'a secret is referred to that the message does not bring');
  }

  #decryptListed(list: XmlElement, secret: Secret | undefined): void {
    for (const reference of childrenNamed(list, 'xenc', 'DataReference')) {
      const uri = reference.getAttribute('URI') ?? '';
      const data = uri.startsWith('#') ? this.#ids.find(uri.slice(1)) : undefined;
      if (!data || !isNamed(data, 'xenc', 'EncryptedData'))
        throw new SecurityFailure('FailedCheck', 'a list names something encrypted that is not in the message');
      this.#decrypt(data, secret);
    }
  }

  #decrypt(data: XmlElement, known: Secret | undefined): void {
    this.#count('encrypted');
    const keyInfo = known ? undefined : requiredChild(data, 'ds', 'KeyInfo');
    const { secret } = known ?? this.#secretOf(readKeyInfo(keyInfo as XmlElement));
    this.#ids.remove(data);
    const decrypted = decryptElement(data, secret, this.#suite());
    for (const element of decrypted.elements) this.#ids.add(element);
    this.#decrypted.push(decrypted);
  }

  #takeSignature(element: XmlElement): void {
    this.#count('signatures');
    const suite = this.#suite();
    const reading = readSignature(element, suite);
    const { key, by } = this.#keyOf(reading);
    for (const covered of verifySignature(reading, key, this.#ids, suite)) this.#signed.set(covered, by);
    this.#signatureValues.push(reading.value);
  }

  #keyOf({ keyInfo }: SignatureReading): { key: SignatureKey; by: SignedBy } {
    const reference = this.#resolved(readKeyInfo(keyInfo));
    if (this.#opening.policy.binding?.kind === 'symmetric') {
      const { secret, origin } = this.#secretOf(reference);
      return { key: { kind: 'symmetric', secret }, by: origin };
    }
    const { keys, now } = this.#opening;
    const certificate = findCertificate(keys, reference);
    if (!certificate)
      throw new SecurityFailure('SecurityTokenUnavailable', 'the certificate of a signature is not known');
    if (!isTrustedBy(keys, certificate, now))
      throw new SecurityFailure(
        'FailedAuthentication',
        `a signature's certificate is not trusted: ${certificate.subject}`,
      );
    this.#signer = certificate;
    return { key: { kind: 'asymmetric', key: certificate.publicKey }, by: 'certificate' };
  }

  #suite(): AlgorithmSuite {
    const suite = this.#opening.policy.binding?.suite;
    if (suite) return suite;
    throw new SecurityFailure(
      'InvalidSecurity',
      'the policy has no binding that signatures or encryption could follow',
    );
  }

  #refuseReplays(): void {
    const { replay, now, sender, policy } = this.#opening;
    const { lifetimeMs, skewMs, nonceLifetimeMs } = policy.rampart;
    const seen: Array<{ what: string; created: number; expires: number }> = [];
    const created = this.#timestamp?.created ?? now;
    for (const value of this.#signatureValues)
      seen.push({ what: signatureKey(sender, value), created, expires: created + lifetimeMs + skewMs });
    const token = policy.usernameToken ? this.#usernameToken : undefined;
    if (token?.nonce !== undefined && token.created) {
      const { time, text } = token.created;
      const what = `${sender} nonce ${token.nonce} ${text} ${token.user}`;
      seen.push({ what, created: time, expires: time + nonceLifetimeMs + skewMs });
    }
    for (const { what, created: at } of seen) replay.refuseKnown(what, at);
    for (const { what, ...entry } of seen) replay.remember(what, entry, now);
  }

  #count(what: keyof typeof LIMITS): void {
    this.#counts[what] += 1;
    if (this.#counts[what] > LIMITS[what])
      throw new SecurityFailure('InvalidSecurity', `the security header has more than ${LIMITS[what]} ${what}`);
  }
}

interface Secret {
  readonly secret: Buffer;
  readonly origin: 'received secret' | 'sent secret';
}

/** Under which name a signature is remembered as one that came from that side. */
export function signatureKey(sender: Sender, value: string): string {
  return `${sender} signature ${value}`;
}

function idOf(element: XmlElement): string | undefined {
  const wsu = element.getAttributeNS(NAMESPACES.wsu, 'Id');
  return wsu || element.getAttribute('Id') || undefined;
}

function nextElement(node: XmlNode | null): XmlElement | undefined {
  for (let next = node; next; next = next.nextSibling) if (next.nodeType === 1) return next as XmlElement;
  return undefined;
}
