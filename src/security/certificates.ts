import { createHash, X509Certificate } from 'node:crypto';
import { DER_TAGS, DerError, readDer } from './der.ts';
import { SecurityFailure } from './security-failure.ts';

/** The SHA-1 of a certificate, by which references name it; a name, no proof of anything. Base64. */
export function thumbprint(certificate: X509Certificate): string {
  return createHash('sha1').update(certificate.raw).digest('base64');
}

const SUBJECT_KEY_IDENTIFIER = Buffer.from('0603551d0e', 'hex');

/** The extension SubjectKeyIdentifier, Base64; undefined for a certificate without one. */
export function subjectKeyIdentifier({ raw }: X509Certificate): string | undefined {
  const at = raw.indexOf(SUBJECT_KEY_IDENTIFIER);
  if (at === -1) return undefined;
  // Extension ::= SEQUENCE { id, [critical], value OCTET STRING holding an OCTET STRING }
  const [outer] = readDer(
    raw.subarray(at + SUBJECT_KEY_IDENTIFIER.length, raw.length).subarray(0, wholeLength(raw, at)),
  );
  if (outer?.tag !== DER_TAGS.octetString) return undefined;
  const [inner] = readDer(outer.content);
  return inner?.tag === DER_TAGS.octetString ? inner.content.toString('base64') : undefined;
}

/** The extension's value is short: its length stands in one byte. */
function wholeLength(raw: Buffer, at: number): number {
  return 2 + ((raw[at + SUBJECT_KEY_IDENTIFIER.length + 1] ?? 0) & 0x7f);
}

/**
 * A certificate of a message.
 * @throws SecurityFailure InvalidSecurityToken
 */
export function certificateOf(base64: string): X509Certificate {
  try {
    return new X509Certificate(Buffer.from(base64, 'base64'));
  } catch (cause) {
    throw new SecurityFailure('InvalidSecurityToken', 'a token is no X.509 certificate', cause);
  }
}

/** The serial number, decimal, as references write it. */
export function serialNumber({ serialNumber }: X509Certificate): string {
  return BigInt(`0x${serialNumber}`).toString();
}

/** The issuer as RFC 2253 writes it: the last name first. */
export function issuerName({ issuer }: X509Certificate): string {
  return issuer
    .split('\n')
    .reverse()
    .map((line) =>
      line
        .split(/(?<!\\)\+/)
        .map(writtenName)
        .join('+'),
    )
    .join(',');
}

function writtenName(name: string): string {
  const mark = name.indexOf('=');
  const [type, value] = [name.slice(0, mark), name.slice(mark + 1)];
  const known = type === 'emailAddress' ? 'EMAILADDRESS' : type;
  return `${known}=${value.replace(/(?<!\\)[,+"<>;]/g, '\\$&')}`;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  EMAILADDRESS: 'EMAIL',
  E: 'EMAIL',
  'OID.1.2.840.113549.1.9.1': 'EMAIL',
  '1.2.840.113549.1.9.1': 'EMAIL',
  '2.5.4.5': 'SERIALNUMBER',
  S: 'ST',
};

/**
 * Do two issuer names mean the same? The order of their parts, blanks and the case of letters are written differently by different
 * software; the serial number that goes with a name decides.
 */
export function sameName(left: string, right: string): boolean {
  const parts = nameParts(left);
  const others = nameParts(right);
  return parts.length === others.length && parts.every((part, index) => part === others[index]);
}

function nameParts(name: string): string[] {
  const parts = name.match(/(?:[^,+\\"]|\\.|"(?:[^"\\]|\\.)*")+/g) ?? [];
  return parts
    .map((part) => {
      const mark = part.indexOf('=');
      const type = part.slice(0, mark).trim().toUpperCase();
      const value = nameValue(part.slice(mark + 1).trim()).replace(/\s+/g, ' ');
      return `${TYPE_NAMES[type] ?? type}=${value.toLowerCase()}`;
    })
    .sort();
}

/** Quoted, escaped, or `#` and the hexadecimal encoding, which Java writes for types that it has no name for. */
function nameValue(written: string): string {
  if (!/^#(?:[0-9a-f]{2})+$/i.test(written))
    return written.replace(/^"(.*)"$/, '$1').replace(/\\([^0-9a-fA-F])/g, '$1');
  try {
    return readDer(Buffer.from(written.slice(1), 'hex'))[0]?.content.toString('utf8') ?? '';
  } catch (error) {
    if (error instanceof DerError) return written;
    throw error;
  }
}

/** Is the certificate valid at that time (epoch ms)? */
export function isCurrent(certificate: X509Certificate, now: number): boolean {
  return Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo);
}

/** A certificate and those of its issuers, as far as they are there. */
export function chainOf(first: X509Certificate, others: readonly X509Certificate[]): X509Certificate[] {
  const chain = [first];
  for (let last = first; ; ) {
    const issuer = others.find((other) => !chain.includes(other) && last.checkIssued(other));
    if (!issuer) return chain;
    chain.push(issuer);
    last = issuer;
  }
}
