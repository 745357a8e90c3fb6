import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { zip } from '../support/zip.ts';
import { type Served, START_MS, serve } from './served.ts';

const SYN = 'xmlns="http://ws.apache.org/ns/synapse"';
const component = (name: string, operation: string) =>
  `<component name="${name}" type="synapse/template"><subComponents><component name="${operation}"><file>${operation}.xml</file></component></subComponents></component>`;
const connector = (name: string) =>
  new Uint8Array(
    zip({
      'connector.xml': `<connector><component name="${name}" package="org.example"><dependency component="say"/></component></connector>`,
      'say/component.xml': component('say', 'hello'),
      'say/hello.xml': `<template ${SYN} name="hello"><sequence><property name="SAID" value="hello"/></sequence></template>`,
    }),
  );

let served: Served;
beforeAll(async () => {
  const twice = '<import name="both" package="org.example"/><sequence name="Near"><log/></sequence>';
  served = await serve({
    artifacts: {
      'proxy.xml': `<proxy ${SYN} name="P"><target><inSequence><greet.hello/><payloadFactory media-type="json"><format>{"said": "$1"}</format><args><arg expression="$ctx:SAID"/></args></payloadFactory><respond/></inSequence></target></proxy>`,
      'shared.xml': `<definitions ${SYN}>${twice}</definitions>`,
    },
  });
  for (const name of ['greet', 'both']) expect(await put(`${name}.zip`, connector(name))).toMatchObject(DEPLOYED);
}, START_MS);
afterAll(() => served?.stop());

const DEPLOYED = { status: 200, body: { state: 'deployed' } };
const put = (path: string, body: Uint8Array, type = 'application/zip') =>
  served.ask(`/management/artifacts/files/${path}`, { method: 'PUT', body, headers: { 'Content-Type': type } });
const switched = (body: object) => served.ask('/management/connectors', { method: 'POST', body });
const shown = async (name: string) => (await served.ask(`/management/connectors?connectorName=${name}`)).body;
const asked = async () => {
  const url = `http://127.0.0.1:${served.server.httpPort}/services/P`;
  const response = await fetch(url, { method: 'POST', body: '<x/>', headers: { 'content-type': 'text/xml' } });
  return response.status === 200 ? response.text() : response.status;
};

it('an uploaded connector is there at once, and is taken away again', async () => {
  expect(await put('late.zip', connector('late'))).toMatchObject(DEPLOYED);
  const about = { package: 'org.example', operations: ['hello'], file: 'late.zip', status: 'enabled' };
  expect(await shown('late')).toMatchObject(about);
  const removed = await served.ask('/management/artifacts/files/late.zip', { method: 'DELETE' });
  expect(removed).toMatchObject({ status: 200, body: { state: 'removed' } });
  expect((await served.ask('/management/connectors?connectorName=late')).status).toBe(404);
}, 60_000);

it('what is no archive is not written', async () => {
  expect(await put('bad.zip', new Uint8Array([1, 2, 3]))).toMatchObject({ status: 400, body: { valid: false } });
  await expect(readFile(join(served.artifacts, 'bad.zip'))).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await put('x.car', connector('x'))).toMatchObject({ status: 400 });
  const large = Buffer.from(`<sequence ${SYN} name="Large"><!--${'x'.repeat(5 * 1024 * 1024)}--></sequence>`);
  expect(await put('Large.xml', large, 'application/xml')).toMatchObject({ status: 413 });
});

it('a connector is disabled and enabled by its import, as flows notice', async () => {
  expect(await asked()).toContain('hello');
  // As clients of the reference write it.
  const off = await switched({ name: 'Greet', package: 'org.example', status: 'disabled' });
  const told = { Message: 'Status updated successfully', name: 'greet', status: 'disabled' };
  expect(off).toMatchObject({ status: 200, body: told });
  expect(await shown('greet')).toMatchObject({ status: 'disabled' });
  expect(await readFile(join(served.artifacts, 'imports/greet-import.xml'), 'utf8')).toContain('status="disabled"');
  expect(await asked()).toBe(500);
  expect(await switched({ name: 'greet', status: 'enabled' })).toMatchObject({ body: { status: 'enabled' } });
  expect(await asked()).toContain('hello');
}, 60_000);

it('what is so already changes nothing, also of one that is built in', async () => {
  const { body: before } = await served.ask('/management/deployments');
  for (const name of ['both', 'http'])
    expect(await switched({ name, status: 'enabled' })).toMatchObject({ status: 200, body: { status: 'enabled' } });
  expect((await served.ask('/management/deployments')).body).toEqual(before);
});

it('says why a connector cannot be switched', async () => {
  expect(await switched({ name: 'http', status: 'disabled' })).toMatchObject({
    status: 409,
    body: { Error: "The connector 'http' is built in and cannot be disabled" },
  });
  expect(await switched({ name: 'both', status: 'disabled' })).toMatchObject({
    status: 409,
    body: { Error: "The import of 'both' stands in shared.xml with others: change it there" },
  });
  expect(await switched({ name: 'gret', status: 'disabled' })).toMatchObject({
    status: 404,
    body: { didYouMean: 'greet' },
  });
  expect(await switched({ name: 'greet', package: 'org.exmple', status: 'disabled' })).toMatchObject({
    status: 404,
    body: { didYouMean: 'org.example' },
  });
  for (const body of [{ name: 'greet' }, { status: 'enabled' }, { name: 'greet', status: 'on' }])
    expect((await switched(body)).status).toBe(400);
});
