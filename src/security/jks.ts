import { createHash, createPrivateKey, type KeyObject, timingSafeEqual, X509Certificate } from 'node:crypto';
import { DER_TAGS, readDer } from './der.ts';
import type { CertificateEntry, KeyEntry } from './key-store.ts';
import { SecuritySetupError } from './security-failure.ts';

/** What Sun's key store format puts between password and content for its checksum. */
const SALT_OF_CHECKSUM = 'Mighty Aphrodite';
/** 1.3.6.1.4.1.42.2.17.1.1: the format's own protection of private keys. */
const KEY_PROTECTOR = Buffer.from('2b060104012a02110101', 'hex');
const DIGEST_BYTES = 20;
const TAGS = { privateKey: 1, certificate: 2 } as const;

/**
 * Reads a key store of Java's type JKS.
 * @throws SecuritySetupError when the password is wrong or the file is damaged
 */
export function readJks(
  bytes: Buffer,
  password: string,
): { keys: readonly KeyEntry[]; certificates: readonly CertificateEntry[] } {
  checkIntegrity(bytes, password);
  const reader = new JksReader(bytes.subarray(4, bytes.length - DIGEST_BYTES));
  const version = reader.integer();
  if (version !== 1 && version !== 2) throw new SecuritySetupError(`JKS version ${version} is not known`);
  const keys: KeyEntry[] = [];
  const certificates: CertificateEntry[] = [];
  for (let left = reader.integer(); left > 0; left -= 1) {
    const tag = reader.integer();
    const alias = reader.text();
    reader.skip(8);
    if (tag === TAGS.privateKey) {
      const protectedKey = reader.block();
      const chain: X509Certificate[] = [];
      for (let more = reader.integer(); more > 0; more -= 1) chain.push(reader.certificate(version));
      const [certificate] = chain;
      if (certificate) {
        keys.push({ alias, certificate, chain, privateKey: (word) => privateKey(protectedKey, word, alias) });
      }
    } else if (tag === TAGS.certificate) {
      certificates.push({ alias, certificate: reader.certificate(version) });
    } else throw new SecuritySetupError(`an entry of kind ${tag} is not known`);
  }
  return { keys, certificates };
}

class JksReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  integer(): number {
    return this.#take(4).readUInt32BE(0);
  }

  text(): string {
    return this.#take(this.#take(2).readUInt16BE(0)).toString('utf8');
  }

  block(): Buffer {
    return this.#take(this.integer());
  }

  skip(length: number): void {
    this.#take(length);
  }

  certificate(version: number): X509Certificate {
    if (version === 2) this.text();
    return new X509Certificate(this.block());
  }

  #take(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) throw new SecuritySetupError('the file ends too early');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

function checkIntegrity(bytes: Buffer, password: string): void {
  const content = bytes.subarray(0, Math.max(0, bytes.length - DIGEST_BYTES));
  const digest = createHash('sha1').update(wordBytes(password)).update(SALT_OF_CHECKSUM).update(content).digest();
  const stored = bytes.subarray(content.length);
  if (stored.length !== DIGEST_BYTES || !timingSafeEqual(digest, stored)) {
    throw new SecuritySetupError('its password is wrong, or the file is damaged');
  }
}

function wordBytes(password: string): Buffer {
  return Buffer.from(password, 'utf16le').swap16();
}

/** Sun's protection: a stream of SHA-1 digests of password and salt over the key, then a digest of password and key. */
function privateKey(protectedKey: Buffer, password: string, alias: string): KeyObject {
  const sealed = sealedBytes(protectedKey, alias);
  const word = wordBytes(password);
  const length = sealed.length - 2 * DIGEST_BYTES;
  if (length <= 0) throw new SecuritySetupError(`the private key '${alias}' is damaged`);
  const key = Buffer.alloc(length);
  let digest: Buffer = sealed.subarray(0, DIGEST_BYTES);
  for (let at = 0; at < length; at += 1) {
    if (at % DIGEST_BYTES === 0) digest = createHash('sha1').update(word).update(digest).digest();
    key[at] = (sealed[DIGEST_BYTES + at] ?? 0) ^ (digest[at % DIGEST_BYTES] ?? 0);
  }
  const check = createHash('sha1').update(word).update(key).digest();
  if (!timingSafeEqual(check, sealed.subarray(DIGEST_BYTES + length))) {
    throw new SecuritySetupError(`the password of the private key '${alias}' is wrong`);
  }
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

/** EncryptedPrivateKeyInfo ::= SEQUENCE { SEQUENCE { algorithm }, OCTET STRING } */
function sealedBytes(protectedKey: Buffer, alias: string): Buffer {
  const [info] = readDer(protectedKey);
  const [algorithm, sealed] = info ? readDer(info.content) : [];
  const [identifier] = algorithm ? readDer(algorithm.content) : [];
  if (sealed?.tag !== DER_TAGS.octetString || !identifier?.content.equals(KEY_PROTECTOR)) {
    throw new SecuritySetupError(`the private key '${alias}' is protected in a way that is not known`);
  }
  return sealed.content;
}
