import type { KeyObject, X509Certificate } from 'node:crypto';
import { SecuritySetupError } from './security-failure.ts';
import { means, type TokenReference } from './token-reference.ts';
import { isTrusted } from './trust.ts';

/** A certificate with its private key. */
export interface OwnKey {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/** The keys that one policy works with. What is missing is an error only when it is needed. */
export interface MessageKeys {
  /** What this side signs with. @throws SecuritySetupError */
  signing(): OwnKey;
  /**
   * Whose certificate messages are encrypted for; undefined: that of whoever signed the request (`useReqSigCert`).
   * @throws SecuritySetupError
   */
  encryption(): X509Certificate | undefined;
  /** The private key of the certificate that a reference means. @throws SecuritySetupError when its password is wrong */
  decryption(reference: TokenReference): KeyObject | undefined;
  /** Certificates that are known without going along in a message. */
  readonly certificates: readonly X509Certificate[];
  /** Those that make others trusted. */
  readonly trusted: readonly X509Certificate[];
}

/** The certificate of a signature, found by a reference or brought by the message; undefined when it is not known. */
export function findCertificate(keys: MessageKeys, reference: TokenReference): X509Certificate | undefined {
  if (reference.kind === 'certificate') return reference.certificate;
  return keys.certificates.find((certificate) => means(reference, certificate));
}

export function isTrustedBy(keys: MessageKeys, certificate: X509Certificate, now: number): boolean {
  return isTrusted(certificate, keys.trusted, now);
}

/** For policies that need none. */
export const NO_KEYS: MessageKeys = {
  signing: missing,
  encryption: missing,
  decryption: () => undefined,
  certificates: [],
  trusted: [],
};

function missing(): never {
  throw new SecuritySetupError(
    'there is no key store: say where it is in the policy (rampart:signatureCrypto) or in deployment.toml ([keystore.primary])',
  );
}
