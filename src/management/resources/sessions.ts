import { listing, listOf } from '../list.ts';
import { ERROR, ManagementError } from '../management-error.ts';
import { resource } from '../resource.ts';
import { BOOLEAN, object, TEXT, TIME } from '../schemas.ts';
import { sessionOfCookies } from '../security/gate.ts';
import { idOfSecret } from '../security/issued-secrets.ts';

const TAG = 'users';
const ISSUED = object(
  { kind: { enum: ['session', 'token', 'configured token'] }, user: TEXT, own: BOOLEAN },
  { id: TEXT, role: TEXT, issuedAt: TIME, expiresAt: TIME },
);

/** `GET /management/sessions`: who is logged in, and what tokens there are; none is shown. */
export const readSessions = resource({
  method: 'GET',
  path: '/management/sessions',
  role: 'admin',
  summary: 'Sessions of the console and access tokens, without what they are recognised by',
  tag: TAG,
  answers: { 200: listOf(ISSUED) },
  answer({ header }, { security }) {
    const own = ownIds(header);
    const issued = security.issued().map(({ kind, user, id, issuedAt, expiresAt }) => ({
      kind,
      id,
      user,
      own: own.includes(id),
      role: security.users.find(user)?.role ?? 'none',
      issuedAt: new Date(issuedAt).toISOString(),
      expiresAt: new Date(expiresAt).toISOString(),
    }));
    const configured = security
      .configuredTokens()
      .map(({ name, role }) => ({ kind: 'configured token', user: name, role, own: false }));
    return { status: 200, body: listing([...issued, ...configured]) };
  },
});

/** `DELETE /management/sessions/{id}`: a session or token is not valid any more. */
export const revokeSession = resource({
  method: 'DELETE',
  path: '/management/sessions/{id}',
  role: 'admin',
  summary: 'Ends a session of the console, or revokes an access token',
  tag: TAG,
  answers: { 200: object({ id: TEXT, status: TEXT }), 404: ERROR },
  answer({ parameters: { id }, audit }, { security }) {
    const found = security.issued().find((issued) => issued.id === id);
    audit({ type: 'session', action: 'revoked', name: found?.user ?? id, detail: found?.kind ?? '' });
    if (!security.revokeById(id)) throw new ManagementError(404, `There is no session or token '${id}'`);
    return { status: 200, body: { id, status: 'Revoked' } };
  },
});

/** What the request itself is made with. */
function ownIds(header: (name: string) => string | undefined): string[] {
  const [, token] = /^bearer +(\S+)$/i.exec(header('authorization')?.trim() ?? '') ?? [];
  const session = sessionOfCookies(header('cookie'));
  return [token, session].filter((secret) => secret !== undefined).map(idOfSecret);
}
