import { jsonBody } from '../bodies.ts';
import { listing, listOf } from '../list.ts';
import { ManagementError, notFound } from '../management-error.ts';
import { type JsonSchema, resource } from '../resource.ts';
import { ROLES, type Role } from '../security/caller.ts';
import type { User, Users } from '../security/users.ts';

const TEXT: JsonSchema = { type: 'string' };
const NAME: JsonSchema = {
  type: 'string',
  minLength: 1,
  maxLength: 100,
  pattern: '^[^\\s:/\\\\][^:\\u0000-\\u001f]*$',
};
const PASSWORD: JsonSchema = { type: 'string', minLength: 1, maxLength: 1024 };
const ROLE: JsonSchema = { enum: [...ROLES] };
const SUMMARY: JsonSchema = {
  type: 'object',
  required: ['userId'],
  properties: { userId: TEXT, isAdmin: { type: 'boolean' }, roles: { type: 'array', items: TEXT } },
};
const STATUS: JsonSchema = {
  type: 'object',
  required: ['status', 'userId'],
  properties: { status: TEXT, userId: TEXT },
};

/** `GET /management/users` (spec proxies 8.2); `pattern` with `*` and `?`. */
export const readUsers = resource({
  method: 'GET',
  path: '/management/users',
  role: 'admin',
  summary: 'Users of the management API',
  tag: 'users',
  query: {
    pattern: { type: 'string', maxLength: 100 },
    role: { type: 'string' },
    domain: { type: 'string' },
    details: { type: 'boolean', description: 'With roles; the reference lists names only' },
  },
  answers: { 200: listOf(SUMMARY) },
  answer({ query: { pattern, role, details } }, { security }) {
    const fits = pattern === undefined ? () => true : matcher(pattern);
    const users = security.users.list().filter((user) => fits(user.name) && (role === undefined || has(user, role)));
    return { status: 200, body: listing(users.map((user) => (details ? described(user) : { userId: user.name }))) };
  },
});

/** `GET /management/users/{userId}`. */
export const readUser = resource({
  method: 'GET',
  path: '/management/users/{userId}',
  role: 'admin',
  summary: 'One user',
  tag: 'users',
  query: { domain: { type: 'string' } },
  answers: { 200: SUMMARY, 404: { type: 'object' } },
  answer({ parameters }, { security }) {
    return { status: 200, body: described(existing(security.users, parameters.userId)) };
  },
});

interface NewUser {
  readonly userId: string;
  readonly password: string;
  readonly isAdmin?: boolean | string;
  readonly role?: Role;
}

/** `POST /management/users` (spec proxies 8.2); `role` is ours, `isAdmin` the reference's. */
export const addUser = resource({
  method: 'POST',
  path: '/management/users',
  role: 'admin',
  summary: 'Makes a user; the password is kept as a hash',
  tag: 'users',
  body: jsonBody<NewUser>({
    type: 'object',
    required: ['userId', 'password'],
    properties: { userId: NAME, password: PASSWORD, isAdmin: { enum: [true, false, 'true', 'false'] }, role: ROLE },
  }),
  answers: { 200: STATUS, 409: { type: 'object' } },
  async answer({ body, audit }, { security }) {
    const { userId, password } = body;
    const role = body.role ?? (String(body.isAdmin) === 'true' ? 'admin' : 'operator');
    audit({ type: 'user', action: 'created', name: userId, detail: `role ${role}` });
    const isNew = () => {
      if (security.users.find(userId)) throw new ManagementError(409, `The user ${userId} exists already`);
    };
    isNew();
    await security.users.put({ name: userId, role, password }, isNew);
    return { status: 200, body: { status: 'Added', userId } };
  },
});

/** `PATCH /management/users/{userId}`: another password or role; whoever is logged in as that user has to do so again. */
export const changeUser = resource({
  method: 'PATCH',
  path: '/management/users/{userId}',
  role: 'admin',
  summary: 'Changes the password or the role of a user',
  tag: 'users',
  body: jsonBody<{ newPassword?: string; role?: Role }>({
    type: 'object',
    anyOf: [{ required: ['newPassword'] }, { required: ['role'] }],
    properties: { newPassword: PASSWORD, role: ROLE },
  }),
  answers: { 200: STATUS, 404: { type: 'object' }, 409: { type: 'object' } },
  async answer({ parameters: { userId }, body, audit }, { security }) {
    const changed = [body.newPassword && 'password', body.role && `role ${body.role}`].filter(Boolean).join(', ');
    audit({ type: 'user', action: 'updated', name: userId, detail: changed });
    const role = body.role ?? changeable(security.users, userId).role;
    const mayBeChanged = () => {
      const user = changeable(security.users, userId);
      if (role !== 'admin') keepAnAdmin(security.users, user);
    };
    mayBeChanged();
    await security.users.put({ name: userId, role, password: body.newPassword }, () => {
      mayBeChanged();
      security.revokeAllOf(userId);
    });
    return { status: 200, body: { status: 'Updated', userId } };
  },
});

/** `DELETE /management/users/{userId}`. */
export const removeUser = resource({
  method: 'DELETE',
  path: '/management/users/{userId}',
  role: 'admin',
  summary: 'Removes a user',
  tag: 'users',
  query: { domain: { type: 'string' } },
  answers: { 200: STATUS, 404: { type: 'object' }, 409: { type: 'object' } },
  async answer({ parameters: { userId }, audit }, { security }) {
    audit({ type: 'user', action: 'deleted', name: userId });
    keepAnAdmin(security.users, changeable(security.users, userId));
    security.revokeAllOf(userId);
    await security.users.remove(userId);
    return { status: 200, body: { status: 'Deleted', userId } };
  },
});

function described({ name, role, configured }: User) {
  return { userId: name, isAdmin: role === 'admin', roles: [role], configured };
}

function has(user: User, role: string): boolean {
  return user.role === role;
}

function existing(users: Users, name: string): User {
  const user = users.find(name);
  const known = users.list().map((other) => other.name);
  if (!user) throw notFound(`There is no user '${name}'`, name, known);
  return user;
}

/** A user that was made at run time. @throws ManagementError 404, 409 */
export function changeable(users: Users, name: string): User {
  const user = existing(users, name);
  if (user.configured) throw new ManagementError(409, `The user ${name} is configured in [[management.users]]`);
  return user;
}

/** Nobody could make users any more. @throws ManagementError 409 */
export function keepAnAdmin(users: Users, leaving: User): void {
  const others = users.list().filter(({ name, role }) => role === 'admin' && name !== leaving.name);
  if (leaving.role === 'admin' && others.length === 0)
    throw new ManagementError(409, `${leaving.name} is the only admin`);
}

/** `*` for any text, `?` for one character; everything else as it is, in any case. Takes no longer for more of them. */
function matcher(pattern: string): (name: string) => boolean {
  const wanted = pattern.toLowerCase();
  return (name) => matches(wanted, name.toLowerCase());
}

function matches(pattern: string, name: string): boolean {
  let [at, star, mark] = [0, -1, 0];
  for (let index = 0; index < name.length; ) {
    if (pattern[at] === '*') [star, mark, at] = [at, index, at + 1];
    else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === name[index]))
      [at, index] = [at + 1, index + 1];
    else if (star >= 0) [at, mark, index] = [star + 1, mark + 1, mark + 1];
    else return false;
  }
  return /^\**$/.test(pattern.slice(at));
}
