import type { XmlElement } from '../xml/index.ts';
import { nestedAssertions } from './assertions.ts';
import type { TokenInclusion, TokenReferenceKind, X509TokenPolicy } from './policy.ts';

/** What holds where a token says nothing. */
export interface TokenDefaults {
  readonly reference: TokenReferenceKind;
}

const INCLUSIONS: Readonly<Record<string, TokenInclusion>> = {
  Always: 'always',
  AlwaysToRecipient: 'alwaysToRecipient',
  AlwaysToInitiator: 'alwaysToInitiator',
  Once: 'once',
  Never: 'never',
};
const REFERENCES: Readonly<Record<string, TokenReferenceKind>> = {
  RequireThumbprintReference: 'thumbprint',
  RequireIssuerSerialReference: 'issuerSerial',
  RequireKeyIdentifierReference: 'subjectKeyIdentifier',
};
const TOKEN_KINDS: ReadonlySet<string> = new Set(['WssX509V3Token10', 'WssX509V3Token11']);
const DERIVED: ReadonlySet<string> = new Set(['RequireDerivedKeys', 'RequireExplicitDerivedKeys']);

/** Reads an `<X509Token>`; a text says why another token is refused. */
export function readX509Token(token: XmlElement, defaults: TokenDefaults): X509TokenPolicy | string {
  if (token.localName !== 'X509Token') return ': keys come from X.509 certificates';
  let { reference } = defaults;
  let derivedKeys = false;
  for (const { localName } of nestedAssertions(token)) {
    const name = localName ?? '';
    const wanted = REFERENCES[name];
    if (wanted) reference = wanted;
    else if (DERIVED.has(name)) derivedKeys = true;
    else if (!TOKEN_KINDS.has(name)) return `: <${name}> inside`;
  }
  return { inclusion: inclusionOf(token), reference, derivedKeys };
}

function inclusionOf(token: XmlElement): TokenInclusion {
  const { attributes } = token;
  for (let index = 0; index < attributes.length; index += 1) {
    const attribute = attributes[index];
    if (attribute?.localName !== 'IncludeToken') continue;
    return INCLUSIONS[attribute.value.slice(attribute.value.lastIndexOf('/') + 1)] ?? 'always';
  }
  return 'always';
}

/** Does the token go along in messages of that direction? */
export function goesAlong({ inclusion }: X509TokenPolicy, from: 'initiator' | 'recipient'): boolean {
  if (inclusion === 'always' || inclusion === 'once') return true;
  return from === 'initiator' ? inclusion === 'alwaysToRecipient' : inclusion === 'alwaysToInitiator';
}
