import type { X509Certificate } from 'node:crypto';
import { bodyOf, ensureHeader } from '../message/soap.ts';
import { elementChildren, type XmlDocument, type XmlElement } from '../xml/index.ts';
import { makeDerivedKey } from './derived-keys.ts';
import { ensureId, make } from './elements.ts';
import { encryptElement, makeEncryptedKey, newSessionKey } from './encryption.ts';
import { matchesHeader } from './header-names.ts';
import type { MessageKeys } from './message-keys.ts';
import { TOKEN_TYPES } from './names.ts';
import type { RequestFacts, Sender } from './opening.ts';
import type { Binding, SecurityPolicy, X509TokenPolicy } from './policy.ts';
import { goesAlong } from './read-token.ts';
import { SecuritySetupError } from './security-failure.ts';
import { newSecurityHeader } from './security-header.ts';
import { makeSignature, type SignatureKey } from './signature.ts';
import { makeTimestamp } from './timestamp.ts';
import {
  binaryToken,
  referenceToCertificate,
  referenceToElement,
  referenceToEncryptedKey,
  referenceToNewKey,
} from './token-reference.ts';
import { makeUsernameToken } from './username-token.ts';
import type { Users } from './users.ts';

export interface Securing {
  readonly policy: SecurityPolicy;
  readonly sender: Sender;
  readonly keys: MessageKeys;
  readonly users: Users;
  /** Epoch ms. */
  readonly now: number;
  /** Of a response. */
  readonly request?: RequestFacts;
}

/**
 * Secures an envelope in place as its policy says. The envelope must be as it came from the parser: its declarations are what they seem.
 * @returns what the answer to it depends on
 * @throws SecuritySetupError when keys or users are missing
 */
export function secureEnvelope(envelope: XmlElement, securing: Securing): RequestFacts {
  return new MessageSecuring(envelope, securing).run();
}

type AsymmetricBinding = Extract<Binding, { kind: 'asymmetric' }>;
type SymmetricBinding = Extract<Binding, { kind: 'symmetric' }>;

class MessageSecuring {
  readonly #envelope: XmlElement;
  readonly #securing: Securing;
  readonly #document: XmlDocument;
  readonly #security: XmlElement;
  /** What is signed, in the order of the signature's references. */
  readonly #signed: XmlElement[] = [];
  #usernameToken: XmlElement | undefined;
  /** Keys and tokens stand before it. */
  #firstProtected: XmlElement | undefined;
  #facts: RequestFacts = { signatureValues: [], signer: undefined, encryptedFor: undefined, secret: undefined };

  constructor(envelope: XmlElement, securing: Securing) {
    this.#envelope = envelope;
    this.#securing = securing;
    this.#document = envelope.ownerDocument as XmlDocument;
    this.#security = newSecurityHeader(envelope, ensureHeader(envelope));
  }

  run(): RequestFacts {
    const { binding } = this.#securing.policy;
    this.#addTimestamp();
    this.#addUsernameToken();
    this.#addConfirmations();
    if (binding && binding.kind !== 'transport') {
      this.#signed.push(...this.#partsToSign());
      if (binding.kind === 'asymmetric') this.#asymmetric(binding);
      else this.#symmetric(binding);
    }
    return this.#facts;
  }

  #addTimestamp(): void {
    const { policy, now } = this.#securing;
    if (!policy.binding?.timestamp) return;
    const timestamp = makeTimestamp(this.#document, now, policy.rampart.lifetimeMs);
    this.#security.appendChild(timestamp);
    this.#signed.push(timestamp);
  }

  #addUsernameToken(): void {
    const { policy, sender, users, now } = this.#securing;
    const wanted = policy.usernameToken;
    if (!wanted || sender !== 'initiator') return;
    const name = policy.rampart.user;
    if (name === undefined)
      throw new SecuritySetupError('the policy wants a UsernameToken, and its RampartConfig names no user');
    const user = users.find(name);
    if (!user) throw new SecuritySetupError(`the password of the user '${name}' is not known`);
    const digest = wanted.password === 'digest';
    const token = makeUsernameToken(this.#document, { user: name, password: user.password, digest, now });
    this.#appendProtected(token);
    this.#usernameToken = token;
    if (wanted.signed) this.#signed.push(token);
  }

  #addConfirmations(): void {
    const { policy, sender, request } = this.#securing;
    if (!policy.signatureConfirmation || sender !== 'recipient') return;
    const values = request?.signatureValues ?? [];
    for (const value of values.length > 0 ? values : [undefined]) {
      const attributes = value === undefined ? {} : { Value: value };
      const confirmation = make(this.#document, 'wsse11', 'SignatureConfirmation', attributes);
      ensureId(confirmation, 'SC');
      this.#appendProtected(confirmation);
      this.#signed.push(confirmation);
    }
  }

  #partsToSign(): XmlElement[] {
    const { signed } = this.#securing.policy;
    const header = ensureHeader(this.#envelope);
    const blocks = elementChildren(header).filter((block) => block !== this.#security && matchesHeader(block, signed));
    return signed.body ? [bodyOf(this.#envelope), ...blocks] : blocks;
  }

  #asymmetric(binding: AsymmetricBinding): void {
    if (binding.encryptBeforeSigning) {
      const encrypted = this.#encryptForOther(binding, undefined);
      this.#signWithOwn(binding);
      if (encrypted) this.#security.appendChild(encrypted);
      return;
    }
    const signature = this.#signWithOwn(binding);
    const encrypted = this.#encryptForOther(binding, signature);
    if (encrypted) this.#security.insertBefore(encrypted, this.#afterTokens());
  }

  #signWithOwn(binding: AsymmetricBinding): XmlElement | undefined {
    if (this.#signed.length === 0) return undefined;
    const { sender, keys } = this.#securing;
    const token = sender === 'initiator' ? binding.initiator : binding.recipient;
    const { certificate, key } = keys.signing();
    let keyReference = this.#inclusionOf(token, certificate);
    keyReference ??= referenceToCertificate(this.#document, token.reference, certificate);
    return this.#sign(binding, { kind: 'asymmetric', key }, keyReference);
  }

  /** The token itself where it goes along, and a reference to it. */
  #inclusionOf(token: X509TokenPolicy, certificate: X509Certificate): XmlElement | undefined {
    const { policy, sender } = this.#securing;
    if (!goesAlong(token, sender)) return undefined;
    const { element, id } = binaryToken(this.#document, certificate);
    this.#security.insertBefore(element, this.#firstProtected ?? null);
    if (policy.binding?.protectTokens) this.#signed.push(element);
    return referenceToElement(this.#document, id, TOKEN_TYPES.x509);
  }

  #sign(binding: Binding, key: SignatureKey, keyReference: XmlElement): XmlElement {
    const elements = this.#signed.map((element) => ({ element, id: ensureId(element, 'id') }));
    const { element, value } = makeSignature(this.#document, { elements, suite: binding.suite, key, keyReference });
    this.#appendProtected(element);
    this.#facts = { ...this.#facts, signatureValues: [value] };
    return element;
  }

  #encryptForOther(binding: AsymmetricBinding, signature: XmlElement | undefined): XmlElement | undefined {
    const secret = newSessionKey(binding.suite);
    const ids = this.#encryptParts(binding, signature, secret);
    if (ids.length === 0) return undefined;
    const { sender } = this.#securing;
    const token = sender === 'initiator' ? binding.recipient : binding.initiator;
    const certificate = this.#otherCertificate();
    this.#facts = { ...this.#facts, encryptedFor: certificate };
    const reference = referenceToCertificate(this.#document, token.reference, certificate);
    const { element } = makeEncryptedKey(this.#document, secret, certificate.publicKey, reference, binding.suite);
    element.appendChild(this.#referenceList(ids));
    return element;
  }

  #otherCertificate(): X509Certificate {
    const { keys, request, sender } = this.#securing;
    const certificate = keys.encryption() ?? (sender === 'recipient' ? request?.signer : undefined);
    if (certificate) return certificate;
    throw new SecuritySetupError(
      "the policy names no encryptionUser, and 'useReqSigCert' is for answers to signed requests",
    );
  }

  /** @returns the ids of what was encrypted */
  #encryptParts(
    binding: Binding,
    signature: XmlElement | undefined,
    secret: Buffer,
    keyReference: () => XmlElement | undefined = () => undefined,
  ): string[] {
    const { policy } = this.#securing;
    const ids: string[] = [];
    if (policy.encryptedBody) {
      ids.push(encryptElement(bodyOf(this.#envelope), 'content', secret, binding.suite, keyReference()));
    }
    const token = policy.usernameToken?.encrypted ? this.#usernameToken : undefined;
    for (const element of [token, binding.encryptSignature ? signature : undefined]) {
      if (!element) continue;
      const before = element.previousSibling;
      ids.push(encryptElement(element, 'element', secret, binding.suite, keyReference()));
      if (this.#firstProtected === element)
        this.#firstProtected = (before ? before.nextSibling : this.#security.firstChild) as XmlElement;
    }
    return ids;
  }

  /**
   * Order of the header: EncryptedKey, derived keys, list of what is encrypted, what is protected; with EncryptBeforeSigning the list stands
   * last, so that whoever goes through it checks the signature first.
   */
  #symmetric(binding: SymmetricBinding): void {
    const base = this.#baseSecret(binding);
    const { suite } = binding;
    const keyFor = (length: number): SessionKey => {
      if (!binding.protection.derivedKeys) return base;
      const derived = makeDerivedKey(this.#document, base.secret, base.reference(), length);
      this.#security.insertBefore(derived.element, this.#firstProtected ?? null);
      return { secret: derived.key, reference: () => referenceToElement(this.#document, derived.id) };
    };
    const signing = this.#signed.length > 0 ? keyFor(suite.derivedSignatureKeyBytes) : undefined;
    const encrypting = this.#encryptsSomething(binding) ? keyFor(suite.encryptionKeyBytes) : undefined;
    const encrypt = (signature: XmlElement | undefined) =>
      encrypting ? this.#encryptParts(binding, signature, encrypting.secret, encrypting.reference) : [];
    const sign = () =>
      signing && this.#sign(binding, { kind: 'symmetric', secret: signing.secret }, signing.reference());
    if (binding.encryptBeforeSigning) {
      const ids = encrypt(undefined);
      sign();
      if (ids.length > 0) this.#security.appendChild(this.#referenceList(ids));
      return;
    }
    const ids = encrypt(sign());
    if (ids.length > 0) this.#security.insertBefore(this.#referenceList(ids), this.#afterTokens());
  }

  #encryptsSomething(binding: Binding): boolean {
    const { encryptedBody, usernameToken } = this.#securing.policy;
    const token = usernameToken?.encrypted === true && this.#usernameToken !== undefined;
    return encryptedBody || binding.encryptSignature || token;
  }

  /** A new secret for the recipient, or the one that the request brought. */
  #baseSecret(binding: SymmetricBinding): SessionKey {
    const { sender, request, keys } = this.#securing;
    if (sender === 'recipient') {
      const known = request?.secret;
      if (!known) throw new SecuritySetupError('the request brought no secret that its answer could be secured with');
      return { secret: known.secret, reference: () => referenceToEncryptedKey(this.#document, known.sha1) };
    }
    const certificate = keys.encryption();
    if (!certificate) throw new SecuritySetupError('the policy names no encryptionUser');
    const secret = newSessionKey(binding.suite);
    const reference = referenceToCertificate(this.#document, binding.protection.reference, certificate);
    const { element, id, sha1 } = makeEncryptedKey(
      this.#document,
      secret,
      certificate.publicKey,
      reference,
      binding.suite,
    );
    this.#security.insertBefore(element, this.#firstProtected ?? null);
    this.#facts = { ...this.#facts, secret: { sha1, secret } };
    return { secret, reference: () => referenceToNewKey(this.#document, id) };
  }

  #referenceList(ids: readonly string[]): XmlElement {
    const references = ids.map((id) => make(this.#document, 'xenc', 'DataReference', { URI: `#${id}` }));
    return make(this.#document, 'xenc', 'ReferenceList', {}, references);
  }

  #appendProtected(element: XmlElement): void {
    this.#firstProtected ??= element;
    this.#security.appendChild(element);
  }

  #afterTokens(): XmlElement | null {
    return this.#firstProtected ?? null;
  }
}

interface SessionKey {
  readonly secret: Buffer;
  /** A new reference element each time. */
  reference(): XmlElement;
}
