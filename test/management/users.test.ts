import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addUser, changeUser, removeUser } from '../../src/management/resources/users.ts';
import { Security } from '../../src/management/security/security.ts';
import { Users } from '../../src/management/security/users.ts';
import { fakeServer } from './fake-server.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mini-synapse-users-'));
  file = join(folder, 'management', 'users.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const saved = async () => {
  const { users } = JSON.parse(await readFile(file, 'utf8')) as { users: Array<{ name: string; role: string }> };
  return users.map(({ name, role }) => `${name} ${role}`);
};

describe('users that are changed at once', () => {
  it('are saved as they are in the end', async () => {
    const users = await Users.open([], file);
    await users.put({ name: 'ann', role: 'viewer', password: 'a' });
    await users.put({ name: 'bob', role: 'viewer', password: 'b' });
    const roles = Array.from({ length: 30 }, (_, n) => (n % 2 === 0 ? ('admin' as const) : ('operator' as const)));
    await Promise.all([
      ...roles.map((role) => users.put({ name: 'ann', role, password: undefined })),
      users.remove('bob'),
    ]);
    expect(await saved()).toEqual([`ann ${users.find('ann')?.role}`]);
  });

  it('are saved although a save before has failed', async () => {
    const users = await Users.open([], file);
    await rm(folder, { recursive: true });
    await writeFile(folder, 'no folder');
    await expect(users.put({ name: 'ann', role: 'viewer', password: 'a' })).rejects.toThrow();
    await rm(folder);
    await mkdir(folder);
    await users.put({ name: 'bob', role: 'viewer', password: 'b' });
    expect(await saved()).toEqual(['ann viewer', 'bob viewer']);
  });

  async function server() {
    const settings = { users: [], tokens: [] };
    const security = await Security.open({ settings, dataDirectory: folder, secrets: () => undefined });
    return { security, server: await fakeServer({ security }) };
  }
  // Of what a resource is asked, these need no more.
  type Request = Parameters<typeof addUser.answer>[0];
  const asked = (more: object) => ({ audit: () => {}, query: {}, ...more }) as unknown as Request;

  it('are made once', async () => {
    const { server: one, security } = await server();
    const add = (password: string) => addUser.answer(asked({ body: { userId: 'ann', password } }), one);
    const made = await Promise.allSettled([add('first'), add('second')]);
    const refused = made.filter((result) => result.status === 'rejected');
    expect(refused).toMatchObject([{ reason: { status: 409 } }]);
    expect(security.users.size).toBe(1);
  });

  it('are not made again by a change of their password, and leave an admin', async () => {
    const { server: one, security } = await server();
    for (const name of ['ann', 'bob']) await security.users.put({ name, role: 'admin', password: 'x' });
    const change = (body: object) => changeUser.answer(asked({ parameters: { userId: 'ann' }, body }), one);
    const remove = (userId: string) => removeUser.answer(asked({ parameters: { userId } }), one);
    const changing = change({ newPassword: 'y', role: 'viewer' });
    const refusal = expect(changing).rejects.toMatchObject({ status: 409, message: 'ann is the only admin' });
    await remove('bob');
    await refusal;
    await security.users.put({ name: 'eve', role: 'admin', password: 'x' });
    const again = change({ newPassword: 'y' });
    const gone = expect(again).rejects.toMatchObject({ status: 404 });
    await remove('ann');
    await gone;
    expect(await saved()).toEqual(['eve admin']);
  });

  it('have to log in again before the change is saved', async () => {
    const { server: one, security } = await server();
    for (const name of ['ann', 'bob']) await security.users.put({ name, role: 'admin', password: 'x' });
    const { id } = security.openSession('ann');
    await rm(folder, { recursive: true });
    await writeFile(folder, 'no folder');
    const changing = changeUser.answer(asked({ parameters: { userId: 'ann' }, body: { newPassword: 'y' } }), one);
    await expect(changing).rejects.toThrow();
    expect(security.session(id)).toBeUndefined();
  });
});
