import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ManagementError } from '../management-error.ts';
import { type Caller, mayAct, type Role } from './caller.ts';
import { digestOf } from './issued-secrets.ts';
import { isSafe, refuseForeignName, refuseForeignOrigin, refuseForeignRead } from './origin.ts';
import type { Security } from './security.ts';

export const SESSION_COOKIE = 'mini-synapse-session';
const REALM = 'mini-synapse';

/**
 * Lets requests in, or not:
 *
 *     of another origin: 403 for changes, and for looking from inside a page
 *     no users and tokens configured: everybody on loopback is an operator
 *     public: no credentials are looked at
 *     else Basic, Bearer or session cookie (with its CSRF token on changes): 401 without, 429 after too many wrong ones,
 *       403 when the role does not suffice
 */
export class Gate {
  readonly #security: Security;

  constructor(security: Security) {
    this.#security = security;
  }

  /**
   * Who sends a request for something that needs a role.
   * @throws ManagementError 401, 403, 429
   */
  async recognise(request: IncomingMessage, role: Role | 'public'): Promise<Caller> {
    refuseForeignOrigin(request);
    refuseForeignRead(request);
    const from = request.socket.remoteAddress ?? '';
    return this.#security.needsLogin ? await this.#recognised(request, role, from) : local(request, from);
  }

  /** @throws ManagementError 403, without a body as the reference (spec proxies 8.1) */
  permit(caller: Caller, role: Role | 'public'): void {
    if (role !== 'public' && !mayAct(caller, role)) throw new ManagementError(403, '');
  }

  async #recognised(request: IncomingMessage, role: Role | 'public', from: string): Promise<Caller> {
    if (role === 'public') return { name: 'anonymous', role: 'none', from, by: 'nothing' };
    const caller = (await this.#byHeader(request, from)) ?? this.#bySession(request, from);
    if (caller) return caller;
    throw unauthorised(request);
  }

  async #byHeader(request: IncomingMessage, from: string): Promise<Caller | undefined> {
    const [, scheme = '', credentials = ''] = /^(\w+) +(\S+)$/.exec(request.headers.authorization?.trim() ?? '') ?? [];
    if (scheme.toLowerCase() === 'bearer') {
      const holder = this.#security.holderOf(credentials);
      const end = () => this.#security.endOfToken(credentials);
      return holder && { name: holder.name, role: holder.role, from, by: 'token', end };
    }
    if (scheme.toLowerCase() !== 'basic') return undefined;
    const [name, password] = basicCredentials(credentials);
    const user = await this.#security.login(name, password, from);
    return user && { name: user.name, role: user.role, from, by: 'basic', end: () => this.#security.endOfUser(name) };
  }

  #bySession(request: IncomingMessage, from: string): Caller | undefined {
    const id = sessionId(request);
    const session = id === undefined ? undefined : this.#security.session(id);
    const user = session && this.#security.users.find(session.user);
    if (!session || !user) return undefined;
    const token = request.headers['x-csrf-token'];
    if (!isSafe(request) && !(typeof token === 'string' && equal(token, session.csrf)))
      throw new ManagementError(403, 'The header X-CSRF-Token is missing or wrong');
    return { name: user.name, role: user.role, from, by: 'session', end: () => this.#security.endOfSession(id ?? '') };
  }
}

/** The session that a request belongs to. */
export function sessionId(request: Pick<IncomingMessage, 'headers'>): string | undefined {
  return sessionOfCookies(request.headers.cookie);
}

/** The value of the session's cookie in a `Cookie` header. */
export function sessionOfCookies(cookies: string | undefined): string | undefined {
  for (const part of (cookies ?? '').split(';')) {
    const [name, value] = part.trim().split('=', 2);
    if (name === SESSION_COOKIE && value) return value;
  }
  return undefined;
}

function local(request: IncomingMessage, from: string): Caller {
  refuseForeignName(request);
  return { name: 'local', role: 'operator', from, by: 'loopback' };
}

/** Only whoever sends no page's request is asked in a way that makes a browser open its own login window. */
function unauthorised(request: IncomingMessage): ManagementError {
  const mode = request.headers['sec-fetch-mode'];
  const byPage = request.headers['x-requested-by'] !== undefined || (mode !== undefined && mode !== 'navigate');
  const challenge = byPage ? `Bearer realm="${REALM}"` : `Basic realm="${REALM}", charset="UTF-8"`;
  return new ManagementError(401, 'Log in first', { headers: { 'WWW-Authenticate': challenge } });
}

function basicCredentials(encoded: string): [name: string, password: string] {
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
}

/** In constant time, whatever their lengths. */
function equal(left: string, right: string): boolean {
  return timingSafeEqual(Buffer.from(digestOf(left)), Buffer.from(digestOf(right)));
}
