import { generateKeyPairSync } from 'node:crypto';
import { isIP } from 'node:net';
import forge from 'node-forge';

/*
 * Certificates made for one test run: an authority of our own, and what it signs. Nothing else trusts them.
 */

/** PEM. */
export interface KeyAndCertificate {
  readonly key: string;
  readonly certificate: string;
}

export interface CertificateWish {
  /** Host names and IP addresses. */
  readonly names: readonly string[];
  /** Until yesterday. */
  readonly expired?: boolean;
}

export interface TestAuthority {
  /** PEM: what clients trust. */
  readonly certificate: string;
  issue(wish: CertificateWish): KeyAndCertificate;
}

/** The password of {@link pkcs12}. */
export const PKCS12_PASSWORD = 'changeit';

const DAY_MS = 86_400_000;
const DNS_NAME = 2;
const IP_ADDRESS = 7;
let serial = 0;

/** A new authority. */
export function testAuthority(name = 'mini-synapse tests'): TestAuthority {
  const key = newKey();
  const subject = [{ name: 'commonName', value: name }];
  const certificate = sign({ key, signer: key, subject, issuer: subject, extensions: AUTHORITY });
  return {
    certificate,
    issue({ names, expired = false }) {
      const own = newKey();
      const altNames = names.map((each) =>
        isIP(each) ? { type: IP_ADDRESS, ip: each } : { type: DNS_NAME, value: each },
      );
      const extensions = [
        { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
        { name: 'subjectAltName', altNames },
      ];
      const server = [{ name: 'commonName', value: names[0] ?? 'nobody' }];
      return {
        key: own,
        certificate: sign({ key: own, signer: key, subject: server, issuer: subject, extensions, expired }),
      };
    },
  };
}

/** The key with its certificate as Java servers take them, under {@link PKCS12_PASSWORD}. */
export function pkcs12({ key, certificate }: KeyAndCertificate): Buffer {
  const store = forge.pkcs12.toPkcs12Asn1(
    forge.pki.privateKeyFromPem(key),
    [forge.pki.certificateFromPem(certificate)],
    PKCS12_PASSWORD,
    { algorithm: '3des' },
  );
  return Buffer.from(forge.asn1.toDer(store).getBytes(), 'latin1');
}

const AUTHORITY = [
  { name: 'basicConstraints', cA: true, critical: true },
  { name: 'keyUsage', keyCertSign: true, critical: true },
];

interface Signing {
  readonly key: string;
  readonly signer: string;
  readonly subject: forge.pki.CertificateField[];
  readonly issuer: forge.pki.CertificateField[];
  readonly extensions: object[];
  readonly expired?: boolean;
}

function sign({ key, signer, subject, issuer, extensions, expired = false }: Signing): string {
  const certificate = forge.pki.createCertificate();
  const { n, e } = forge.pki.privateKeyFromPem(key);
  certificate.publicKey = forge.pki.setRsaPublicKey(n, e);
  serial += 1;
  certificate.serialNumber = (0x1000 + serial).toString(16);
  certificate.validity.notBefore = new Date(Date.now() - 10 * DAY_MS);
  certificate.validity.notAfter = new Date(Date.now() + (expired ? -1 : 10) * DAY_MS);
  certificate.setSubject(subject);
  certificate.setIssuer(issuer);
  certificate.setExtensions(extensions);
  certificate.sign(forge.pki.privateKeyFromPem(signer), forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate);
}

/** node-forge would take seconds. */
function newKey(): string {
  const encoding = { type: 'pkcs1', format: 'pem' } as const;
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: encoding,
    publicKeyEncoding: encoding,
  });
  return privateKey;
}
