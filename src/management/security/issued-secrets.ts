import { createHash, randomBytes } from 'node:crypto';

const SECRET_BYTES = 32;

interface Issued<T> {
  readonly value: T;
  /** Epoch ms. */
  readonly expiresAt: number;
}

/**
 * Random secrets that this server gave out, with what each stands for: access tokens and sessions. Kept as digests, so that looking one
 * up tells nothing about others; the oldest goes when there are too many.
 */
export class IssuedSecrets<T> {
  readonly #lifetimeMs: number;
  readonly #maximum: number;
  readonly #now: () => number;
  readonly #byDigest = new Map<string, Issued<T>>();

  constructor(options: { lifetimeMs: number; maximum: number; now?: () => number }) {
    this.#lifetimeMs = options.lifetimeMs;
    this.#maximum = options.maximum;
    this.#now = options.now ?? Date.now;
  }

  /** A new secret. */
  issue(value: T): string {
    this.#sweep();
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    this.#byDigest.set(digestOf(secret), { value, expiresAt: this.#now() + this.#lifetimeMs });
    return secret;
  }

  /** What a secret stands for; undefined when it was not given out here, has expired or was revoked. */
  find(secret: string): T | undefined {
    const issued = this.#byDigest.get(digestOf(secret));
    return issued && issued.expiresAt > this.#now() ? issued.value : undefined;
  }

  revoke(secret: string): void {
    this.#byDigest.delete(digestOf(secret));
  }

  revokeWhere(concerned: (value: T) => boolean): void {
    for (const [digest, { value }] of this.#byDigest) if (concerned(value)) this.#byDigest.delete(digest);
  }

  #sweep(): void {
    const now = this.#now();
    for (const [digest, { expiresAt }] of this.#byDigest) {
      if (expiresAt > now && this.#byDigest.size < this.#maximum) return;
      this.#byDigest.delete(digest);
    }
  }
}

/** For looking secrets up without comparing them character by character. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64');
}
