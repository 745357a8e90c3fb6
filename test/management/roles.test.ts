import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ManagedServer } from '../../src/management/managed-server.ts';
import { assignRoles } from '../../src/management/resources/roles.ts';
import { hashPassword } from '../../src/management/security/passwords.ts';
import { Security } from '../../src/management/security/security.ts';
import { fakeServer } from './fake-server.ts';

let folder: string;
let security: Security;
let server: ManagedServer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mini-synapse-roles-'));
  const passwordHash = await hashPassword('x');
  const configured = {
    name: 'conf',
    role: 'viewer',
    passwordHash,
    password: undefined,
    passwordSecret: undefined,
  } as const;
  const settings = { users: [configured], tokens: [] };
  security = await Security.open({ settings, dataDirectory: folder, secrets: () => undefined });
  for (const role of ['admin', 'operator', 'viewer'] as const)
    await security.users.put({ name: `an-${role}`, role, password: 'x' });
  server = await fakeServer({ security });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

type Request = Parameters<typeof assignRoles.answer>[0];
const told: object[] = [];
const assign = async (body: object) =>
  await assignRoles.answer(
    { audit: (entry: object) => told.push(entry), query: {}, body } as unknown as Request,
    server,
  );

describe('PUT /management/roles', () => {
  it.each([
    ['an-viewer', { addedRoles: ['operator'], removedRoles: ['viewer'] }, 'operator'],
    ['an-viewer', { addedRoles: ['admin', 'operator'] }, 'admin'],
    ['an-operator', { addedRoles: ['viewer'] }, 'operator'],
    ['an-operator', { addedRoles: ['viewer'], removedRoles: ['operator'] }, 'viewer'],
    ['an-operator', { removedRoles: ['admin'] }, 'operator'],
    ['an-admin', { addedRoles: ['admin'] }, 'admin'],
  ])('%s with %j is %s then, and has to log in again', async (userId, change, role) => {
    const { id } = security.openSession(userId);
    const answer = { status: 200, body: { userId, status: 'Added/removed the roles', roles: [role] } };
    expect(await assign({ userId, ...change })).toEqual(answer);
    expect(security.users.find(userId)?.role).toBe(role);
    expect(security.session(id)).toBeUndefined();
    const lists = Object.entries(change).map(([list, roles]) => `${list.replace('Roles', '')} ${roles.join(', ')}`);
    expect(told.at(-1)).toEqual({ type: 'user', action: 'updated', name: userId, detail: `roles ${lists.join('; ')}` });
  });

  it.each([
    ['an-viewer', { removedRoles: ['viewer'] }, 409, /would have no role/],
    ['an-admin', { addedRoles: ['viewer'], removedRoles: ['admin'] }, 409, /only admin/],
    ['conf', { addedRoles: ['admin'] }, 409, /configured/],
    ['an-vewer', { addedRoles: ['admin'] }, 404, /no user 'an-vewer'/],
    ['an-viewer', { addedRoles: ['operater'] }, 404, /no role 'operater'/],
    ['an-viewer', { addedRoles: ['operator'], removedRoles: ['toString'] }, 404, /no role 'toString'/],
  ])('%s with %j is refused: %d', async (userId, change, status, message) => {
    const before = security.users.list();
    await expect(assign({ userId, ...change })).rejects.toMatchObject({
      status,
      message: expect.stringMatching(message),
    });
    expect(security.users.list()).toEqual(before);
  });

  it('keeps the password', async () => {
    await assign({ userId: 'an-viewer', addedRoles: ['operator'] });
    expect(await security.users.verified('an-viewer', 'x')).toMatchObject({ role: 'operator' });
  });
});
