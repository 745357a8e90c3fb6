import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ConfigurationError } from '../../config/toml-reader.ts';
import { logger } from '../../logging/index.ts';
import { ManagementError } from '../management-error.ts';
import { AttemptLimit } from './attempt-limit.ts';
import type { Role } from './caller.ts';
import { digestOf, IssuedSecrets } from './issued-secrets.ts';
import { hashPassword } from './passwords.ts';
import type { ConfiguredToken, ConfiguredUser, SecuritySettings } from './settings.ts';
import { type User, Users } from './users.ts';

const log = logger('ManagementSecurity');
/** As the reference's (spec proxies 8.1). */
const TOKEN_LIFETIME_MS = 3_600_000;
const MAX_TOKENS = 200;
const SESSION_LIFETIME_MS = 8 * 3_600_000;
const MAX_SESSIONS = 200;
/** Tokens, and sessions, of one user. */
const MAX_EACH = 40;
/** Failed logins of one user from one address, and of all users from it, within a minute. */
const ATTEMPTS = { user: 5, address: 20 };
/** How long a password that was right is not computed again, ms; scripts send it with every request. */
const REMEMBERED_MS = 60_000;
const MAX_REMEMBERED = 200;

/** A session of the console. */
export interface Session {
  readonly user: string;
  /** What its changing requests must carry. */
  readonly csrf: string;
}

/** A session or a token that was given out, as it may be shown. */
export interface IssuedCredential {
  readonly kind: 'session' | 'token';
  readonly user: string;
  readonly id: string;
  /** Epoch ms. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

type Listed = Pick<IssuedCredential, 'id' | 'issuedAt' | 'expiresAt'>;

/** Somebody with a role. */
export interface Principal {
  readonly name: string;
  readonly role: Role;
}

type SecretLookup = (alias: string) => string | undefined;

/** Users, tokens and sessions of the management API (OP-80). */
export class Security {
  readonly users: Users;
  readonly #configuredTokens: ReadonlyMap<string, Principal>;
  readonly #tokens = new IssuedSecrets<string>({
    lifetimeMs: TOKEN_LIFETIME_MS,
    maximum: MAX_TOKENS,
    maximumEach: MAX_EACH,
    ownerOf: (user) => user,
  });
  readonly #sessions = new IssuedSecrets<Session>({
    lifetimeMs: SESSION_LIFETIME_MS,
    maximum: MAX_SESSIONS,
    maximumEach: MAX_EACH,
    ownerOf: ({ user }) => user,
  });
  /** Of users by whose password something goes on. */
  readonly #userEnds = new Map<string, AbortController>();
  readonly #perUser = new AttemptLimit(ATTEMPTS.user);
  readonly #perAddress = new AttemptLimit(ATTEMPTS.address);
  /** Digest of right credentials -> until when they are believed; see {@link REMEMBERED_MS}. */
  readonly #remembered = new Map<string, { readonly user: User; readonly until: number }>();
  /** Of the same credentials sent several times at once, one try counts. */
  readonly #verifying = new Map<string, Promise<User | undefined>>();
  readonly #pepper = randomBytes(32).toString('base64');

  private constructor(users: Users, tokens: ReadonlyMap<string, Principal>) {
    this.users = users;
    this.#configuredTokens = tokens;
  }

  /**
   * @param options.secrets what `password_secret` and `token_secret` name
   * @throws ConfigurationError for a secret that is not there
   * @throws UsersFileError
   */
  static async open(options: {
    readonly settings: SecuritySettings;
    readonly dataDirectory: string;
    readonly secrets: SecretLookup;
  }): Promise<Security> {
    const { settings, dataDirectory, secrets } = options;
    const configured = await Promise.all(settings.users.map((user) => readyUser(user, secrets)));
    const users = await Users.open(configured, join(dataDirectory, 'management', 'users.json'));
    return new Security(users, new Map(settings.tokens.map((token) => readyToken(token, secrets))));
  }

  /** Without any user or token, whoever reaches the port on loopback may do everything an operator may. */
  get needsLogin(): boolean {
    return this.users.size > 0 || this.#configuredTokens.size > 0;
  }

  /**
   * The user with this password.
   * @returns undefined when name or password is wrong
   * @throws ManagementError 429 after too many wrong ones
   */
  async login(name: string, password: string, address: string): Promise<User | undefined> {
    const digest = digestOf(`${this.#pepper}\n${name}\n${password}`);
    const known = this.#remembered.get(digest);
    if (known && known.until > Date.now() && this.users.find(name) === known.user) return known.user;
    const pending = this.#verifying.get(digest);
    if (pending) return await pending;
    const verifying = this.#verify(name, password, address, digest).finally(() => this.#verifying.delete(digest));
    this.#verifying.set(digest, verifying);
    return await verifying;
  }

  async #verify(name: string, password: string, address: string, digest: string): Promise<User | undefined> {
    // A name may be as long as a header; what counts it is not.
    const keys = { user: digestOf(`${address} ${name}`), address };
    // The address first: behind its limit nobody makes the other one forget by ever new names.
    const waitS = this.#perAddress.begin(keys.address) || this.#perUser.begin(keys.user);
    if (waitS > 0) {
      const headers = { 'Retry-After': String(waitS) };
      throw new ManagementError(429, 'Too many failed logins; try again later', { headers });
    }
    const user = await this.users.verified(name, password);
    // Meanwhile it may have got another password, or be gone.
    if (!user || this.users.find(name) !== user) {
      log.warn(`Failed login of user ${JSON.stringify(name.slice(0, 100))} from ${address}`);
      return undefined;
    }
    this.#perUser.succeeded(keys.user);
    this.#perAddress.succeeded(keys.address);
    this.#remember(digest, user);
    return user;
  }

  /** An access token for a user, for an hour. */
  issueToken(user: string): string {
    return this.#tokens.issue(user);
  }

  revokeToken(token: string): void {
    this.#tokens.revoke(token);
  }

  /** Who a token was given to; undefined for one that is not valid (any more). */
  holderOf(token: string): Principal | undefined {
    const configured = this.#configuredTokens.get(digestOf(token));
    if (configured) return configured;
    const name = this.#tokens.find(token);
    return name === undefined ? undefined : this.users.find(name);
  }

  /** Begins a session of the console. */
  openSession(user: string): { readonly id: string; readonly session: Session } {
    const session = { user, csrf: randomBytes(24).toString('base64url') };
    return { id: this.#sessions.issue(session), session };
  }

  session(id: string): Session | undefined {
    return this.#sessions.find(id);
  }

  closeSession(id: string): void {
    this.#sessions.revoke(id);
  }

  /** The sessions and tokens that are valid now; without what they are recognised by. */
  issued(): readonly IssuedCredential[] {
    const of = (kind: IssuedCredential['kind'], user: string, { id, issuedAt, expiresAt }: Listed) => {
      return { kind, user, id, issuedAt, expiresAt };
    };
    return [
      ...this.#sessions.list().map((session) => of('session', session.value.user, session)),
      ...this.#tokens.list().map((token) => of('token', token.value, token)),
    ];
  }

  /** Ends a session or token by its id; false when there is none. */
  revokeById(id: string): boolean {
    return this.#sessions.revokeById(id) || this.#tokens.revokeById(id);
  }

  /** The tokens that the configuration says. */
  configuredTokens(): readonly Principal[] {
    return [...this.#configuredTokens.values()];
  }

  /** Aborted as soon as a token that was given out here is not valid any more; undefined: one of the configuration always is. */
  endOfToken(token: string): AbortSignal | undefined {
    return this.#configuredTokens.has(digestOf(token)) ? undefined : this.#tokens.endOf(token);
  }

  endOfSession(id: string): AbortSignal {
    return this.#sessions.endOf(id);
  }

  /** Aborted when the user is changed or removed. */
  endOfUser(name: string): AbortSignal {
    const known = this.#userEnds.get(name);
    if (known) return known.signal;
    const controller = new AbortController();
    this.#userEnds.set(name, controller);
    return controller.signal;
  }

  /** Ends all that a user has got, and what goes on with it: after its password or role was changed, or it was removed. */
  revokeAllOf(name: string): void {
    this.#userEnds.get(name)?.abort();
    this.#userEnds.delete(name);
    this.#tokens.revokeWhere((user) => user === name);
    this.#sessions.revokeWhere(({ user }) => user === name);
    this.#remembered.clear();
  }

  #remember(digest: string, user: User): void {
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size >= MAX_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
    this.#remembered.set(digest, { user, until: Date.now() + REMEMBERED_MS });
  }
}

export const SESSION_LIFETIME_S = SESSION_LIFETIME_MS / 1000;

async function readyUser(user: ConfiguredUser, secrets: SecretLookup): Promise<User> {
  const { name, role, passwordHash, passwordSecret } = user;
  const base = { name, role, configured: true };
  if (passwordHash !== undefined) return { ...base, passwordHash };
  const password = passwordSecret === undefined ? user.password : secrets(passwordSecret);
  if (!password)
    throw new ConfigurationError(`[[management.users]]: there is no secret '${passwordSecret}' for user '${name}'`);
  return { ...base, passwordHash: await hashPassword(password) };
}

function readyToken(token: ConfiguredToken, secrets: SecretLookup): [digest: string, Principal] {
  const { name, role, tokenHash, tokenSecret } = token;
  const principal = { name, role };
  if (tokenHash !== undefined) return [Buffer.from(tokenHash, 'hex').toString('base64'), principal];
  const text = tokenSecret === undefined ? token.token : secrets(tokenSecret);
  if (!text)
    throw new ConfigurationError(`[[management.tokens]]: there is no secret '${tokenSecret}' for token '${name}'`);
  return [digestOf(text), principal];
}
