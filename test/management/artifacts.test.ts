import { mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zip } from '../support/zip.ts';
import { type Served, START_MS, serve } from './served.ts';

let served: Served;
const XML = { 'Content-Type': 'application/xml' };
const sequence = (name: string, inside = '<log/>') =>
  `<sequence xmlns="http://ws.apache.org/ns/synapse" name="${name}">${inside}</sequence>`;

beforeAll(async () => {
  served = await serve();
}, START_MS);
afterAll(() => served.stop());

const files = (path: string, method: string, body?: string) =>
  served.ask(`/management/artifacts/files/${path}`, { method, headers: XML, ...(body !== undefined && { body }) });

describe('the artifact folder', () => {
  it('takes a file that is valid, deploys it, and gives it up again', async () => {
    const put = await files('new/Fresh.xml', 'PUT', sequence('Fresh'));
    expect(put).toMatchObject({ status: 200, body: { file: 'new/Fresh.xml', state: 'deployed', valid: true } });
    expect((await served.ask('/management/sequences?sequenceName=Fresh')).status).toBe(200);
    expect((await files('new/Fresh.xml', 'PUT', sequence('Fresh', '<drop/>'))).body.state).toBe('deployed');
    const { list } = (await served.ask('/management/artifacts?kind=sequence&searchKey=fresh')).body;
    expect(list).toMatchObject([{ name: 'Fresh', file: 'new/Fresh.xml', line: 1, revision: 2, state: 'deployed' }]);
    expect((await files('new/Fresh.xml', 'DELETE')).body.state).toBe('removed');
    expect((await served.ask('/management/sequences?sequenceName=Fresh')).status).toBe(404);
    const { list: history } = (await served.ask('/management/deployments?limit=3')).body;
    expect(history.map(({ events }: { events: unknown[] }) => events)).toMatchObject([
      [{ event: 'undeployed', name: 'Fresh' }],
      [{ event: 'updated', name: 'Fresh' }],
      [{ event: 'deployed', name: 'Fresh' }],
    ]);
  }, 60_000);

  it('refuses what is not valid, and says where and why', async () => {
    const refused = await files('Wrong.xml', 'PUT', sequence('Wrong', '\n<lgo/>'));
    expect(refused).toMatchObject({
      status: 400,
      body: {
        valid: false,
        problems: [{ severity: 'error', line: 2, frame: expect.stringContaining('> 2 | <lgo/>') }],
      },
    });
    await expect(readFile(join(served.artifacts, 'Wrong.xml'))).rejects.toMatchObject({ code: 'ENOENT' });
    const taken = await files('Other.xml', 'PUT', sequence('Audit'));
    expect(taken.body.problems[0].message).toContain("taken by sequence 'Audit' of definitions.xml");
  });

  it('keeps a file as it is in its own encoding', async () => {
    const text = sequence('Latin', '<property name="greeting" value="Grüße"/>');
    const latin = Buffer.from(`<?xml version="1.0" encoding="ISO-8859-1"?>\n${text}`, 'latin1');
    const utf16 = Buffer.from(`\ufeff<?xml version="1.0" encoding="UTF-16"?>\n${text}`, 'utf16le');
    for (const body of [latin, utf16]) {
      const send = { headers: XML, body: new Uint8Array(body) };
      const checked = await served.ask('/management/artifacts/validate?file=Latin.xml', send);
      expect(checked.body).toMatchObject({ valid: true, artifacts: [{ name: 'Latin' }] });
      const put = await served.ask('/management/artifacts/files/Latin.xml', { method: 'PUT', ...send });
      expect(put).toMatchObject({ status: 200, body: { state: 'deployed' } });
      expect(await readFile(join(served.artifacts, 'Latin.xml'))).toEqual(body);
      expect((await served.ask('/management/artifacts/source?file=Latin.xml')).body.text).toContain('Grüße');
    }
    expect((await files('Latin.xml', 'DELETE')).body.state).toBe('removed');
  }, 60_000);

  it('refuses its own asterisks in place of secrets', async () => {
    const { text } = (await served.ask('/management/artifacts/source?file=proxies/Orders.xml')).body;
    expect((await files('proxies/Orders.xml', 'PUT', text)).body.Error).toContain('asterisks');
  });

  it('is not left', async () => {
    await mkdir(join(served.folder, 'outside'));
    await symlink(join(served.folder, 'outside'), join(served.artifacts, 'link'));
    const paths = [
      '..%2Fout.xml',
      'a/..%2F..%2Fout.xml',
      '%2Fetc%2Fx.xml',
      'link/x.xml',
      '.git/x.xml',
      'a%00.xml',
      'x.txt',
      'x.car',
    ];
    for (const path of paths) expect((await files(path, 'PUT', sequence('X'))).status, path).toBe(400);
    for (const path of paths) expect((await files(path, 'DELETE')).status, path).toBeGreaterThanOrEqual(400);
    expect((await files('nothing.xml', 'DELETE')).status).toBe(404);
    expect((await files('api.xml/below.xml', 'PUT', sequence('X'))).status).toBe(409);
    expect((await served.ask('/management/artifacts/source?file=../deployment.toml')).status).toBe(404);
  });

  it('checks a file without taking it', async () => {
    const check = (body: string) => served.ask('/management/artifacts/validate', { body, headers: XML });
    expect((await check(sequence('Fine'))).body).toMatchObject({
      valid: true,
      artifacts: [{ kind: 'sequence', name: 'Fine' }],
    });
    expect((await check('<sequence')).body).toMatchObject({ valid: false, problems: [{ severity: 'error' }] });
    expect((await check('')).body.valid).toBe(false);
    expect(
      (await served.ask('/management/artifacts/validate', { body: 'x', headers: { 'Content-Type': 'image/png' } }))
        .status,
    ).toBe(415);
  });
});

describe('carbon applications', () => {
  const upload = (form: FormData) => {
    const request = new Response(form);
    return request.bytes().then((body) =>
      served.ask('/management/applications', {
        body,
        headers: { 'Content-Type': request.headers.get('content-type') ?? '' },
      }),
    );
  };
  const formOf = (name: string, bytes: Uint8Array) => {
    const form = new FormData();
    form.append('file', new File([new Uint8Array(bytes)], name));
    return form;
  };
  const car = (inside: string) =>
    zip({
      'artifacts.xml':
        '<artifacts><artifact name="Extra" version="1.0.0" type="carbon/application"><dependency artifact="Bonus" version="1.0.0" include="true" serverRole="EnterpriseIntegrator"/></artifact></artifacts>',
      'Bonus_1.0.0/artifact.xml':
        '<artifact name="Bonus" version="1.0.0" type="synapse/sequence" serverRole="EnterpriseIntegrator"><file>Bonus.xml</file></artifact>',
      'Bonus_1.0.0/Bonus.xml': inside,
    });

  it('are taken, listed with their artifacts, and removed', async () => {
    const added = await upload(formOf('Extra_1.0.0.car', car(sequence('Bonus'))));
    expect(added).toMatchObject({
      status: 200,
      body: { Message: 'Successfully added Carbon Application Extra_1.0.0.car' },
    });
    const active = async () => (await served.ask('/management/applications')).body.activeList;
    await expect.poll(active, { timeout: 20_000 }).toEqual([{ name: 'Extra', version: '1.0.0' }]);
    expect((await served.ask('/management/applications?carbonAppName=Extra')).body.artifacts).toEqual([
      { name: 'Bonus', type: 'sequence' },
    ]);
    expect((await served.ask('/management/sequences?sequenceName=Bonus')).body).toMatchObject({
      container: '[ Deployed From Artifact Container: Extra ] ',
      configuration: expect.stringContaining('name="Bonus"'),
    });
    expect((await served.ask('/management/applications/Extra', { method: 'DELETE' })).status).toBe(200);
    await expect.poll(active, { timeout: 20_000 }).toEqual([]);
    expect((await served.ask('/management/applications/Extra', { method: 'DELETE' })).status).toBe(404);
  }, 60_000);

  it('are refused when they cannot be deployed, or are none', async () => {
    const refused = async (form: FormData) => {
      const { status, body } = await upload(form);
      expect(body.Error).toMatch(/^Error when deploying the Carbon Application\. /);
      return status;
    };
    expect(await refused(formOf('Bad.car', car('<sequence')))).toBe(400);
    expect(await refused(formOf('Junk.car', new Uint8Array([1, 2, 3])))).toBe(400);
    expect(await refused(formOf('x.txt', car(sequence('Bonus'))))).toBe(400);
    expect(await refused(formOf('../x.car', car(sequence('Bonus'))))).toBe(400);
    expect(await refused(new FormData())).toBe(400);
    const headers = { 'Content-Type': 'multipart/form-data; boundary=x' };
    expect((await served.ask('/management/applications', { body: 'junk', headers })).status).toBe(400);
  });
});
