import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readConfiguration } from '../../src/config/config.ts';
import { AttemptLimit } from '../../src/management/security/attempt-limit.ts';
import { IssuedSecrets } from '../../src/management/security/issued-secrets.ts';
import { hashPassword, isPasswordHash, verifyPassword } from '../../src/management/security/passwords.ts';
import { Security } from '../../src/management/security/security.ts';
import { fileFolder } from '../support/file-folder.ts';
import { type Served, START_MS, serve } from './served.ts';

const PROCESSORS = '/management/message-processors';
const STOP = { name: 'Forwarder', status: 'inactive' };
const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

describe('passwords', () => {
  it('are recognised by their hash, which is never the same twice', async () => {
    const [first, second] = [await hashPassword('pässwörd'), await hashPassword('pässwörd')];
    expect(first).not.toBe(second);
    expect(isPasswordHash(first)).toBe(true);
    expect(await verifyPassword('pässwörd', first)).toBe(true);
    expect(await verifyPassword('password', first)).toBe(false);
    expect(await verifyPassword('pässwörd', undefined)).toBe(false);
  });

  it.each([0, 1025])('of %d characters are refused', async (length) => {
    await expect(hashPassword('x'.repeat(length))).rejects.toThrow(RangeError);
  });

  it.each([
    'plain',
    'scrypt$3$8$1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAA',
    'scrypt$16384$99$1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAA',
  ])('%s is no hash', (text) => expect(isPasswordHash(text)).toBe(false));
});

describe('issued secrets', () => {
  it('end with their time, with being revoked, and with there being too many', () => {
    let now = 0;
    const limits = { lifetimeMs: 100, maximum: 2, maximumEach: 2, ownerOf: (value: string) => value };
    const secrets = new IssuedSecrets<string>({ ...limits, now: () => now });
    const [first, second] = [secrets.issue('a'), secrets.issue('b')];
    expect([secrets.find(first), secrets.find(second), secrets.find('else')]).toEqual(['a', 'b', undefined]);
    const third = secrets.issue('c');
    expect([secrets.find(first), secrets.find(third)]).toEqual([undefined, 'c']);
    secrets.revokeWhere((value) => value === 'b');
    expect(secrets.find(second)).toBeUndefined();
    now = 100;
    expect(secrets.find(third)).toBeUndefined();
  });

  it('of one owner push out those of the same one only', () => {
    const secrets = new IssuedSecrets<string>({
      lifetimeMs: 1e6,
      maximum: 9,
      maximumEach: 2,
      ownerOf: (value) => value,
    });
    const [other, ...own] = ['b', 'a', 'a', 'a'].map((value) => secrets.issue(value));
    expect([other ?? '', ...own].map((secret) => secrets.find(secret))).toEqual(['b', undefined, 'a', 'a']);
  });

  it('tell of their end: revoked, expired, pushed out, unknown', () => {
    vi.useFakeTimers();
    try {
      const options = { lifetimeMs: 100, maximum: 9, maximumEach: 1, ownerOf: (value: string) => value };
      const secrets = new IssuedSecrets<string>(options);
      const [revoked, expired, pushed] = ['a', 'b', 'c'].map((value) => secrets.issue(value));
      const ends = [revoked, expired, pushed].map((secret) => secrets.endOf(secret ?? ''));
      const aborted = () => ends.map((end) => end.aborted);
      expect(secrets.endOf(revoked ?? '')).toBe(ends[0]);
      expect(secrets.endOf('unknown').aborted).toBe(true);
      expect(aborted()).toEqual([false, false, false]);
      secrets.revoke(revoked ?? '');
      expect(aborted()).toEqual([true, false, false]);
      secrets.issue('c');
      expect(aborted()).toEqual([true, false, true]);
      vi.advanceTimersByTime(101);
      expect(aborted()).toEqual([true, true, true]);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('the limit of attempts', () => {
  it('lets so many begin within a minute, and forgets after it and after a success', () => {
    let now = 0;
    const limit = new AttemptLimit(2, () => now);
    expect([limit.begin('a'), limit.begin('a'), limit.begin('a'), limit.begin('b')]).toEqual([0, 0, 60, 0]);
    now = 59_500;
    expect(limit.begin('a')).toBe(1);
    now = 60_000;
    expect(limit.begin('a')).toBe(0);
    limit.begin('a');
    limit.succeeded('a');
    expect(limit.begin('a')).toBe(0);
  });
});

describe('the limits of logins', () => {
  it("an address that has failed too often makes no user's count be forgotten", async () => {
    const security = await Security.open({
      settings: { users: [], tokens: [] },
      dataDirectory: fileFolder('logins'),
      secrets: () => undefined,
    });
    const begin = vi.spyOn(AttemptLimit.prototype, 'begin');
    for (let attempt = 0; attempt < 20; attempt += 1) await security.login(`${attempt}`.padEnd(9_000), 'x', 'a');
    await expect(security.login('one more', 'x', 'a')).rejects.toMatchObject({ status: 429 });
    const keys = begin.mock.calls.map(([key]) => key);
    begin.mockRestore();
    expect(keys).toHaveLength(41);
    expect(keys.at(-1)).toBe('a');
    expect(Math.max(...keys.map((key) => key.length))).toBeLessThan(100);
  });
});

describe('without configured users', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve();
  }, START_MS);
  afterAll(() => served.stop());

  it('everybody on loopback is an operator, and no admin', async () => {
    expect((await served.ask('/management/session')).body).toEqual({
      user: 'local',
      role: 'operator',
      csrf: '',
      login: false,
      bodies: true,
    });
    expect((await served.ask(PROCESSORS, { body: STOP })).status).toBe(200);
    expect(await served.ask('/management/users')).toMatchObject({ status: 403, text: '' });
  });

  it('clients that log in first get a token, and may use it', async () => {
    const { AccessToken } = (
      await served.ask('/management/login', { headers: { Authorization: basic('admin', 'admin') } })
    ).body;
    const headers = { Authorization: `Bearer ${AccessToken}` };
    expect((await served.ask(PROCESSORS, { headers })).status).toBe(200);
  });

  it.each([
    ['of another site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['of another port', { Origin: 'http://127.0.0.1:1' }],
    ['of a sandbox', { Origin: 'null' }],
    ['of a form of the same site', { 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'text/plain' }],
  ])('a change by a page %s is refused', async (_, headers) => {
    const reply = await served.ask(PROCESSORS, { body: JSON.stringify(STOP), headers });
    expect(reply.status).toBe(403);
  });

  it('a change by our own page is not', async () => {
    const headers = { Origin: `http://127.0.0.1:${served.server.managementPort}`, 'Sec-Fetch-Site': 'same-origin' };
    expect((await served.ask(PROCESSORS, { body: STOP, headers })).status).toBe(200);
    const form = { ...headers, 'X-Requested-By': 'console', 'Content-Type': 'text/plain' };
    expect((await served.ask(PROCESSORS, { body: JSON.stringify(STOP), headers: form })).status).toBe(200);
  });

  it('a page of another site cannot even look, but links lead here', async () => {
    const from = (site: string, mode: string) =>
      served.ask(PROCESSORS, { headers: { 'Sec-Fetch-Site': site, 'Sec-Fetch-Mode': mode } });
    expect((await from('cross-site', 'no-cors')).status).toBe(403);
    expect((await from('cross-site', 'cors')).status).toBe(403);
    expect((await from('cross-site', 'navigate')).status).toBe(200);
    expect((await from('same-origin', 'cors')).status).toBe(200);
    expect((await from('none', 'navigate')).status).toBe(200);
  });

  it('a page behind another port of this machine is of another origin, too', async () => {
    const from = (headers: Record<string, string>, path = PROCESSORS) =>
      served.ask(path, { headers: { 'Sec-Fetch-Site': 'same-site', ...headers } });
    expect((await from({ 'Sec-Fetch-Mode': 'no-cors' })).status).toBe(403);
    expect((await from({ 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe' })).status).toBe(403);
    const link = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' };
    expect((await from(link)).status).toBe(200);
    const messages = '/management/message-stores/Memory/messages';
    expect((await from(link, messages)).status).toBe(200);
    expect((await from(link, `${messages}?force=false`)).status).toBe(200);
    expect((await from(link, `${messages}?force=true`)).status).toBe(403);
    expect((await from(link, `${messages}?limit=1&force`)).status).toBe(403);
  });

  it('what is answered is data: nothing in it runs, nobody embeds it', async () => {
    for (const path of ['/management/graph.svg', PROCESSORS, '/metrics', '/management/nowhere'])
      expect((await served.ask(path)).headers, path).toMatchObject({
        'content-security-policy': expect.stringMatching(/^default-src 'none';.* frame-ancestors 'none'$/),
        'cross-origin-resource-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
      });
  });

  it('a name that somebody else had resolved to this machine is no way in', async () => {
    expect((await served.ask(PROCESSORS, { headers: { Host: 'evil.example' } })).status).toBe(403);
    expect((await served.ask(PROCESSORS, { headers: { Host: 'localhost:9164' } })).status).toBe(200);
    expect((await served.ask(PROCESSORS, { headers: { Host: '[::1]:9164' } })).status).toBe(200);
  });
});

const USERS = `
[management]
tls = true
[[management.users]]
name = "root"
role = "admin"
password = "rootpassword"
[[management.users]]
name = "olga"
role = "operator"
password = "olgapassword"
[[management.tokens]]
name = "robot"
role = "viewer"
token = "0123456789abcdef0123"
`;

describe('with users, over TLS (OP-80)', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve({ toml: USERS, secure: true });
  }, START_MS);
  afterAll(() => served.stop());

  const robot = { Authorization: 'Bearer 0123456789abcdef0123' };
  const root = { Authorization: basic('root', 'rootpassword') };

  it('nothing but health is told without credentials', async () => {
    const refused = await served.ask(PROCESSORS);
    expect(refused.status).toBe(401);
    expect(refused.headers['www-authenticate']).toMatch(/^Basic/);
    expect(
      (await served.ask(PROCESSORS, { headers: { 'Sec-Fetch-Mode': 'cors' } })).headers['www-authenticate'],
    ).toMatch(/^Bearer/);
    expect((await served.ask('/healthz')).body.reasons).toEqual([]);
    expect((await served.ask('/health/artifacts')).status).toBe(401);
    for (const Authorization of ['Bearer nonsense', 'Basic !!!', 'Digest x', basic('root', ''), basic('', '')])
      expect((await served.ask(PROCESSORS, { headers: { Authorization } })).status).toBe(401);
  });

  it('a viewer looks, and does nothing', async () => {
    expect((await served.ask(PROCESSORS, { headers: robot })).status).toBe(200);
    expect(await served.ask(PROCESSORS, { body: STOP, headers: robot })).toMatchObject({ status: 403, text: '' });
    const store = '/management/message-stores/Memory';
    for (const path of [`${store}/messages`, `${store}/failures`, `${store}/messages/none`]) {
      const forced = (headers: Record<string, string>) => served.ask(`${path}?force=true`, { headers });
      expect((await served.ask(`${path}?force=false`, { headers: robot })).status, path).not.toBe(403);
      expect(await forced(robot), path).toMatchObject({ status: 403, text: '' });
      expect((await forced(root)).status, path).not.toBe(403);
    }
    expect((await served.ask('/management/login', { headers: robot })).status).toBe(401);
  });

  it('a login gives a token, a logout takes it', async () => {
    const { AccessToken } = (
      await served.ask('/management/login', { headers: { Authorization: basic('olga', 'olgapassword') } })
    ).body;
    const headers = { Authorization: `Bearer ${AccessToken}` };
    expect((await served.ask(PROCESSORS, { body: STOP, headers })).status).toBe(200);
    expect((await served.ask('/management/users', { headers })).status).toBe(403);
    expect((await served.ask('/management/logout', { headers })).status).toBe(200);
    expect((await served.ask(PROCESSORS, { headers })).status).toBe(401);
  });

  it('a session needs its cookie, and its token for changes', async () => {
    const wrong = await served.ask('/management/session', { body: { user: 'olga', password: 'wrong' } });
    expect(wrong.status).toBe(401);
    const opened = await served.ask('/management/session', { body: { user: 'olga', password: 'olgapassword' } });
    const [cookie = ''] = opened.headers['set-cookie'] as string[];
    expect(cookie).toMatch(
      /^mini-synapse-session=[\w-]{43}; Path=\/management; HttpOnly; SameSite=Strict; Max-Age=28800; Secure$/,
    );
    const { csrf, ...who } = opened.body;
    expect(who).toEqual({ user: 'olga', role: 'operator', login: true, bodies: true });
    const headers = { Cookie: cookie.split(';')[0] ?? '' };
    expect((await served.ask('/management/session', { headers })).body).toEqual({ ...who, csrf });
    expect((await served.ask(PROCESSORS, { headers })).status).toBe(200);
    for (const token of [undefined, 'wrong', ''])
      expect(
        (
          await served.ask(PROCESSORS, {
            body: STOP,
            headers: { ...headers, ...(token !== undefined && { 'X-CSRF-Token': token }) },
          })
        ).status,
      ).toBe(403);
    const good = { ...headers, 'X-CSRF-Token': csrf };
    expect((await served.ask(PROCESSORS, { body: STOP, headers: good })).status).toBe(200);
    const closed = await served.ask('/management/session', { method: 'DELETE', headers: good });
    expect(closed.status).toBe(200);
    expect(closed.headers['set-cookie']).toEqual([
      'mini-synapse-session=; Path=/management; HttpOnly; SameSite=Strict; Max-Age=0',
    ]);
    expect((await served.ask(PROCESSORS, { headers })).status).toBe(401);
  });

  it('users are made, changed and removed by admins, and outlive a change of password only by a new login', async () => {
    const ask = (path: string, method: string, body?: unknown) =>
      served.ask(path, { method, headers: root, ...(body !== undefined && { body }) });
    expect((await ask('/management/users', 'POST', { userId: 'vera', password: 'one', role: 'viewer' })).body).toEqual({
      status: 'Added',
      userId: 'vera',
    });
    expect((await ask('/management/users', 'POST', { userId: 'vera', password: 'one' })).status).toBe(409);
    expect((await ask('/management/users?pattern=v*a', 'GET')).body).toEqual({ count: 1, list: [{ userId: 'vera' }] });
    expect((await ask('/management/users/vera', 'GET')).body).toMatchObject({ isAdmin: false, roles: ['viewer'] });
    const before = { Authorization: basic('vera', 'one') };
    const { AccessToken } = (await served.ask('/management/login', { headers: before })).body;
    expect((await ask('/management/users/vera', 'PATCH', { newPassword: 'two' })).status).toBe(200);
    expect((await served.ask(PROCESSORS, { headers: { Authorization: `Bearer ${AccessToken}` } })).status).toBe(401);
    expect((await served.ask(PROCESSORS, { headers: before })).status).toBe(401);
    expect((await served.ask(PROCESSORS, { headers: { Authorization: basic('vera', 'two') } })).status).toBe(200);
    expect((await ask('/management/roles/viewer', 'GET')).body).toEqual({ role: 'viewer', userList: ['vera'] });
    expect((await ask('/management/users/vera', 'DELETE')).status).toBe(200);
    expect((await ask('/management/users/vera', 'GET')).status).toBe(404);
    expect((await ask('/management/users/root', 'DELETE')).status).toBe(409);
  });

  it('wrong passwords are limited, right ones of others are not', async () => {
    const statuses = [];
    for (let attempt = 0; attempt < 7; attempt += 1)
      statuses.push(
        (await served.ask(PROCESSORS, { headers: { Authorization: basic('mallory', `${attempt}`) } })).status,
      );
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
    const limited = await served.ask('/management/session', { body: { user: 'mallory', password: 'x' } });
    expect(limited.status).toBe(429);
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
    expect((await served.ask(PROCESSORS, { headers: root })).status).toBe(200);
  });

  it('whatever was done, and refused, stands in the audit log, without secrets (OP-66)', async () => {
    const { list } = (await served.ask('/management/audit?limit=1000', { headers: root })).body;
    expect(list).toContainEqual(
      expect.objectContaining({
        who: 'olga',
        role: 'operator',
        action: 'disabled',
        type: 'message_processor',
        name: 'Forwarder',
        count: 1,
        result: 'done',
      }),
    );
    expect(list).toContainEqual(expect.objectContaining({ who: 'robot', result: 'refused (403)', count: 0 }));
    expect(list).toContainEqual(expect.objectContaining({ who: 'olga', action: 'login', result: 'refused (401)' }));
    expect(JSON.stringify(list)).not.toMatch(/olgapassword|rootpassword/);
    expect(JSON.stringify(list)).not.toContain('(429)');
  });

  it('failed logins of a minute are one entry, and limited ones none', async () => {
    const failed = async () => {
      const { list } = (await served.ask('/management/audit?limit=1000', { headers: root })).body;
      return list.filter(({ result }: { result: string }) => result === 'refused (401)').length;
    };
    const before = await failed();
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const body = { user: 'eve', password: `${attempt}` };
      statuses.push((await served.ask('/management/session', { body })).status);
    }
    expect(statuses).toContain(401);
    expect(statuses.at(-1)).toBe(429);
    // The minute may have ended meanwhile.
    expect((await failed()) - before).toBeLessThanOrEqual(1);
  });
});

describe('an address that others reach (OP-80)', () => {
  const open = (toml: string) => {
    const folder = fileFolder('exposure');
    writeFileSync(`${folder}/deployment.toml`, toml);
    return () => readConfiguration({ config: `${folder}/deployment.toml` }, {});
  };
  const HOST = '[management_api]\nbind_address = "0.0.0.0"\n';
  const USER = '[[management.users]]\nname = "a"\npassword = "b"\n';

  it.each([
    ['', /\[\[management.users\]\] or \[\[management.tokens\]\] and tls = true/],
    [USER, /needs tls = true in \[management\]/],
    ['[management]\ntls = true\n', /needs \[\[management.users\]\]/],
  ])('is refused with %j', (toml, text) => expect(open(HOST + toml)).toThrow(text));

  it('is allowed with both', () => {
    expect(open(`${HOST}[management]\ntls = true\n${USER}`)()).toMatchObject({
      managementHost: '0.0.0.0',
      management: { tls: true },
    });
  });

  it.each([
    ['[[management.users]]\nname = "a"\n', /'a' needs one of: password_hash, password, password_secret/],
    ['[[management.users]]\nname = "a"\npassword = "b"\nrole = "king"\n', /expected one of: viewer, operator, admin/],
    ['[[management.users]]\nname = "a"\npassword_hash = "b"\n', /hash-password makes one/],
    [USER + USER, /has 'a' twice/],
    ['[[management.tokens]]\nname = "a"\ntoken = "short"\n', /shorter than 16/],
    ['[management]\ntsl = true\n', /did you mean 'management.tls'|did you mean 'tls'/],
  ])('%j is a mistake', (toml, text) => expect(open(toml)).toThrow(text));
});
