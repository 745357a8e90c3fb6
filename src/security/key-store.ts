import type { KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { SecuritySetupError } from './security-failure.ts';

/** A private key with its certificate and those of its issuers. */
export interface KeyEntry {
  readonly alias: string;
  readonly certificate: X509Certificate;
  readonly chain: readonly X509Certificate[];
  /**
   * The private key.
   * @throws SecuritySetupError when the password is wrong
   */
  privateKey(password: string): KeyObject;
}

/** A certificate that is trusted. */
export interface CertificateEntry {
  readonly alias: string;
  readonly certificate: X509Certificate;
}

export interface KeyStore {
  readonly file: string;
  readonly keys: readonly KeyEntry[];
  readonly certificates: readonly CertificateEntry[];
}

const MAX_BYTES = 4 * 1024 * 1024;
const JKS_MAGIC = 0xfeedfeed;
const JCEKS_MAGIC = 0xcececece;

/**
 * Reads a key store: Java's JKS, PKCS#12 or PEM. What is in the file decides, not what it is called: keytool writes PKCS#12 into files
 * named `.jks`, too.
 * @throws SecuritySetupError that names the file and never the password
 */
export async function readKeyStore(file: string, password: string): Promise<KeyStore> {
  const bytes = await readBytes(file);
  const magic = bytes.length >= 4 ? bytes.readUInt32BE(0) : 0;
  try {
    if (magic === JKS_MAGIC) return { file, ...(await import('./jks.ts')).readJks(bytes, password) };
    if (magic === JCEKS_MAGIC) {
      throw new SecuritySetupError(
        'it is a JCEKS key store: convert it, keytool -importkeystore -deststoretype PKCS12',
      );
    }
    if (bytes[0] === 0x30) return { file, ...(await import('./pkcs12.ts')).readPkcs12(bytes, password) };
    if (bytes.includes('-----BEGIN ')) return { file, ...(await import('./pem.ts')).readPem(bytes.toString('latin1')) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SecuritySetupError(`the key store ${file} cannot be read: ${reason}`, { cause });
  }
  throw new SecuritySetupError(`the key store ${file} is neither JKS, PKCS#12 nor PEM`);
}

async function readBytes(file: string): Promise<Buffer> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new SecuritySetupError(`the key store ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  if (bytes.length > MAX_BYTES) throw new SecuritySetupError(`the key store ${file} is larger than ${MAX_BYTES} bytes`);
  return bytes;
}

/** Aliases are found whatever their case, as Java's key stores do it. */
export function keyEntry(store: KeyStore, alias: string): KeyEntry | undefined {
  return store.keys.find((entry) => sameAlias(entry.alias, alias));
}

/** The certificate of that alias, that of a key included. */
export function certificateEntry(store: KeyStore, alias: string): X509Certificate | undefined {
  const entries: readonly CertificateEntry[] = [...store.certificates, ...store.keys];
  return entries.find((entry) => sameAlias(entry.alias, alias))?.certificate;
}

function sameAlias(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}
