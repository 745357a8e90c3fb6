import { createHash, randomBytes } from 'node:crypto';

const SECRET_BYTES = 32;

interface Issued<T> {
  readonly value: T;
  /** Epoch ms. */
  readonly expiresAt: number;
  /** For those who want to know when it ends. */
  end: { readonly controller: AbortController; readonly timer: NodeJS.Timeout } | undefined;
}

interface IssuedSecretsOptions<T> {
  readonly lifetimeMs: number;
  /** Of all together. */
  readonly maximum: number;
  /** Of one owner: nobody pushes out those of others. */
  readonly maximumEach: number;
  ownerOf(value: T): string;
  readonly now?: () => number;
}

/**
 * Random secrets that this server gave out, with what each stands for: access tokens and sessions. Kept as digests, so that looking one
 * up tells nothing about others; the oldest goes when there are too many.
 */
export class IssuedSecrets<T> {
  readonly #options: IssuedSecretsOptions<T>;
  readonly #now: () => number;
  readonly #byDigest = new Map<string, Issued<T>>();

  constructor(options: IssuedSecretsOptions<T>) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** A new secret. */
  issue(value: T): string {
    this.#sweep();
    this.#makeRoomFor(this.#options.ownerOf(value));
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    const expiresAt = this.#now() + this.#options.lifetimeMs;
    this.#byDigest.set(digestOf(secret), { value, expiresAt, end: undefined });
    return secret;
  }

  /** What a secret stands for; undefined when it was not given out here, has expired or was revoked. */
  find(secret: string): T | undefined {
    const issued = this.#byDigest.get(digestOf(secret));
    return issued && issued.expiresAt > this.#now() ? issued.value : undefined;
  }

  /** Aborted as soon as a secret stands for nothing any more: expired, revoked, or pushed out. */
  endOf(secret: string): AbortSignal {
    const digest = digestOf(secret);
    const issued = this.#byDigest.get(digest);
    const leftMs = (issued?.expiresAt ?? 0) - this.#now();
    if (!issued || leftMs <= 0) return AbortSignal.abort();
    issued.end ??= {
      controller: new AbortController(),
      timer: setTimeout(() => this.#forget(digest), leftMs).unref(),
    };
    return issued.end.controller.signal;
  }

  revoke(secret: string): void {
    this.#forget(digestOf(secret));
  }

  revokeWhere(concerned: (value: T) => boolean): void {
    for (const [digest, { value }] of this.#byDigest) if (concerned(value)) this.#forget(digest);
  }

  /** Those that are valid now, in the order in which they were given out. */
  list(): ReadonlyArray<{
    readonly id: string;
    readonly value: T;
    readonly issuedAt: number;
    readonly expiresAt: number;
  }> {
    const now = this.#now();
    return [...this.#byDigest]
      .filter(([, { expiresAt }]) => expiresAt > now)
      .map(([digest, { value, expiresAt }]) => {
        return { id: idOf(digest), value, issuedAt: expiresAt - this.#options.lifetimeMs, expiresAt };
      });
  }

  /** Revokes one by its id, see {@link idOfSecret}; false when there is none. */
  revokeById(id: string): boolean {
    const digest = [...this.#byDigest.keys()].find((one) => idOf(one) === id);
    if (digest !== undefined) this.#forget(digest);
    return digest !== undefined;
  }

  #sweep(): void {
    const now = this.#now();
    for (const [digest, { expiresAt }] of this.#byDigest) {
      if (expiresAt > now && this.#byDigest.size < this.#options.maximum) return;
      this.#forget(digest);
    }
  }

  #makeRoomFor(owner: string): void {
    const { ownerOf, maximumEach } = this.#options;
    const own = [...this.#byDigest].filter(([, { value }]) => ownerOf(value) === owner);
    for (const [digest] of own.slice(0, Math.max(0, own.length - maximumEach + 1))) this.#forget(digest);
  }

  #forget(digest: string): void {
    const end = this.#byDigest.get(digest)?.end;
    this.#byDigest.delete(digest);
    if (!end) return;
    clearTimeout(end.timer);
    end.controller.abort();
  }
}

/** What a secret is called where it is listed; tells nothing about it. */
export function idOfSecret(secret: string): string {
  return idOf(digestOf(secret));
}

function idOf(digest: string): string {
  return createHash('sha256').update(digest).digest('hex').slice(0, 16);
}

/** For looking secrets up without comparing them character by character. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64');
}
