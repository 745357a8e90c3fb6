import { generateKeyPair, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import forge from 'node-forge';

/** What the certificate is to say. */
export interface CertificateRequest {
  /** The subject's and issuer's common name, usually the host name. */
  readonly commonName: string;
  /** Host names and IP addresses that the certificate is valid for; clients look only here, not at the common name. */
  readonly altNames: readonly string[];
  /** How many days from now it is valid. */
  readonly days: number;
}

/** A private key and its certificate, both PEM, as `https.createServer` takes them. */
export interface CertificatePair {
  readonly key: string;
  readonly cert: string;
}

const DAY_MS = 86_400_000;
/** The certificate is valid from an hour ago, so that a peer whose clock is a little behind accepts it too. */
const BACKDATED_MS = 3_600_000;
const KEY_BITS = 2048;
/** GeneralName tags of RFC 5280. */
const DNS_NAME = 2;
const IP_ADDRESS = 7;

/**
 * Makes a self-signed server certificate with a fresh RSA key. It is no CA certificate: who trusts it trusts this one
 * server and nothing that its key might sign.
 *
 * @throws RangeError when `days` is not a positive number
 */
export async function createSelfSignedCertificate(request: CertificateRequest): Promise<CertificatePair> {
  if (!(request.days > 0)) throw new RangeError(`A certificate must be valid for at least a day, not ${request.days}`);
  // The key comes from OpenSSL, off the event loop: node-forge would take seconds of it.
  const { privateKey: key } = await promisify(generateKeyPair)('rsa', {
    modulusLength: KEY_BITS,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const privateKey = forge.pki.privateKeyFromPem(key);
  const certificate = describe(request, forge.pki.rsa.setPublicKey(privateKey.n, privateKey.e));
  certificate.sign(privateKey, forge.md.sha256.create());
  return { key, cert: forge.pki.certificateToPem(certificate) };
}

function describe({ commonName, altNames, days }: CertificateRequest, publicKey: forge.pki.PublicKey) {
  const certificate = forge.pki.createCertificate();
  const name = [{ name: 'commonName', value: commonName }];
  certificate.publicKey = publicKey;
  certificate.serialNumber = positiveSerial();
  certificate.validity.notBefore = new Date(Date.now() - BACKDATED_MS);
  certificate.validity.notAfter = new Date(Date.now() + days * DAY_MS);
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames: altNames.map(generalName) },
    { name: 'subjectKeyIdentifier' },
  ]);
  return certificate;
}

function generalName(name: string): { type: number; value?: string; ip?: string } {
  return isIP(name) ? { type: IP_ADDRESS, ip: name } : { type: DNS_NAME, value: name };
}

/** RFC 5280 wants a positive integer of at most 20 bytes; the leading 01 keeps it positive and of full length. */
function positiveSerial(): string {
  return `01${randomBytes(15).toString('hex')}`;
}
