import { ALGORITHMS } from './names.ts';

/** What a message may be signed and encrypted with. Of each list the first is used, the others are accepted, too. */
export interface AlgorithmSuite {
  readonly name: string;
  readonly digests: readonly string[];
  readonly asymmetricSignatures: readonly string[];
  readonly symmetricSignatures: readonly string[];
  readonly ciphers: readonly string[];
  readonly keyTransports: readonly string[];
  /** Of the key of the cipher, and of one that is derived for it, bytes. */
  readonly encryptionKeyBytes: number;
  /** Of a key that is derived for signatures, bytes. */
  readonly derivedSignatureKeyBytes: number;
}

/** Shorter RSA keys are refused, bits: the smallest that any suite of WS-SecurityPolicy allows. */
export const SHORTEST_RSA_KEY = 1024;

interface Strength {
  readonly cbc: string;
  readonly gcm: string | undefined;
  readonly encryptionKeyBytes: number;
  readonly derivedSignatureKeyBytes: number;
}

const STRENGTHS: Readonly<Record<string, Strength>> = {
  Basic256: {
    cbc: ALGORITHMS.aes256Cbc,
    gcm: ALGORITHMS.aes256Gcm,
    encryptionKeyBytes: 32,
    derivedSignatureKeyBytes: 24,
  },
  Basic192: {
    cbc: ALGORITHMS.aes192Cbc,
    gcm: ALGORITHMS.aes192Gcm,
    encryptionKeyBytes: 24,
    derivedSignatureKeyBytes: 24,
  },
  Basic128: {
    cbc: ALGORITHMS.aes128Cbc,
    gcm: ALGORITHMS.aes128Gcm,
    encryptionKeyBytes: 16,
    derivedSignatureKeyBytes: 16,
  },
  TripleDes: { cbc: ALGORITHMS.tripleDesCbc, gcm: undefined, encryptionKeyBytes: 24, derivedSignatureKeyBytes: 24 },
};
const NAME = /^(Basic256|Basic192|Basic128|TripleDes)(?:(Sha256)?(Rsa15)?|(GCM))$/;

/**
 * The suite of a policy's `<AlgorithmSuite>` (WS-SecurityPolicy 1.2, 6.1), or one of the `…GCM` suites that CXF added to them. In the
 * `Sha256` suites only digests change: that is how the specification defines them; stronger signatures are accepted there.
 * @returns undefined for a suite that is not known
 */
export function algorithmSuite(name: string): AlgorithmSuite | undefined {
  const [, strengthName, sha256, rsa15, gcm] = NAME.exec(name) ?? [];
  const strength = STRENGTHS[strengthName ?? ''];
  if (!strength || (gcm && !strength.gcm)) return undefined;
  const { encryptionKeyBytes, derivedSignatureKeyBytes } = strength;
  return {
    name,
    digests: [sha256 || gcm ? ALGORITHMS.sha256 : ALGORITHMS.sha1],
    asymmetricSignatures: signatures(ALGORITHMS.rsaSha1, ALGORITHMS.rsaSha256, sha256, gcm),
    symmetricSignatures: signatures(ALGORITHMS.hmacSha1, ALGORITHMS.hmacSha256, sha256, gcm),
    ciphers: [gcm && strength.gcm ? strength.gcm : strength.cbc],
    keyTransports: [rsa15 ? ALGORITHMS.rsa15 : ALGORITHMS.rsaOaep],
    encryptionKeyBytes,
    derivedSignatureKeyBytes,
  };
}

function signatures(sha1: string, sha256: string, inDigests: string | undefined, gcm: string | undefined): string[] {
  if (gcm) return [sha256];
  return inDigests ? [sha1, sha256] : [sha1];
}
