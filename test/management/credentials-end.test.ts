import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Security } from '../../src/management/security/security.ts';
import { waitFor } from '../support/wait-for.ts';
import { type Served, START_MS, serve } from './served.ts';

const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const root = { Authorization: basic('root', 'rootpassword') };
const TOML = `
[[management.users]]
name = "root"
role = "admin"
password = "rootpassword"
[[management.tokens]]
name = "robot"
role = "viewer"
token = "0123456789abcdef0123"
`;

let served: Served;
beforeAll(async () => {
  served = await serve({ toml: TOML });
}, START_MS);
afterAll(() => served.stop());

/** Events that are listened to: whether they still come. */
async function listen(headers: Record<string, string>): Promise<{ ended(): boolean; heard(): boolean; close(): void }> {
  const stop = new AbortController();
  const url = `http://127.0.0.1:${served.server.managementPort}/management/events`;
  const { status, body } = await fetch(url, { headers, signal: stop.signal });
  expect(status).toBe(200);
  let ended = false;
  let text = '';
  const keep = (part: string) => {
    text += part;
  };
  body
    ?.pipeThrough(new TextDecoderStream())
    .pipeTo(new WritableStream({ write: keep }))
    .catch(() => undefined)
    .finally(() => {
      ended = true;
    });
  const listening = { ended: () => ended, heard: () => text.includes('event: '), close: () => stop.abort() };
  await waitFor(listening.heard, { what: 'the first event' });
  return listening;
}

async function made(user: string): Promise<void> {
  const body = { userId: user, password: 'one', role: 'viewer' };
  expect((await served.ask('/management/users', { headers: root, body })).status).toBe(200);
}

const change = (user: string, body?: object) =>
  served.ask(`/management/users/${user}`, { method: body ? 'PATCH' : 'DELETE', headers: root, ...(body && { body }) });

describe('events that somebody listens to', () => {
  it('end with the logout of the session, and only of that one', async () => {
    const open = async () => {
      const body = { user: 'root', password: 'rootpassword' };
      const opened = await served.ask('/management/session', { body });
      const [cookie = ''] = opened.headers['set-cookie'] as string[];
      return { headers: { Cookie: cookie.split(';')[0] ?? '' }, csrf: opened.body.csrf as string };
    };
    const [one, other] = [await open(), await open()];
    const [mine, others] = [await listen(one.headers), await listen(other.headers)];
    const headers = { ...one.headers, 'X-CSRF-Token': one.csrf };
    expect((await served.ask('/management/session', { method: 'DELETE', headers })).status).toBe(200);
    await waitFor(mine.ended, { what: 'the events to end' });
    expect(others.ended()).toBe(false);
    others.close();
  });

  it('end with the token', async () => {
    const { AccessToken } = (await served.ask('/management/login', { headers: root })).body;
    const headers = { Authorization: `Bearer ${AccessToken}` };
    const [mine, configured] = [await listen(headers), await listen({ Authorization: 'Bearer 0123456789abcdef0123' })];
    expect((await served.ask('/management/logout', { headers })).status).toBe(200);
    await waitFor(mine.ended, { what: 'the events to end' });
    expect(configured.ended()).toBe(false);
    configured.close();
  });

  it('end when their user gets another role or password, or is removed', async () => {
    await made('vera');
    const headers = { Authorization: basic('vera', 'one') };
    const { AccessToken } = (await served.ask('/management/login', { headers })).body;
    const before = [await listen(headers), await listen({ Authorization: `Bearer ${AccessToken}` })];
    expect((await change('vera', { newPassword: 'two' })).status).toBe(200);
    await waitFor(() => before.every(({ ended }) => ended()), { what: 'the events to end' });
    const after = await listen({ Authorization: basic('vera', 'two') });
    expect((await change('vera')).status).toBe(200);
    await waitFor(after.ended, { what: 'the events to end' });
  });
});

describe('a login that is under way', () => {
  it('with a password that is changed meanwhile fails', async () => {
    const security = await Security.open({
      settings: { users: [], tokens: [] },
      dataDirectory: served.folder,
      secrets: () => undefined,
    });
    await security.users.put({ name: 'ann', role: 'viewer', password: 'old' });
    const pending = security.login('ann', 'old', 'here');
    const put = security.users.put({ name: 'ann', role: 'viewer', password: undefined }, () =>
      security.revokeAllOf('ann'),
    );
    expect(await pending).toBeUndefined();
    await put;
    expect(await security.login('ann', 'old', 'here')).toMatchObject({ name: 'ann' });
  });
});

describe('the audit log', () => {
  const audit = async (match: object) => {
    const { list } = (await served.ask('/management/audit?limit=1000', { headers: root })).body;
    return list.filter((entry: object) => expect.objectContaining(match).asymmetricMatch(entry));
  };
  const robot = { Authorization: 'Bearer 0123456789abcdef0123' };

  it('has who took messages out by looking: exports and whole bodies, refused ones too', async () => {
    const store = '/management/message-stores/Memory';
    expect((await served.ask(`${store}/export?cause=x`, { headers: root })).status).toBe(200);
    const exported = { who: 'root', action: 'exported', type: 'messages', name: 'Memory', detail: 'filter cause=x' };
    await waitFor(async () => (await audit({ ...exported, result: 'done', count: 0 })).length === 1, {
      what: 'its end',
    });
    expect(await audit({ ...exported, result: 'running' })).toHaveLength(1);
    expect((await served.ask(`${store}/export`, { headers: robot })).status).toBe(403);
    expect(await audit({ who: 'robot', name: 'Memory', result: 'refused (403)', count: 0 })).toHaveLength(1);
    expect((await served.ask(`${store}/messages/x?body=full`, { headers: root })).status).toBe(404);
    expect((await served.ask(`${store}/messages/x?body=full`, { headers: robot })).status).toBe(403);
    const read = { action: 'read', type: 'message', name: 'x', detail: 'store Memory', count: 0 };
    expect(await audit({ ...read, who: 'root', result: 'refused (404)' })).toHaveLength(1);
    expect(await audit({ ...read, who: 'robot', result: 'refused (403)' })).toHaveLength(1);
    expect((await served.ask(`${store}/messages/x`, { headers: robot })).status).toBe(404);
    expect(await audit({ name: 'x' })).toHaveLength(2);
  });

  it('has refused work on many messages as refused, and of none', async () => {
    const act = (body: object) =>
      served.ask('/management/message-stores/Memory/messages/actions', { headers: root, body });
    expect((await act({ action: 'delete', all: true, confirm: 7 })).status).toBe(409);
    expect((await act({ action: 'move', ids: ['a'], to: 'Nowhere' })).status).toBe(404);
    const refused = { who: 'root', type: 'messages', name: 'Memory', count: 0 };
    expect(await audit({ ...refused, action: 'deleted', result: 'refused (409)' })).toHaveLength(1);
    expect(await audit({ ...refused, action: 'moved', result: 'refused (404)' })).toHaveLength(1);
    expect((await act({ action: 'delete', ids: ['a', 'b'] })).body).toMatchObject({ done: 0, failures: 2 });
    expect(await audit({ ...refused, action: 'deleted', result: 'done (2 failed)' })).toHaveLength(1);
    const one = '/management/message-stores/Memory/messages/gone';
    expect((await served.ask(one, { method: 'DELETE', headers: root })).status).toBe(404);
    expect(await audit({ action: 'deleted', name: 'gone', count: 0, result: 'refused (404)' })).toHaveLength(1);
  });

  it('is not flooded by what somebody may not do', async () => {
    const body = { name: 'Forwarder', status: 'inactive' };
    for (let n = 0; n < 40; n += 1)
      expect((await served.ask('/management/message-processors', { headers: robot, body })).status).toBe(403);
    expect((await audit({ who: 'robot', result: 'refused (403)' })).length).toBeLessThanOrEqual(20);
    expect((await served.ask('/management/message-processors', { headers: root, body })).status).toBe(200);
    expect(await audit({ who: 'root', action: 'disabled', name: 'Forwarder' })).toHaveLength(1);
  });

  it('the registry shows secrets to those only who may change it', async () => {
    const path = '/management/registry-resources/content?path=registry/config/db.properties';
    const text = 'url=http://u:pw@h/\npassword=topsecret\n';
    const made = await served.ask(path, {
      method: 'POST',
      headers: { ...root, 'Content-Type': 'text/plain' },
      body: text,
    });
    expect(made.status).toBe(200);
    expect((await served.ask(path, { headers: root })).text).toBe(text);
    expect((await served.ask(path, { headers: robot })).text).toBe('url=http://u:**@h/\npassword=*****\n');
    const properties = '/management/registry-resources/properties?path=registry/config/db.properties';
    expect((await served.ask(properties, { headers: root, body: { token: 'topsecret', a: 'b' } })).status).toBe(200);
    expect((await served.ask(properties, { headers: root })).text).toContain('topsecret');
    expect((await served.ask(properties, { headers: robot })).body.list).toContainEqual({
      name: 'token',
      value: '*****',
    });
    const tree = await served.ask('/management/registry-resources?path=registry&expand=true', { headers: robot });
    expect(tree.text).toContain('db.properties');
    expect(tree.text).not.toContain('topsecret');
  });
});
