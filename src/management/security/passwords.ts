import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** About 50 ms and 16 MiB for each try. */
const COST = { N: 16_384, r: 8, p: 1 };
/** What a hash of somebody else's making may cost at most. */
const MAX_COST = { N: 1_048_576, r: 32, p: 16 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const MAX_PASSWORD_LENGTH = 1_024;

const HASH = /^scrypt\$(\d{1,7})\$(\d{1,2})\$(\d{1,2})\$([\w+/=-]{16,})\$([\w+/=-]{22,})$/;

interface ParsedHash {
  readonly cost: { readonly N: number; readonly r: number; readonly p: number };
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/**
 * `scrypt$N$r$p$salt$hash` of a password, for `password_hash` in the configuration and for `mini-synapse hash-password`.
 * @throws RangeError for an empty password and one of more than 1,024 characters
 */
export async function hashPassword(password: string): Promise<string> {
  if (password === '' || password.length > MAX_PASSWORD_LENGTH)
    throw new RangeError(`A password has 1 to ${MAX_PASSWORD_LENGTH} characters`);
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, { cost: COST, salt, hash: Buffer.alloc(HASH_BYTES) });
  return `scrypt$${COST.N}$${COST.r}$${COST.p}$${salt.toString('base64')}$${hash.toString('base64')}`;
}

/** Is it a hash that {@link verifyPassword} understands? */
export function isPasswordHash(text: string): boolean {
  return parseHash(text) !== undefined;
}

/** Compares in constant time. Takes as long when there is no such user and so no hash. */
export async function verifyPassword(password: string, hash: string | undefined): Promise<boolean> {
  const parsed = hash === undefined ? undefined : parseHash(hash);
  const expected = parsed ?? NOBODY;
  const found = await derive(password.slice(0, MAX_PASSWORD_LENGTH), expected);
  return timingSafeEqual(found, expected.hash) && parsed !== undefined && password.length <= MAX_PASSWORD_LENGTH;
}

/** What is compared with where there is no user. */
const NOBODY: ParsedHash = { cost: COST, salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) };

function parseHash(text: string): ParsedHash | undefined {
  const [, n, r, p, salt = '', hash = ''] = HASH.exec(text) ?? [];
  const cost = { N: Number(n), r: Number(r), p: Number(p) };
  const isPower = cost.N > 1 && (cost.N & (cost.N - 1)) === 0;
  if (!isPower || cost.N > MAX_COST.N || cost.r < 1 || cost.r > MAX_COST.r || cost.p < 1 || cost.p > MAX_COST.p)
    return undefined;
  return { cost, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') };
}

function derive(password: string, { cost, salt, hash }: ParsedHash): Promise<Buffer> {
  const maxmem = 256 * cost.N * cost.r;
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, hash.length, { ...cost, maxmem }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
