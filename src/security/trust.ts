import type { X509Certificate } from 'node:crypto';
import { isCurrent } from './certificates.ts';
import type { KeyStore } from './key-store.ts';

/** Issuers between a certificate and one that is trusted. */
const MAX_ISSUERS = 5;

/** The certificates that make others trusted: entries of key stores, the certificates of own keys, not those keys' issuers. */
export function trustedCertificates(stores: readonly KeyStore[]): X509Certificate[] {
  return stores.flatMap(({ keys, certificates }) => [...certificates, ...keys].map(({ certificate }) => certificate));
}

/**
 * Is the certificate trusted at that time (epoch ms): itself in a store, or issued, over authorities that are all there, by one that is?
 * Certificates that only the message brings along prove nothing. Revocation is not looked up.
 */
export function isTrusted(certificate: X509Certificate, trusted: readonly X509Certificate[], now: number): boolean {
  let current = certificate;
  for (let issuers = 0; issuers <= MAX_ISSUERS; issuers += 1) {
    if (!isCurrent(current, now)) return false;
    const subject = current;
    if (trusted.some(({ raw }) => raw.equals(subject.raw))) return true;
    const issuer = trusted.find((candidate) => candidate.ca && issuedBy(subject, candidate));
    if (!issuer) return false;
    current = issuer;
  }
  return false;
}

function issuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
