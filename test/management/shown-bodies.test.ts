import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../support/http-call.ts';
import { waitFor } from '../support/wait-for.ts';
import { type Served, START_MS, serve } from './served.ts';

const SYNAPSE = 'xmlns="http://ws.apache.org/ns/synapse"';
const BODY = '{"card":"4711-0815"}';
const STORE = '/management/message-stores/Held';
const token = (name: string, role: string) =>
  `[[management.tokens]]\nname = "${name}"\nrole = "${role}"\ntoken = "${name.padEnd(20, '0')}"\n`;
const TOML = `[console]\nbodies = "operator"\n${token('viewer', 'viewer')}${token('operator', 'operator')}`;
const ARTIFACTS = {
  'proxy.xml': `<proxy ${SYNAPSE} name="Cards"><target><inSequence>
    <log level="full"/><payloadFactory media-type="json"><format>{"kept":$1}</format><args><arg evaluator="json" expression="$"/></args></payloadFactory>
    <property name="FORCE_SC_ACCEPTED" value="true" scope="axis2"/><store messageStore="Held"/>
  </inSequence></target></proxy>`,
  'store.xml': `<messageStore ${SYNAPSE} name="Held"/>`,
};

/** OP-81: with `console.bodies=operator`, viewers see that there are messages, and not what they contain. */
describe('what messages contain (OP-81)', () => {
  let served: Served;
  let id: string;
  const ask = (role: 'viewer' | 'operator', path: string) =>
    served.ask(path, { headers: { Authorization: `Bearer ${role.padEnd(20, '0')}` } });

  beforeAll(async () => {
    served = await serve({ artifacts: ARTIFACTS, toml: TOML });
    const operator = { Authorization: `Bearer ${'operator'.padEnd(20, '0')}` };
    await served.ask('/management/tracing', { method: 'PUT', headers: operator, body: { mode: 'on', bodies: true } });
    const url = `http://127.0.0.1:${served.server.httpPort}/services/Cards`;
    const sent = await call(url, { headers: { 'Content-Type': 'application/json' }, body: BODY });
    expect(sent.status).toBe(202);
    const [row] = (await ask('operator', `${STORE}/messages`)).body.list;
    id = encodeURIComponent(row.id);
    mkdirSync(join(served.folder, 'data', 'logs'), { recursive: true });
    writeFileSync(join(served.folder, 'data', 'logs', 'server.log'), BODY);
  }, START_MS);
  afterAll(() => served?.stop());

  it('is told to the console beforehand', async () => {
    expect((await ask('viewer', '/management/session')).body).toMatchObject({ role: 'viewer', bodies: false });
    expect((await ask('operator', '/management/session')).body).toMatchObject({ role: 'operator', bodies: true });
  });

  it('stands in rows and details for operators only', async () => {
    expect((await ask('operator', `${STORE}/messages`)).body.list[0].preview).toContain('4711');
    expect((await ask('operator', `${STORE}/messages/${id}`)).body.body).toMatchObject({ language: 'json' });
    const row = (await ask('viewer', `${STORE}/messages`)).body.list[0];
    expect(row).toMatchObject({ preview: '', kind: 'json', contentType: expect.any(String) });
    const detail = await ask('viewer', `${STORE}/messages/${id}`);
    expect(detail.body).toMatchObject({ preview: '', body: { language: 'hidden', bytes: row.bytes } });
    expect(detail.text).not.toContain('4711');
    expect(detail.body.headers.length).toBeGreaterThan(0);
    expect((await ask('viewer', `${STORE}/messages/${id}?body=full`)).status).toBe(403);
    expect((await ask('viewer', `${STORE}/export`)).status).toBe(403);
  });

  it('cannot be found out by looking for it', async () => {
    expect((await ask('operator', `${STORE}/messages?text=4711`)).body.count).toBe(1);
    expect(await ask('viewer', `${STORE}/messages?text=4711`)).toMatchObject({ status: 403, text: '' });
    expect((await ask('viewer', `${STORE}/messages?id=u`)).status).toBe(200);
  });

  it('stands in traces for operators only', async () => {
    const { list } = (await ask('viewer', '/management/traces')).body;
    const trace = `/management/traces/${list[0].id}`;
    const changed = ({ body }: { body: { steps: { changes: { bodyChanged: boolean; body?: unknown } }[] } }) =>
      body.steps.map(({ changes }) => changes).filter(({ bodyChanged }) => bodyChanged);
    expect(changed(await ask('operator', trace))[0]).toHaveProperty('body');
    const shown = await ask('viewer', trace);
    expect(changed(shown)).toHaveLength(1);
    expect(changed(shown)[0]).not.toHaveProperty('body');
    expect(shown.body).toMatchObject({ bodies: false, bodiesHidden: true });
    expect(shown.text).not.toContain('4711');
  });

  it('is not read off the log either: its tail, its files, its events', async () => {
    const lines = async (role: 'viewer' | 'operator') => (await ask(role, '/management/logs/tail?lines=2000')).text;
    expect(await lines('operator')).toContain('4711');
    expect(await lines('viewer')).not.toContain('4711');
    expect(await lines('viewer')).toContain('(shown to operators only)');
    expect((await ask('operator', '/management/logs?file=server.log')).text).toBe(BODY);
    expect(await ask('viewer', '/management/logs?file=server.log')).toMatchObject({ status: 403, text: '' });
    expect((await ask('viewer', '/management/logs?file=audit.ndjson')).status).toBe(200);
    const seen = { viewer: '', operator: '' };
    const keep = (role: keyof typeof seen) => (text: string) => {
      seen[role] += text;
    };
    const gone = new AbortController();
    for (const role of ['viewer', 'operator'] as const) {
      const url = `http://127.0.0.1:${served.server.managementPort}/management/events?logs=info`;
      const headers = { Authorization: `Bearer ${role.padEnd(20, '0')}` };
      const { body } = await fetch(url, { headers, signal: gone.signal });
      void body
        ?.pipeThrough(new TextDecoderStream())
        .pipeTo(new WritableStream({ write: keep(role) }))
        .catch(() => undefined);
    }
    const url = `http://127.0.0.1:${served.server.httpPort}/services/Cards`;
    await call(url, { headers: { 'Content-Type': 'application/json' }, body: BODY });
    const line = /event: log\ndata: .*LogMediator/;
    await waitFor(() => line.test(seen.viewer) && line.test(seen.operator), { what: 'both to be told of the line' });
    gone.abort();
    expect(seen.operator).toContain('4711');
    expect(seen.viewer).not.toContain('4711');
  });
});

describe('without the setting', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve({ artifacts: ARTIFACTS, toml: token('viewer', 'viewer') });
  }, START_MS);
  afterAll(() => served?.stop());

  it('viewers are shown bodies, but for whole ones', async () => {
    const headers = { Authorization: `Bearer ${'viewer'.padEnd(20, '0')}` };
    const url = `http://127.0.0.1:${served.server.httpPort}/services/Cards`;
    await call(url, { headers: { 'Content-Type': 'application/json' }, body: BODY });
    const { body } = await served.ask(`${STORE}/messages?text=4711`, { headers });
    expect(body.list[0].preview).toContain('4711');
    const full = await served.ask(`${STORE}/messages/${encodeURIComponent(body.list[0].id)}?body=full`, { headers });
    expect(full.status).toBe(403);
  });

  it('nobody finds out piece by piece what a masked header says', async () => {
    const headers = { Authorization: `Bearer ${'viewer'.padEnd(20, '0')}` };
    const url = `http://127.0.0.1:${served.server.httpPort}/services/Cards`;
    const sent = { 'Content-Type': 'application/json', 'X-Api-Key': 'abc123', 'X-Plain': 'abc123' };
    await call(url, { headers: sent, body: BODY });
    const found = async (header: string) =>
      (await served.ask(`${STORE}/messages?header=${encodeURIComponent(header)}`, { headers })).body.count;
    expect(await found('X-Plain: abc1')).toBe(1);
    expect(await found('X-Api-Key: ')).toBe(1);
    expect(await found('X-Api-Key: a')).toBe(0);
  });
});
