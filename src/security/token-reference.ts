import type { X509Certificate } from 'node:crypto';
import { elementChildren, type XmlDocument, type XmlElement } from '../xml/index.ts';
import { certificateOf, issuerName, sameName, serialNumber, subjectKeyIdentifier, thumbprint } from './certificates.ts';
import { base64Text, ensureId, isNamed, make, requiredChild, trimmedText } from './elements.ts';
import { NAMESPACES, TOKEN_TYPES } from './names.ts';
import type { TokenReferenceKind } from './policy.ts';
import { SecurityFailure, SecuritySetupError } from './security-failure.ts';

/** What a `<wsse:SecurityTokenReference>` points at. */
export type TokenReference =
  | { readonly kind: 'element'; readonly id: string }
  | { readonly kind: 'thumbprint' | 'subjectKeyIdentifier' | 'encryptedKey'; readonly value: string }
  | { readonly kind: 'certificate'; readonly certificate: X509Certificate }
  | { readonly kind: 'issuerSerial'; readonly issuer: string; readonly serial: string };

/**
 * The reference of a `<ds:KeyInfo>`.
 * @throws SecurityFailure for any that is not known
 */
export function readKeyInfo(keyInfo: XmlElement): TokenReference {
  return readTokenReference(requiredChild(keyInfo, 'wsse', 'SecurityTokenReference'));
}

/** As {@link readKeyInfo}. */
export function readTokenReference(reference: XmlElement): TokenReference {
  const [child, second] = elementChildren(reference);
  if (!child || second) throw new SecurityFailure('InvalidSecurity', 'a token reference names not exactly one token');
  if (isNamed(child, 'wsse', 'Reference')) {
    const uri = child.getAttribute('URI') ?? '';
    if (uri.startsWith('#') && uri.length > 1) return { kind: 'element', id: uri.slice(1) };
  } else if (isNamed(child, 'wsse', 'KeyIdentifier')) return readKeyIdentifier(child);
  else if (isNamed(child, 'ds', 'X509Data')) {
    const serial = requiredChild(child, 'ds', 'X509IssuerSerial');
    return {
      kind: 'issuerSerial',
      issuer: trimmedText(requiredChild(serial, 'ds', 'X509IssuerName')),
      serial: trimmedText(requiredChild(serial, 'ds', 'X509SerialNumber')),
    };
  }
  throw new SecurityFailure('UnsupportedSecurityToken', `a token reference by <${child.localName}> is not supported`);
}

function readKeyIdentifier(element: XmlElement): TokenReference {
  const value = base64Text(element);
  switch (element.getAttribute('ValueType')) {
    case TOKEN_TYPES.thumbprint:
      return { kind: 'thumbprint', value };
    case TOKEN_TYPES.subjectKeyIdentifier:
      return { kind: 'subjectKeyIdentifier', value };
    case TOKEN_TYPES.encryptedKeySha1:
      return { kind: 'encryptedKey', value };
    case TOKEN_TYPES.x509:
      return { kind: 'certificate', certificate: certificateOf(value) };
    default:
      throw new SecurityFailure('UnsupportedSecurityToken', 'the kind of a KeyIdentifier is not supported');
  }
}

/** Does a reference mean this certificate? */
export function means(reference: TokenReference, certificate: X509Certificate): boolean {
  switch (reference.kind) {
    case 'thumbprint':
      return thumbprint(certificate) === reference.value;
    case 'subjectKeyIdentifier':
      return subjectKeyIdentifier(certificate) === reference.value;
    case 'certificate':
      return certificate.raw.equals(reference.certificate.raw);
    case 'issuerSerial':
      return serialNumber(certificate) === reference.serial && sameName(reference.issuer, issuerName(certificate));
    default:
      return false;
  }
}

/** A reference to a certificate that the other side has. @throws SecuritySetupError */
export function referenceToCertificate(
  document: XmlDocument,
  kind: TokenReferenceKind,
  certificate: X509Certificate,
): XmlElement {
  if (kind === 'thumbprint') return byIdentifier(document, TOKEN_TYPES.thumbprint, thumbprint(certificate));
  if (kind === 'issuerSerial') {
    const serial = make(document, 'ds', 'X509IssuerSerial', {}, [
      make(document, 'ds', 'X509IssuerName', {}, issuerName(certificate)),
      make(document, 'ds', 'X509SerialNumber', {}, serialNumber(certificate)),
    ]);
    return referring(document, make(document, 'ds', 'X509Data', {}, [serial]));
  }
  const identifier = subjectKeyIdentifier(certificate);
  if (identifier !== undefined) return byIdentifier(document, TOKEN_TYPES.subjectKeyIdentifier, identifier);
  throw new SecuritySetupError('the policy wants references by key identifier, and the certificate has none');
}

/** A reference to the key that an EncryptedKey of an earlier message brought. */
export function referenceToEncryptedKey(document: XmlDocument, sha1: string): XmlElement {
  return ofEncryptedKey(byIdentifier(document, TOKEN_TYPES.encryptedKeySha1, sha1));
}

/** A reference to an EncryptedKey in the same message. */
export function referenceToNewKey(document: XmlDocument, id: string): XmlElement {
  return ofEncryptedKey(referring(document, make(document, 'wsse', 'Reference', { URI: `#${id}` })));
}

/** The Basic Security Profile wants it said what such references lead to. */
function ofEncryptedKey(reference: XmlElement): XmlElement {
  reference.setAttributeNS(NAMESPACES.wsse11, 'wsse11:TokenType', TOKEN_TYPES.encryptedKey);
  return reference;
}

function byIdentifier(document: XmlDocument, type: string, value: string): XmlElement {
  const attributes = { EncodingType: TOKEN_TYPES.base64, ValueType: type };
  return referring(document, make(document, 'wsse', 'KeyIdentifier', attributes, value));
}

/** A reference to a token in the same message. */
export function referenceToElement(document: XmlDocument, id: string, type?: string): XmlElement {
  const attributes = { URI: `#${id}`, ...(type !== undefined && { ValueType: type }) };
  return referring(document, make(document, 'wsse', 'Reference', attributes));
}

function referring(document: XmlDocument, child: XmlElement): XmlElement {
  return make(document, 'wsse', 'SecurityTokenReference', {}, [child]);
}

/** A `<wsse:BinarySecurityToken>`: the certificate itself. */
export function binaryToken(document: XmlDocument, certificate: X509Certificate): { element: XmlElement; id: string } {
  const attributes = { EncodingType: TOKEN_TYPES.base64, ValueType: TOKEN_TYPES.x509 };
  const text = certificate.raw.toString('base64');
  const element = make(document, 'wsse', 'BinarySecurityToken', attributes, text);
  return { element, id: ensureId(element, 'X509') };
}

/** @throws SecurityFailure for anything but one X.509 certificate */
export function readBinaryToken(element: XmlElement): X509Certificate {
  if (element.getAttribute('ValueType') !== TOKEN_TYPES.x509)
    throw new SecurityFailure('UnsupportedSecurityToken', 'a BinarySecurityToken is no X.509 certificate');
  return certificateOf(base64Text(element));
}
