import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';

/*
 * What brokers and databases are trusted by: the certificates that a store names and no others, else those of the configuration
 * beside the well-known ones, else the well-known ones. What cannot be read is an error of the deployment (REQ-38).
 */

/** A file of trusted certificates cannot be used; the message names it. */
export class TrustError extends Error {
  override readonly name = 'TrustError';
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** As `ca` of tls.connect; undefined: the well-known authorities. */
export function trustedBy(own: string | undefined, configured: string | undefined): readonly string[] | undefined {
  if (own !== undefined) return [own];
  return configured === undefined ? undefined : [...rootCertificates, configured];
}

/**
 * Reads a PEM file with at least one certificate. `what` says who names it.
 * @throws TrustError
 */
export function readTrusted(file: string, what: string): string {
  let pem: string;
  try {
    pem = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new TrustError(`${what}: ${(cause as Error).message}`, { cause });
  }
  const certificates = pem.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) throw new TrustError(`${what}: ${file} has no certificate (PEM)`);
  try {
    for (const certificate of certificates) new X509Certificate(certificate);
  } catch (cause) {
    throw new TrustError(`${what}: ${file} has a damaged certificate`, { cause });
  }
  return pem;
}

/** What to do about a TLS connection that did not come about; empty when nothing can be said. */
export function tlsAdvice(
  cause: unknown,
  { trust, otherHost }: { readonly trust: string; readonly otherHost?: string },
): string {
  const { code = '', message = '' } = (cause ?? {}) as { code?: string; message?: string };
  // mysql2 has one code for all of them.
  const said = `${code} ${message}`;
  if (/CERT_HAS_EXPIRED|certificate has expired/.test(said)) return ' (the certificate must be renewed)';
  if (/ALTNAME|altnames/.test(said)) return otherHost === undefined ? '' : ` (${otherHost})`;
  if (/ALERT/.test(code)) return ' (our certificate is refused, or one is wanted)';
  if (/CERT|ISSUER|SIGNATURE|self-signed certificate|unable to (?:verify|get)/.test(said)) return ` (${trust})`;
  return /EPROTO|ERR_SSL_(?:WRONG_VERSION|PACKET_LENGTH)/.test(code) ? ' (does this port speak TLS?)' : '';
}
