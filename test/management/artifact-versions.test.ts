import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ADMIN, OPERATOR, TOKENS, VIEWER } from './openapi-cases.ts';
import { type Served, START_MS, serve } from './served.ts';

const SEQUENCE = (inner: string, declaration = '') =>
  `${declaration}<sequence xmlns="http://ws.apache.org/ns/synapse" name="Rolled">\n  <log/>\n  ${inner}\n  <drop/>\n</sequence>\n`;
const SECRET = (value: string) => SEQUENCE(`<property name="password" value="${value}"/>`);

let served: Served;

beforeAll(async () => {
  served = await serve({ artifacts: { 'rolled.xml': SEQUENCE('<log/>') }, toml: TOKENS });
}, START_MS);

afterAll(() => served?.stop());

function upload(text: string | Buffer) {
  return served.ask('/management/artifacts/files/rolled.xml', {
    method: 'PUT',
    body: text,
    headers: { ...ADMIN, 'Content-Type': 'application/xml' },
  });
}

async function versions() {
  const { body } = await served.ask('/management/artifacts/versions?file=rolled.xml', { headers: VIEWER });
  return body;
}

const diff = (query: string) => served.ask(`/management/artifacts/diff?file=rolled.xml${query}`, { headers: VIEWER });
const rollBack = (body: object, headers = OPERATOR) =>
  served.ask('/management/artifacts/rollback', { method: 'POST', body, headers });

it('lists versions, shows what changed between them, and goes back to one; the audit log says who did (OP-36)', async () => {
  await upload(SEQUENCE('<log level="full"/>'));
  await upload(SEQUENCE('<log level="custom"/>'));
  expect(await versions()).toMatchObject({
    count: 3,
    lastGood: 2,
    list: [
      { version: 3, result: 'deployed', current: true, kept: true },
      { version: 2, current: false },
      { version: 1, deployment: 1 },
    ],
  });
  const { body: newest } = await diff('');
  expect(newest).toMatchObject({ from: 2, to: 3, added: 1, removed: 1, onlySecretsDiffer: false });
  expect(newest.diff).toMatch(/^--- rolled\.xml\tversion 2, .*\n\+\+\+ rolled\.xml\tversion 3, .*\n@@ -1,5 \+1,5 @@\n/);
  expect(newest.diff).toContain('\n-  <log level="full"/>\n+  <log level="custom"/>\n');
  expect((await diff('&from=3&to=1')).body.diff).toContain('\n-  <log level="custom"/>\n+  <log/>\n');
  expect((await diff('&to=1')).body).toMatchObject({ from: 0, added: 5, removed: 0 });

  const { status, body } = await rollBack({ file: 'rolled.xml' });
  expect({ status, body }).toMatchObject({ status: 200, body: { state: 'deployed', version: 2, valid: true } });
  expect(await readFile(join(served.artifacts, 'rolled.xml'), 'utf8')).toBe(SEQUENCE('<log level="full"/>'));
  expect((await versions()).list[0]).toMatchObject({ version: 4, result: 'deployed' });
  await rollBack({ file: 'rolled.xml', version: 1 });
  expect(await readFile(join(served.artifacts, 'rolled.xml'), 'utf8')).toBe(SEQUENCE('<log/>'));
  const { body: audit } = await served.ask('/management/audit', { headers: ADMIN });
  expect(audit.list[0]).toMatchObject({
    who: 'operator',
    action: 'rolled back',
    name: 'rolled.xml',
    detail: 'from version 4 to version 1',
    result: 'done',
  });
});

it('shows no secret, and says that secrets differ where nothing else does', async () => {
  await upload(SECRET('first-secret'));
  await upload(SECRET('other-secret'));
  const { text, body } = await diff('');
  expect(body).toMatchObject({ added: 0, removed: 0, onlySecretsDiffer: true, diff: '' });
  expect(text).not.toMatch(/first-secret|other-secret/);
  expect((await rollBack({ file: 'rolled.xml' })).body).toMatchObject({ state: 'deployed' });
  expect(await readFile(join(served.artifacts, 'rolled.xml'), 'utf8')).toBe(SECRET('first-secret'));
});

it('brings back what was removed, in an encoding that its declaration says', async () => {
  const latin = SEQUENCE('<!-- déjà -->', '<?xml version="1.0" encoding="ISO-8859-1"?>\n');
  await upload(Buffer.from(latin, 'latin1'));
  await served.ask('/management/artifacts/files/rolled.xml', { method: 'DELETE', headers: ADMIN });
  expect((await versions()).list[0]).toMatchObject({ result: 'removed', kept: false });
  expect((await diff('')).body).toMatchObject({ added: 0, removed: 6 });
  expect((await rollBack({ file: 'rolled.xml' })).body).toMatchObject({ state: 'deployed' });
  const written = await readFile(join(served.artifacts, 'rolled.xml'), 'utf8');
  expect(written).toBe(latin.replace('ISO-8859-1', 'UTF-8'));
});

it('refuses what it cannot do', async () => {
  expect((await rollBack({ file: 'rolled.xml' }, VIEWER)).status).toBe(403);
  expect((await rollBack({ file: 'roled.xml' })).body).toMatchObject({ didYouMean: 'rolled.xml' });
  expect((await rollBack({ file: 'rolled.xml', version: 99 })).status).toBe(404);
  expect((await rollBack({ file: '../rolled.xml' })).status).toBe(404);
  const [newest] = (await versions()).list;
  expect((await rollBack({ file: 'rolled.xml', version: newest.version })).body).toMatchObject({ state: 'deployed' });
  expect((await versions()).list[0]).toEqual(newest);
  const gone = (await versions()).list.find(({ result }: { result: string }) => result === 'removed');
  expect((await rollBack({ file: 'rolled.xml', version: gone.version })).status).toBe(409);
  expect((await diff('&from=99')).status).toBe(404);
});
