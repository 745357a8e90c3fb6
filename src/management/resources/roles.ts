import { jsonBody } from '../bodies.ts';
import { listing, listOf } from '../list.ts';
import { ManagementError, notFound } from '../management-error.ts';
import { resource } from '../resource.ts';
import { object, TEXT, TEXTS } from '../schemas.ts';
import { ROLES, type Role } from '../security/caller.ts';
import { changeable, keepAnAdmin } from './users.ts';

/** `GET /management/roles`: they are fixed here, so the reference's POST and DELETE are not there. */
export const readRoles = resource({
  method: 'GET',
  path: '/management/roles',
  role: 'admin',
  summary: 'Roles',
  tag: 'users',
  answers: { 200: listOf(object({ role: TEXT })) },
  answer: () => ({ status: 200, body: listing(ROLES.map((role) => ({ role }))) }),
});

/** `GET /management/roles/{role}`: who has it. */
export const readRole = resource({
  method: 'GET',
  path: '/management/roles/{role}',
  role: 'admin',
  summary: 'The users with a role',
  tag: 'users',
  query: { domain: { type: 'string' } },
  answers: { 200: object({ role: TEXT, userList: TEXTS }), 404: { type: 'object' } },
  answer({ parameters: { role } }, { security }) {
    const wanted = known(role);
    const holders = security.users.list().filter((user) => user.role === wanted);
    return { status: 200, body: { role, userList: holders.map(({ name }) => name) } };
  },
});

interface Assignment {
  readonly userId: string;
  readonly addedRoles?: readonly string[];
  readonly removedRoles?: readonly string[];
  readonly domain?: string;
}

const NAMES = { type: 'array', maxItems: 100, items: { type: 'string', maxLength: 100 } } as const;

/**
 * `PUT /management/roles` (spec proxies 8.2), with the reference's members: gives roles to a user and takes others away. The three
 * roles contain each other, so what a user has in the end is the highest of those that remain. Sessions and tokens keep nothing of the
 * former one: whoever is logged in as that user has to do so again.
 */
export const assignRoles = resource({
  method: 'PUT',
  path: '/management/roles',
  role: 'admin',
  summary: 'Gives roles to a user, or takes them away',
  tag: 'users',
  body: jsonBody<Assignment>({
    type: 'object',
    required: ['userId'],
    anyOf: [{ required: ['addedRoles'] }, { required: ['removedRoles'] }],
    properties: { userId: TEXT, addedRoles: NAMES, removedRoles: NAMES, domain: TEXT },
  }),
  answers: {
    200: object({ userId: TEXT, status: TEXT, roles: TEXTS }),
    404: { type: 'object' },
    409: { type: 'object' },
  },
  async answer({ body: { userId, addedRoles = [], removedRoles = [] }, audit }, { security }) {
    const [added, removed] = [addedRoles.map(known), removedRoles.map(known)];
    const told = [
      added.length > 0 && `added ${added.join(', ')}`,
      removed.length > 0 && `removed ${removed.join(', ')}`,
    ];
    audit({ type: 'user', action: 'updated', name: userId, detail: `roles ${told.filter(Boolean).join('; ')}` });
    const roleNow = () => {
      const user = changeable(security.users, userId);
      const role = highest([user.role, ...added].filter((one) => !removed.includes(one)));
      if (!role) throw new ManagementError(409, `${userId} would have no role: add another one, or remove the user`);
      if (role !== 'admin') keepAnAdmin(security.users, user);
      return role;
    };
    const role = roleNow();
    await security.users.put({ name: userId, role, password: undefined }, () => {
      // Somebody else may have changed the user meanwhile: what was worked out from the former role does not count then.
      if (roleNow() !== role) throw new ManagementError(409, `The role of ${userId} was changed by somebody else`);
      security.revokeAllOf(userId);
    });
    return { status: 200, body: { userId, status: 'Added/removed the roles', roles: [role] } };
  },
});

/** @throws ManagementError 404 */
function known(role: string): Role {
  const found = ROLES.find((one) => one === role);
  if (!found) throw notFound(`There is no role '${role}'`, role, ROLES);
  return found;
}

function highest(roles: readonly Role[]): Role | undefined {
  // The list begins with the one that may do least.
  return ROLES.findLast((role) => roles.includes(role));
}
