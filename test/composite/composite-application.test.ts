import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { readCompositeApplication } from '../../src/composite/composite-application.ts';
import { type InProcess, serve } from '../support/in-process.ts';
import { zip } from '../support/zip.ts';

const SYN = 'xmlns="http://ws.apache.org/ns/synapse"';

interface Part {
  readonly type: string;
  readonly content: string;
  readonly more?: Readonly<Record<string, string | Buffer>>;
  readonly role?: string;
}

/** A `.car` of these artifacts, as WSO2's tooling makes it. */
function car(parts: Readonly<Record<string, Part>>, missing: readonly string[] = []): Buffer {
  const names = [...Object.keys(parts), ...missing];
  const dependencies = names.map((name) => `<dependency artifact="${name}" version="1.0.0" include="true"/>`);
  const files: Record<string, string | Buffer> = {
    'artifacts.xml': `<artifacts><artifact name="App" version="1.0.0" type="carbon/application">${dependencies.join('')}</artifact></artifacts>`,
  };
  for (const [name, { type, content, more = {}, role }] of Object.entries(parts)) {
    const folder = `${name}_1.0.0`;
    const serverRole = role === undefined ? '' : ` serverRole="${role}"`;
    files[`${folder}/artifact.xml`] =
      `<artifact name="${name}" version="1.0.0" type="${type}"${serverRole}><file>${name}.xml</file></artifact>`;
    files[`${folder}/${name}.xml`] = content;
    for (const [path, bytes] of Object.entries(more)) files[`${folder}/${path}`] = bytes;
  }
  return zip(files);
}

function answering(name: string, text: string): Part {
  const content = `<proxy ${SYN} name="${name}"><target><inSequence><property name="X-by" value="${text}" scope="transport"/><respond/></inSequence></target></proxy>`;
  return { type: 'synapse/proxy-service', content };
}

const RESOURCES: Part = {
  type: 'registry/resource',
  content: `<resources>
    <item><file>note.txt</file><path>/_system/governance/notes</path>
      <properties><property key="owner" value="me"/></properties></item>
    <collection><directory>all</directory><path>/_system/config/all</path></collection>
  </resources>`,
  more: { 'resources/note.txt': 'hello', 'resources/all/a/b.txt': 'deep' },
};

describe('the reading of a composite application', () => {
  it('finds its artifacts and resources', async () => {
    const application = await readCompositeApplication('App.car', car({ P: answering('P', '1'), R: RESOURCES }));
    expect(application).toMatchObject({ name: 'App', version: '1.0.0', diagnostics: [] });
    expect(application.sources.map(({ file }) => file)).toEqual(['App.car!/P_1.0.0/P.xml']);
    expect(application.resources).toEqual([
      { key: 'gov:notes/note.txt', content: Buffer.from('hello'), properties: { owner: 'me' } },
      { key: 'conf:all/a/b.txt', content: Buffer.from('deep'), properties: {} },
    ]);
  });

  it('leaves out what is for other servers, and Java code with a warning', async () => {
    const application = await readCompositeApplication(
      'App.car',
      car({ P: { ...answering('P', '1'), role: 'DSS' }, L: { type: 'lib/synapse/mediator', content: 'jar' } }),
    );
    expect(application.sources).toEqual([]);
    expect(application.diagnostics).toMatchObject([
      {
        severity: 'warning',
        message: "the artifact 'L' of type lib/synapse/mediator is left out: Java code is not run",
      },
    ]);
  });

  it.each([
    ['no zip', Buffer.from('x'), 'not a readable archive'],
    ['no list', zip({ 'a.xml': '<a/>' }), 'no artifacts.xml'],
    ['a broken list', zip({ 'artifacts.xml': '<a' }), 'not well-formed'],
    ['a missing dependency', car({}, ['Gone']), 'Some dependencies were not satisfied in cApp:App_1.0.0'],
    [
      'a data service',
      car({ D: { type: 'service/dataservice', content: '<data/>' } }),
      'data services are not supported',
    ],
    ['an unknown type', car({ D: { type: 'synapse/nothing', content: '<data/>' } }), "unknown type 'synapse/nothing'"],
  ])('%s is told', async (_name, bytes, expected) => {
    const { diagnostics, sources } = await readCompositeApplication('App.car', bytes);
    expect(sources).toEqual([]);
    expect(diagnostics.map(({ message }) => message).join('\n')).toContain(expected);
  });
});

describe('a .car in the artifact folder', () => {
  let running: InProcess | undefined;
  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });

  const by = async (name: string) => {
    const answer = await fetch(running?.service(name) ?? '');
    return answer.headers.get('x-by') ?? answer.status;
  };

  it('is deployed, replaced and undeployed as one', async () => {
    running = await serve({}, '', { watch: true });
    const file = join(running.directory, 'App_1.0.0.car');
    const next = async (pattern: RegExp, change: () => void) => {
      const mark = running?.records.length;
      change();
      await running?.logged(pattern, mark);
    };
    await next(/INFO Successfully Deployed Carbon Application : App_1.0.0\{super tenant\}/, () =>
      writeFileSync(file, car({ P: answering('P', 'one'), Q: answering('Q', 'one'), R: RESOURCES })),
    );
    expect([await by('P'), await by('Q')]).toEqual(['one', 'one']);
    const resource = () => running?.server.configuration().services.registry?.text('gov:notes/note.txt');
    expect(resource()).toBe('hello');

    const broken = car({ P: answering('P', 'two'), Q: { type: 'synapse/proxy-service', content: '<proxy/>' } });
    await next(/Error occurred while deploying the Carbon application: .*Reverting/, () => writeFileSync(file, broken));
    expect([await by('P'), await by('Q')]).toEqual(['one', 'one']);
    expect(resource()).toBe('hello');

    await next(/Successfully Deployed Carbon Application/, () =>
      writeFileSync(file, car({ P: answering('P', 'three') })),
    );
    expect([await by('P'), await by('Q')]).toEqual(['three', 404]);
    expect(resource()).toBeUndefined();

    await next(/Successfully undeployed Carbon Application : App_1.0.0\{super tenant\}/, () => rmSync(file));
    expect(await by('P')).toBe(404);
  });
});
