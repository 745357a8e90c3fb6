import { createHash, timingSafeEqual } from 'node:crypto';

/*
 * Java's own format of key stores (JKS, version 2), big-endian:
 *
 *     FEEDFEED, version, count, then per entry: 1 = private key | 2 = certificate, alias, date, …
 *         1: key (length, EncryptedPrivateKeyInfo), chain (count, certificates)
 *         2: certificate (type, length, DER)
 *     SHA-1 of password, a phrase, and everything before
 *
 * The certificates are in the open. A private key is XORed with a stream of SHA-1 digests, each of the password and the one before,
 * the first of a salt; the digest of password and key follows it.
 */

/** What a key store holds. */
export interface JksContent {
  /** DER. */
  readonly certificates: readonly Uint8Array[];
  readonly keys: ReadonlyArray<{
    /** PKCS #8, DER. */
    readonly key: Uint8Array;
    /** Its certificate first, DER. */
    readonly chain: readonly Uint8Array[];
  }>;
}

/** It cannot be read; the message says why. */
export class JksError extends Error {
  override readonly name = 'JksError';
}

const MAGIC = 0xfeedfeed;
const PRIVATE_KEY = 1;
const CERTIFICATE = 2;
const DIGEST_BYTES = 20;
const PHRASE = 'Mighty Aphrodite';
const MAX_ENTRIES = 10_000;

/** Whether these bytes claim to be a JKS key store. */
export function isJks(bytes: Buffer): boolean {
  return bytes.length > 4 && bytes.readUInt32BE(0) === MAGIC;
}

/** @throws JksError for a wrong password, a damaged file, and keys that another algorithm protects */
export function readJks(bytes: Buffer, password: string): JksContent {
  const content = bytes.subarray(0, Math.max(0, bytes.length - DIGEST_BYTES));
  const expected = sha1(javaPassword(password), Buffer.from(PHRASE, 'utf8'), content);
  const written = bytes.subarray(content.length);
  if (written.length !== DIGEST_BYTES || !timingSafeEqual(expected, written)) {
    throw new JksError('the password is wrong, or the file is damaged');
  }
  try {
    return readEntries(new Reader(content), password);
  } catch (cause) {
    if (cause instanceof RangeError) throw new JksError('the file is damaged', { cause });
    throw cause;
  }
}

function readEntries(reader: Reader, password: string): JksContent {
  const certificates: Uint8Array[] = [];
  const keys: Array<JksContent['keys'][number]> = [];
  reader.number();
  const version = reader.number();
  if (version !== 2) throw new JksError(`version ${version} is not supported`);
  for (let count = reader.count(); count > 0; count -= 1) {
    const tag = reader.number();
    reader.text();
    reader.bytes(8);
    if (tag === CERTIFICATE) certificates.push(reader.certificate());
    else if (tag === PRIVATE_KEY) keys.push(readKey(reader, password));
    else throw new JksError(`it has an entry of the unknown kind ${tag}`);
  }
  return { certificates, keys };
}

function readKey(reader: Reader, password: string): JksContent['keys'][number] {
  const key = unprotect(protectedBytes(reader.bytes(reader.number())), password);
  const chain: Uint8Array[] = [];
  for (let count = reader.count(); count > 0; count -= 1) chain.push(reader.certificate());
  return { key, chain };
}

/** The OCTET STRING of an EncryptedPrivateKeyInfo whose algorithm is the one of JKS (1.3.6.1.4.1.42.2.17.1.1). */
function protectedBytes(info: Buffer): Buffer {
  const algorithm = Buffer.from('060a2b060104012a021101010500', 'hex');
  const at = info.indexOf(algorithm);
  if (at < 0) throw new JksError('a private key is protected by an algorithm that is not supported');
  const start = at + algorithm.length;
  if (info[start] !== 0x04) throw new RangeError('no octet string');
  const lengthByte = info.readUInt8(start + 1);
  const lengthBytes = lengthByte < 0x80 ? 0 : lengthByte & 0x7f;
  return info.subarray(start + 2 + lengthBytes);
}

function unprotect(bytes: Buffer, password: string): Buffer {
  const end = bytes.length - DIGEST_BYTES;
  if (end <= DIGEST_BYTES) throw new RangeError('too short for a key');
  const passwordBytes = javaPassword(password);
  const key = Buffer.from(bytes.subarray(DIGEST_BYTES, end));
  let digest = bytes.subarray(0, DIGEST_BYTES);
  for (let at = 0; at < key.length; at += 1) {
    if (at % DIGEST_BYTES === 0) digest = sha1(passwordBytes, digest);
    key[at] = (key[at] as number) ^ (digest[at % DIGEST_BYTES] as number);
  }
  if (!timingSafeEqual(sha1(passwordBytes, key), bytes.subarray(end))) {
    throw new JksError('the password of a private key is another one than that of the key store');
  }
  return key;
}

/** UTF-16, high byte first, as Java digests passwords. */
function javaPassword(password: string): Buffer {
  return Buffer.from(password, 'utf16le').swap16();
}

function sha1(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha1');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Reads in order. @throws RangeError at the end */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  number(): number {
    this.#at += 4;
    return this.#bytes.readUInt32BE(this.#at - 4);
  }

  count(): number {
    const count = this.number();
    if (count > MAX_ENTRIES) throw new RangeError('too many entries');
    return count;
  }

  bytes(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) throw new RangeError('ends too early');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  text(): string {
    this.#at += 2;
    return this.bytes(this.#bytes.readUInt16BE(this.#at - 2)).toString('utf8');
  }

  certificate(): Buffer {
    const type = this.text();
    if (type !== 'X.509') throw new JksError(`certificates of type '${type}' are not supported`);
    return this.bytes(this.number());
  }
}
