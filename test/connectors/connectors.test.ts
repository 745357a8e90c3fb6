import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { readConnectorArchive } from '../../src/composite/connector-archive.ts';
import { type InProcess, inOnly, serve } from '../support/in-process.ts';
import { zip } from '../support/zip.ts';

const SYN = 'xmlns="http://ws.apache.org/ns/synapse"';

/** A connector as its tooling packs it: `hello` greets, with the greeting of its connection. */
const HELLO: Readonly<Record<string, string>> = {
  'connector.xml':
    '<connector><component name="hello" package="org.example"><dependency component="config"/><dependency component="say"/></component></connector>',
  'config/component.xml': component('config', 'init'),
  'config/init.xml': `<template ${SYN} name="init"><parameter name="greeting" defaultValue="Hi"/><sequence>
     <property name="GREETING" expression="$func:greeting"/></sequence></template>`,
  'say/component.xml': component('say', 'getMessage', 'shout', 'java'),
  'say/getMessage.xml': `<template ${SYN} name="getMessage"><parameter name="username" isMandatory="true"/><parameter name="id"/><sequence>
     <hello.shout><text>{fn:concat($ctx:GREETING, ' ', $func:username, ' ', $func:id)}</text></hello.shout>
     <property name="KEY" expression="$func:INIT_CONFIG_KEY"/></sequence></template>`,
  'say/shout.xml': `<template ${SYN} name="shout"><parameter name="text"/><sequence>
     <payloadFactory media-type="json"><format>{"said": "$1"}</format><args><arg expression="$func:text"/></args></payloadFactory>
     </sequence></template>`,
  'say/java.xml': `<template ${SYN} name="java"><sequence><class name="org.example.Java"/></sequence></template>`,
};

function component(name: string, ...operations: readonly string[]): string {
  const inside = operations.map(
    (operation) => `<component name="${operation}"><file>${operation}.xml</file></component>`,
  );
  return `<component name="${name}" type="synapse/template"><subComponents>${inside.join('')}</subComponents></component>`;
}

const CONNECTION = '<localEntry key="Conn"><hello.init><greeting>Hello</greeting></hello.init></localEntry>';
const CALL =
  '<hello.getMessage configKey="Conn"><username>Bob</username><id>{get-property(\'nr\')}</id></hello.getMessage>';

let running: InProcess | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

async function ask(): Promise<unknown> {
  const response = await fetch(running?.service('P') ?? '', {
    method: 'POST',
    body: '<x/>',
    headers: { 'content-type': 'application/xml' },
  });
  return response.status === 200 ? response.json() : response.status;
}

function drop(path: string, content: string | Buffer): void {
  const file = join(running?.directory ?? '', path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

const artifacts = (mediators: string, more: Readonly<Record<string, string>> = {}) => ({
  conn: CONNECTION,
  p: inOnly('P', `<property name="nr" value="7"/>${mediators}<respond/>`),
  ...more,
});

describe('operations of a connector', () => {
  test('from an archive that is dropped into the folder, and taken away again', async () => {
    running = await serve(artifacts(CALL), '', { watch: true });
    await running.logged(
      /proxy 'P' uses the operation 'hello.getMessage' of the connector 'hello', which is not deployed/,
    );
    await ask();
    await running.logged(/Sequence template hello.init cannot be found: the connector 'hello' is not deployed/);
    drop('hello.zip', zip(HELLO));
    await running.logged(/Synapse Library named 'hello' has been deployed/);
    await running.logged(
      /an operation of the connector 'hello' cannot be used: Error loading class : org.example.Java/,
    );
    expect(await ask()).toEqual({ said: 'Hello Bob 7' });
    rmSync(join(running.directory, 'hello.zip'));
    await running.logged(/Synapse Library named 'hello' has been undeployed/);
    expect(await ask()).not.toEqual({ said: 'Hello Bob 7' });
  });

  test('from an unpacked folder', async () => {
    running = await serve({
      ...artifacts(CALL),
      ...Object.fromEntries(
        Object.entries(HELLO)
          .filter(([path]) => !path.endsWith('java.xml'))
          .map(([path, text]) => [`connectors/hello/${path.replace(/\.xml$/, '')}`, raw(path, text)]),
      ),
    });
    expect(await ask()).toEqual({ said: 'Hello Bob 7' });
  });

  test('from an application', async () => {
    running = await serve(artifacts(CALL), '', { watch: true });
    const car = zip({
      'artifacts.xml':
        '<artifacts><artifact name="App" version="1.0.0" type="carbon/application"><dependency artifact="hello-connector" version="1.0.0"/></artifact></artifacts>',
      'hello-connector_1.0.0/artifact.xml':
        '<artifact name="hello-connector" version="1.0.0" type="synapse/lib"><file>hello.zip</file></artifact>',
      'hello-connector_1.0.0/hello.zip': zip(HELLO),
    });
    drop('app.car', car);
    await running.logged(/Successfully Deployed Carbon Application : App_1.0.0/);
    expect(await ask()).toEqual({ said: 'Hello Bob 7' });
  });

  test('a response variable takes what the operation has made of the message', async () => {
    running = await serve(
      artifacts(
        `${CALL.replace('</hello', '<responseVariable>v</responseVariable></hello')}
         <payloadFactory media-type="json"><format>{"v": "\${vars.v.payload.said}", "xml": "\${xpath('local-name($body/*)')}"}</format></payloadFactory>`,
      ),
      '',
      { watch: true },
    );
    drop('hello.zip', zip(HELLO));
    await running.logged(/Synapse Library named 'hello' has been deployed/);
    expect(await ask()).toEqual({ v: 'Hello Bob 7', xml: 'x' });
  });

  test('an import that disables the library, and one of a library that is not there', async () => {
    running = await serve(
      artifacts(CALL, {
        off: '<import name="hello" package="org.example" status="disabled"/>',
        none: '<import name="nope" package="org.example" status="enabled"/>',
      }),
      '',
      { watch: true },
    );
    await running.logged(/import 'nope' imports the connector 'nope', which is not deployed/);
    drop('hello.zip', zip(HELLO));
    await running.logged(/Synapse Library named 'hello' has been deployed/);
    await ask();
    await running.logged(/The connector 'hello' is disabled by its import/);
  });

  test('a mandatory parameter without a value is the fault of a template', async () => {
    running = await serve(artifacts('<hello.getMessage/>'), '', { watch: true });
    drop('hello.zip', zip(HELLO));
    await running.logged(/Synapse Library named 'hello' has been deployed/);
    await ask();
    await running.logged(/mandatory parameter: username/);
  });
});

describe('the archive of a connector', () => {
  test('one that is none is left alone with a warning', async () => {
    const { sources, diagnostics } = await readConnectorArchive('x.zip', zip({ 'a.txt': 'a' }));
    expect(sources).toEqual([]);
    expect(diagnostics).toMatchObject([{ severity: 'warning' }]);
  });

  test('what is no archive is an error', async () => {
    const { diagnostics } = await readConnectorArchive('x.zip', Buffer.from('no zip'));
    expect(diagnostics).toMatchObject([{ severity: 'error' }]);
  });

  test('templates that are missing, and connectors that are built in', async () => {
    const missing = await readConnectorArchive(
      'x.zip',
      zip({ 'connector.xml': HELLO['connector.xml'] ?? '', 'config/component.xml': component('config', 'init') }),
    );
    expect(missing.diagnostics[0]?.message).toContain(
      "the template of the operation 'hello.init' is not in the archive",
    );
    const http = await readConnectorArchive(
      'x.zip',
      zip({ 'connector.xml': '<connector><component name="http" package="org.wso2.carbon.connector"/></connector>' }),
    );
    expect(http.diagnostics[0]?.message).toContain("the connector 'http' is built in");
  });
});

/** Files of connectors have no Synapse namespace at their roots; the harness adds one to those that name none. */
function raw(path: string, text: string): string {
  return /connector\.xml$|component\.xml$/.test(path) ? `<?xml version="1.0"?>${text}` : text;
}
