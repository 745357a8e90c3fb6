import { afterAll, beforeAll, expect, it } from 'vitest';
import { ADMIN, OPERATOR, TOKENS } from './openapi-cases.ts';
import { type Served, START_MS, serve } from './served.ts';

const BASIC = (user: string) => ({ Authorization: `Basic ${Buffer.from(`${user}:right-${user}`).toString('base64')}` });
const USERS = ['anna', 'bert']
  .map((name) => `[[management.users]]\nname = "${name}"\nrole = "operator"\npassword = "right-${name}"\n`)
  .join('');

const STORE = '<messageStore xmlns="http://ws.apache.org/ns/synapse" name="Memory"/>';

let served: Served;

beforeAll(async () => {
  served = await serve({ artifacts: { 'store.xml': STORE }, toml: TOKENS + USERS });
}, START_MS);

afterAll(() => served?.stop());

const sessions = async () => (await served.ask('/management/sessions', { headers: ADMIN })).body.list;

it('lists sessions and tokens without any secret, and ends one of them only', async () => {
  const { body: login } = await served.ask('/management/login', { headers: BASIC('anna') });
  const session = await served.ask('/management/session', {
    method: 'POST',
    body: { user: 'bert', password: 'right-bert' },
  });
  const cookie = String(session.headers['set-cookie']).split(';')[0] ?? '';
  const list = await sessions();
  expect(list).toMatchObject([
    { kind: 'session', user: 'bert', role: 'operator', own: false },
    { kind: 'token', user: 'anna', role: 'operator', own: false },
    { kind: 'configured token', user: 'admin', role: 'admin' },
    { kind: 'configured token', user: 'operator' },
    { kind: 'configured token', user: 'viewer' },
  ]);
  const text = JSON.stringify(list);
  expect(text).not.toContain(login.AccessToken);
  expect(text).not.toContain(cookie.split('=')[1]);
  expect(text).not.toContain(session.body.csrf);
  expect(text).not.toMatch(/admin-admin|right-/);

  const bearer = { Authorization: `Bearer ${login.AccessToken}` };
  expect((await served.ask('/management/jobs', { headers: bearer })).status).toBe(200);
  const [{ id: ofBert }, { id: ofAnna }] = list;
  expect((await served.ask(`/management/sessions/${ofAnna}`, { method: 'DELETE', headers: ADMIN })).status).toBe(200);
  expect((await served.ask('/management/jobs', { headers: bearer })).status).toBe(401);
  expect((await served.ask('/management/jobs', { headers: { cookie } })).status).toBe(200);
  await served.ask(`/management/sessions/${ofBert}`, { method: 'DELETE', headers: ADMIN });
  expect((await served.ask('/management/jobs', { headers: { cookie } })).status).toBe(401);
  expect((await served.ask(`/management/sessions/${ofBert}`, { method: 'DELETE', headers: ADMIN })).status).toBe(404);
  const { body: audit } = await served.ask('/management/audit', { headers: ADMIN });
  expect(audit.list.find(({ result }: { result: string }) => result === 'done')).toMatchObject({
    action: 'revoked',
    name: 'bert',
    detail: 'session',
  });
});

it('is for admins only', async () => {
  expect((await served.ask('/management/sessions', { headers: OPERATOR })).status).toBe(403);
});
