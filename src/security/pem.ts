import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chainOf } from './certificates.ts';
import type { CertificateEntry, KeyEntry } from './key-store.ts';
import { SecuritySetupError } from './security-failure.ts';

const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,40})-----[\s\S]{1,100000}?-----END \1-----/g;
/** The alias of a key in a file that has no names. */
const ALIAS = 'key';

/**
 * Reads a PEM file: at most one private key, whose certificate is found by it, and certificates. The key's alias is `key`, a certificate's
 * is the common name of its subject.
 * @throws SecuritySetupError
 */
export function readPem(text: string): { keys: readonly KeyEntry[]; certificates: readonly CertificateEntry[] } {
  const blocks = [...text.matchAll(BLOCK)];
  const certificates = blocks
    .filter(([, label]) => label === 'CERTIFICATE')
    .map(([pem]) => new X509Certificate(pem))
    .map((certificate) => ({ alias: commonName(certificate), certificate }));
  const [keyBlock, second] = blocks.filter(([, label]) => label?.endsWith('PRIVATE KEY'));
  if (second) throw new SecuritySetupError('it holds more than one private key');
  if (!keyBlock) return { keys: [], certificates };
  const pem = keyBlock[0];
  const encrypted = keyBlock[1]?.startsWith('ENCRYPTED') || pem.includes('ENCRYPTED');
  const privateKey = (password: string) => {
    try {
      return createPrivateKey(encrypted ? { key: pem, passphrase: password } : pem);
    } catch (cause) {
      throw new SecuritySetupError('the password of its private key is wrong', { cause });
    }
  };
  const own = encrypted
    ? certificates[0]
    : certificates.find(({ certificate }) => certificate.checkPrivateKey(privateKey('')));
  if (!own) throw new SecuritySetupError('its private key has no certificate');
  const chain = chainOf(
    own.certificate,
    certificates.map(({ certificate }) => certificate),
  );
  return {
    keys: [{ alias: ALIAS, certificate: own.certificate, chain, privateKey }],
    certificates: certificates.filter(({ certificate }) => !chain.includes(certificate)),
  };
}

function commonName({ subject }: X509Certificate): string {
  return /^CN=(.*)$/m.exec(subject ?? '')?.[1] ?? '';
}
