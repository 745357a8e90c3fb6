import { jsonBody } from '../bodies.ts';
import { ManagementError } from '../management-error.ts';
import { type JsonSchema, resource } from '../resource.ts';
import { SESSION_COOKIE, sessionOfCookies } from '../security/gate.ts';
import { SESSION_LIFETIME_S } from '../security/security.ts';
import { seesBodies } from '../shown-bodies.ts';

/** Cookies know no ports: services and proxies of the same host are not to get it. */
const COOKIE_PATH = '/management';
const TEXT: JsonSchema = { type: 'string' };
const MESSAGE: JsonSchema = { type: 'object', required: ['message'], properties: { message: TEXT } };

/** `GET /management/login`: an access token for Basic credentials (spec proxies 8.1). Without configured users it is for `local`. */
export const login = resource({
  method: 'GET',
  path: '/management/login',
  role: 'viewer',
  summary: 'An access token for Basic credentials; valid for an hour',
  tag: 'login',
  answers: { 200: { type: 'object', required: ['AccessToken'], properties: { AccessToken: TEXT } } },
  answer({ caller }, { security }) {
    // A token must not get itself another one, for ever.
    if (caller.by !== 'basic' && caller.by !== 'loopback')
      throw new ManagementError(401, 'Log in with Basic credentials', {
        headers: { 'WWW-Authenticate': 'Basic realm="mini-synapse", charset="UTF-8"' },
      });
    return { status: 200, body: { AccessToken: security.issueToken(caller.name) } };
  },
});

/** `GET /management/logout`: the token of the request is not valid any more. */
export const logout = resource({
  method: 'GET',
  path: '/management/logout',
  role: 'viewer',
  summary: 'Revokes the access token, or ends the session, that the request is made with',
  tag: 'login',
  answers: { 200: MESSAGE },
  answer({ header }, { security }) {
    const [, token] = /^bearer +(\S+)$/i.exec(header('authorization')?.trim() ?? '') ?? [];
    if (token) security.revokeToken(token);
    const session = sessionOfCookies(header('cookie'));
    if (session) security.closeSession(session);
    return { status: 200, body: { message: 'Logged out' } };
  },
});

const SESSION: JsonSchema = {
  type: 'object',
  required: ['user', 'role', 'csrf', 'login', 'bodies'],
  properties: {
    user: TEXT,
    role: { enum: ['viewer', 'operator', 'admin'] },
    csrf: { type: 'string', description: 'For the header X-CSRF-Token of changing requests' },
    login: { type: 'boolean', description: 'Are there users, so that one has to log in?' },
    bodies: { type: 'boolean', description: 'Is the caller shown what messages contain?' },
  },
};

/** `POST /management/session`: the console's login; a cookie that scripts of a page cannot read, and the token for changes. */
export const openSession = resource({
  method: 'POST',
  path: '/management/session',
  role: 'public',
  summary: 'Begins a session of the console',
  tag: 'login',
  body: jsonBody<{ user: string; password: string }>({
    type: 'object',
    required: ['user', 'password'],
    properties: { user: { type: 'string', maxLength: 200 }, password: { type: 'string', maxLength: 1024 } },
  }),
  answers: { 200: SESSION, 401: { type: 'object' }, 429: { type: 'object' } },
  async answer({ body, caller, audit }, server) {
    const { security, secure } = server;
    audit({ action: 'login', type: 'session', name: body.user, detail: '', who: body.user });
    if (!security.needsLogin)
      return { status: 200, body: { user: 'local', role: 'operator', csrf: '', login: false, bodies: true } };
    const user = await security.login(body.user, body.password, caller.from);
    if (!user) throw new ManagementError(401, 'The user or the password is wrong');
    audit({ role: user.role });
    const { id, session } = security.openSession(user.name);
    const attributes = `Path=${COOKIE_PATH}; HttpOnly; SameSite=Strict; Max-Age=${SESSION_LIFETIME_S}${secure ? '; Secure' : ''}`;
    const headers = { 'Set-Cookie': `${SESSION_COOKIE}=${id}; ${attributes}` };
    const who = { user: user.name, role: user.role, csrf: session.csrf, login: true };
    return { status: 200, headers, body: { ...who, bodies: seesBodies(user, server) } };
  },
});

/** `GET /management/session`: who am I? */
export const readSession = resource({
  method: 'GET',
  path: '/management/session',
  role: 'viewer',
  summary: 'Who the request is made by',
  tag: 'login',
  answers: { 200: SESSION },
  answer({ caller, header }, server) {
    const { security } = server;
    const id = caller.by === 'session' ? sessionOfCookies(header('cookie')) : undefined;
    const csrf = (id !== undefined && security.session(id)?.csrf) || '';
    const who = { user: caller.name, role: caller.role, csrf, login: security.needsLogin };
    return { status: 200, body: { ...who, bodies: seesBodies(caller, server) } };
  },
});

export const closeSession = resource({
  method: 'DELETE',
  path: '/management/session',
  role: 'viewer',
  summary: 'Ends the session of the console',
  tag: 'login',
  answers: { 200: MESSAGE },
  answer({ header, audit, caller }, { security }) {
    audit({ action: 'logout', type: 'session', name: caller.name, detail: '' });
    const id = sessionOfCookies(header('cookie'));
    if (id) security.closeSession(id);
    const headers = { 'Set-Cookie': `${SESSION_COOKIE}=; Path=${COOKIE_PATH}; HttpOnly; SameSite=Strict; Max-Age=0` };
    return { status: 200, headers, body: { message: 'Logged out' } };
  },
});
