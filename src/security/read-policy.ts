import { elementChildren, type XmlElement } from '../xml/index.ts';
import { type AlgorithmSuite, algorithmSuite } from './algorithm-suite.ts';
import { alternativesOf, isSecurityAssertion, nestedAssertions } from './assertions.ts';
import { NAMESPACES } from './names.ts';
import type { Binding, HeaderName, SecurityPolicy, SignedParts, UsernameTokenPolicy } from './policy.ts';
import { readAllowedRoles, readRampart } from './read-rampart.ts';
import { readX509Token, type TokenDefaults } from './read-token.ts';

/** Something in a policy that cannot be had here. */
export interface PolicyProblem {
  readonly element: XmlElement;
  readonly message: string;
}

/** What was read of a policy: unusable as long as there are problems, for messages must not be secured less than it says. */
export interface PolicyReading {
  readonly policy: SecurityPolicy;
  readonly problems: readonly PolicyProblem[];
}

/** Reads a `<wsp:Policy>` with assertions of WS-SecurityPolicy 1.1 to 1.3; of several alternatives the first that is supported. */
export function readPolicy(policy: XmlElement): PolicyReading {
  const children = elementChildren(policy);
  const id = policy.getAttributeNS(NAMESPACES.wsu, 'Id') || policy.getAttribute('Id');
  const outside = { allowedRoles: readAllowedRoles(policy) };
  const alternatives = id === 'NoSecurity' ? [[]] : alternativesOf(policy);
  const rampart = children.find(({ localName }) => localName === 'RampartConfig');
  const readings = alternatives.map((assertions) =>
    new AlternativeReader(outside.allowedRoles).read(assertions, rampart),
  );
  const first = readings.find(({ problems }) => problems.length === 0) ?? readings[0];
  return first ?? new AlternativeReader(outside.allowedRoles).read([], rampart);
}

/** Assertions that change nothing here: what they allow is what is done anyway. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'Layout',
  'OnlySignEntireHeadersAndBody',
  'MustSupportRefKeyIdentifier',
  'MustSupportRefIssuerSerial',
  'MustSupportRefExternalURI',
  'MustSupportRefEmbeddedToken',
  'MustSupportRefThumbprint',
  'MustSupportRefEncryptedKey',
  'MustSupportClientChallenge',
  'MustSupportServerChallenge',
  'RequireClientEntropy',
  'RequireServerEntropy',
  'MustSupportIssuedTokens',
  'Trust10',
  'Trust13',
]);
const SUPPORTING_TOKENS = /^(Signed|SignedEncrypted|Encrypted)?SupportingTokens$/;

class AlternativeReader {
  readonly #problems: PolicyProblem[] = [];
  readonly #allowedRoles: readonly string[];

  constructor(allowedRoles: readonly string[]) {
    this.#allowedRoles = allowedRoles;
  }

  read(assertions: readonly XmlElement[], rampartBeside: XmlElement | undefined): PolicyReading {
    let binding: Binding | undefined;
    let usernameToken: UsernameTokenPolicy | undefined;
    let signed: SignedParts = { body: false, allHeaders: false, headers: [] };
    let encryptedBody = false;
    let signatureConfirmation = false;
    const requiredHeaders: HeaderName[] = [];
    let rampart = rampartBeside;
    const defaults = tokenDefaults(assertions);
    for (const assertion of assertions) {
      const { localName } = assertion;
      if (localName === 'RampartConfig') rampart ??= assertion;
      if (!isSecurityAssertion(assertion)) continue;
      if (localName?.endsWith('Binding')) binding = this.#binding(assertion, defaults) ?? binding;
      else if (localName === 'SignedParts') signed = joined(signed, this.#signedParts(assertion));
      else if (localName === 'EncryptedParts') encryptedBody = this.#encryptedParts(assertion) || encryptedBody;
      else if (localName === 'RequiredParts') requiredHeaders.push(...this.#headers(assertion));
      else if (localName === 'Wss10' || localName === 'Wss11') {
        signatureConfirmation = this.#wss(assertion) || signatureConfirmation;
      } else if (SUPPORTING_TOKENS.test(localName ?? '')) usernameToken = this.#supporting(assertion) ?? usernameToken;
      else this.#unlessWithoutEffect(assertion);
    }
    this.#checkTogether(assertions, binding, usernameToken, signed.body || encryptedBody);
    return {
      policy: {
        binding,
        usernameToken,
        signed,
        encryptedBody,
        requiredHeaders,
        signatureConfirmation,
        rampart: readRampart(rampart),
        allowedRoles: this.#allowedRoles,
      },
      problems: this.#problems,
    };
  }

  #unsupported(element: XmlElement, why = ''): undefined {
    this.#problems.push({ element, message: `the security assertion <${element.localName}> is not supported${why}` });
    return undefined;
  }

  #unlessWithoutEffect(assertion: XmlElement): void {
    if (!WITHOUT_EFFECT.has(assertion.localName ?? '')) this.#unsupported(assertion);
  }

  #binding(assertion: XmlElement, defaults: TokenDefaults): Binding | undefined {
    const parts = new Map(nestedAssertions(assertion).map((part) => [part.localName ?? '', part]));
    const has = (name: string) => parts.delete(name);
    const suite = this.#suite(parts.get('AlgorithmSuite') ?? assertion);
    has('AlgorithmSuite');
    const common = {
      suite,
      timestamp: has('IncludeTimestamp'),
      encryptBeforeSigning: has('EncryptBeforeSigning'),
      encryptSignature: has('EncryptSignature'),
      protectTokens: has('ProtectTokens'),
    };
    has('SignBeforeEncrypting');
    const binding = this.#tokens(assertion, parts, common, defaults);
    for (const part of parts.values()) this.#unlessWithoutEffect(part);
    if (common.encryptBeforeSigning && common.encryptSignature)
      this.#unsupported(assertion, ': EncryptSignature together with EncryptBeforeSigning');
    return binding;
  }

  #tokens(
    assertion: XmlElement,
    parts: Map<string, XmlElement>,
    common: Omit<Binding, 'kind'>,
    defaults: TokenDefaults,
  ): Binding | undefined {
    const token = (name: string) => {
      const holder = parts.get(name);
      parts.delete(name);
      const found = holder && nestedAssertions(holder)[0];
      if (!found) return this.#unsupported(holder ?? assertion, `: it names no ${name}`);
      const read = readX509Token(found, defaults);
      if (typeof read !== 'string') return read;
      return this.#unsupported(found, read);
    };
    switch (assertion.localName) {
      case 'TransportBinding': {
        this.#transportToken(parts.get('TransportToken'));
        parts.delete('TransportToken');
        return { kind: 'transport', ...common };
      }
      case 'AsymmetricBinding': {
        const initiator = token('InitiatorToken');
        const recipient = token('RecipientToken');
        if (initiator?.derivedKeys || recipient?.derivedKeys)
          return this.#unsupported(assertion, ' with <RequireDerivedKeys>');
        return initiator && recipient && { kind: 'asymmetric', ...common, initiator, recipient };
      }
      case 'SymmetricBinding': {
        const protection = token('ProtectionToken');
        return protection && { kind: 'symmetric', ...common, protection };
      }
      default:
        return this.#unsupported(assertion);
    }
  }

  #transportToken(holder: XmlElement | undefined): void {
    const [token] = holder ? nestedAssertions(holder) : [];
    if (!token) return;
    if (token.localName !== 'HttpsToken') {
      this.#unsupported(token);
      return;
    }
    const nested = nestedAssertions(token).find(({ localName }) => localName !== 'HttpBasicAuthentication');
    if (token.getAttribute('RequireClientCertificate') === 'true' || nested?.localName === 'RequireClientCertificate')
      this.#unsupported(nested ?? token, ': the listener does not ask for certificates of clients');
    else if (nested) this.#unsupported(nested);
  }

  #suite(holder: XmlElement): AlgorithmSuite {
    const fallback = algorithmSuite('Basic256') as AlgorithmSuite;
    const [first, ...others] = nestedAssertions(holder);
    for (const other of others) this.#unsupported(other);
    const suite = first && algorithmSuite(first.localName ?? '');
    if (suite) return suite;
    if (holder.localName === 'AlgorithmSuite') this.#unsupported(first ?? holder);
    else this.#unsupported(holder, ' without an <AlgorithmSuite>');
    return fallback;
  }

  #signedParts(assertion: XmlElement): SignedParts {
    const children = elementChildren(assertion);
    const body = children.length === 0 || children.some(({ localName }) => localName === 'Body');
    return { body, allHeaders: children.length === 0, headers: this.#headers(assertion) };
  }

  #encryptedParts(assertion: XmlElement): boolean {
    const others = elementChildren(assertion).filter(({ localName }) => localName !== 'Body');
    for (const other of others) this.#unsupported(other, ' inside <EncryptedParts>: only the Body is encrypted');
    return true;
  }

  #headers(assertion: XmlElement): HeaderName[] {
    const headers: HeaderName[] = [];
    for (const part of elementChildren(assertion)) {
      if (part.localName === 'Header') {
        headers.push({ namespace: part.getAttribute('Namespace') ?? '', name: part.getAttribute('Name') || undefined });
      } else if (part.localName !== 'Body') this.#unsupported(part, ` inside <${assertion.localName}>`);
    }
    return headers;
  }

  /** True: signatures are confirmed. */
  #wss(assertion: XmlElement): boolean {
    let confirmed = false;
    for (const nested of nestedAssertions(assertion)) {
      if (nested.localName === 'RequireSignatureConfirmation') confirmed = true;
      else this.#unlessWithoutEffect(nested);
    }
    return confirmed;
  }

  #supporting(assertion: XmlElement): UsernameTokenPolicy | undefined {
    const kind = SUPPORTING_TOKENS.exec(assertion.localName ?? '')?.[1] ?? '';
    let found: UsernameTokenPolicy | undefined;
    for (const token of nestedAssertions(assertion)) {
      if (token.localName !== 'UsernameToken') this.#unsupported(token, ` inside <${assertion.localName}>`);
      else found = this.#usernameToken(token, kind.includes('Signed'), kind.includes('Encrypted'));
    }
    return found;
  }

  #usernameToken(token: XmlElement, signed: boolean, encrypted: boolean): UsernameTokenPolicy {
    let password: UsernameTokenPolicy['password'] = 'text';
    for (const nested of nestedAssertions(token)) {
      const { localName } = nested;
      if (localName === 'HashPassword') password = 'digest';
      else if (localName === 'NoPassword') password = 'none';
      // Both are always written, and a nonce is always looked at.
      else if (
        localName !== 'WssUsernameToken10' &&
        localName !== 'WssUsernameToken11' &&
        localName !== 'Nonce' &&
        localName !== 'Created'
      )
        this.#unsupported(nested);
    }
    if (password === 'none') this.#unsupported(token, ' without a password: it proves nothing');
    return { password, signed, encrypted };
  }

  #checkTogether(
    assertions: readonly XmlElement[],
    binding: Binding | undefined,
    token: UsernameTokenPolicy | undefined,
    protectedParts: boolean,
  ): void {
    const [first] = assertions;
    if (!first || this.#problems.length > 0) return;
    const say = (message: string) => this.#problems.push({ element: first, message });
    if (protectedParts && !binding) say('parts are to be signed or encrypted, and no binding says how');
    if (token?.encrypted && binding?.kind === undefined) say('a token is to be encrypted, and no binding says how');
    if (token?.encrypted && binding?.encryptBeforeSigning)
      say('an encrypted supporting token together with <EncryptBeforeSigning> is not supported');
  }
}

function joined(left: SignedParts, right: SignedParts): SignedParts {
  return {
    body: left.body || right.body,
    allHeaders: left.allHeaders || right.allHeaders,
    headers: [...left.headers, ...right.headers],
  };
}

/** References by thumbprint need WSS 1.1. */
function tokenDefaults(assertions: readonly XmlElement[]): TokenDefaults {
  const wss11 = assertions.find((assertion) => assertion.localName === 'Wss11' && isSecurityAssertion(assertion));
  const thumbprint = wss11 && nestedAssertions(wss11).some(({ localName }) => localName === 'MustSupportRefThumbprint');
  return { reference: thumbprint ? 'thumbprint' : 'issuerSerial' };
}
