import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zip } from '../../support/zip.ts';
import { type Attack, HostileServer } from './hostile-server.ts';

/* Archives that want to fill the memory, or to lead out of their place. */

const MEBIBYTE = 1024 * 1024;
const BOUNDS: Attack = { memoryMiB: 400, cpuMs: 20_000, withinMs: 60_000 };

let server: HostileServer;

beforeAll(async () => {
  server = await HostileServer.start({ artifacts: {} });
});

afterAll(() => server?.stop());

/** Drops an archive into the artifact folder; it must be refused with the reason, by its name. */
async function drop(file: string, bytes: Buffer, reason: RegExp): Promise<void> {
  const after = server.runtime.lines().length;
  await server.endure(`${file}, ${(bytes.length / 1024).toFixed(0)} KiB`, BOUNDS, async () => {
    server.drop(file, bytes);
    await server.runtime.waitForLine(new RegExp(`${file.replace('.', '\\.')}.*${reason.source}`), {
      after,
      deadlineMs: 60_000,
    });
  });
}

const artifact = (name: string, type: string, file: string) =>
  `<artifact name="${name}" version="1.0.0" type="${type}"><file>${file}</file></artifact>`;
const application = (...names: string[]) =>
  `<artifacts><artifact name="App" version="1.0.0" type="carbon/application">${names.map((name) => `<dependency artifact="${name}" version="1.0.0" include="true"/>`).join('')}</artifact></artifacts>`;
const connector = (name: string, template: string) =>
  zip({
    'connector.xml': `<connector><component name="${name}" package="p"/></connector>`,
    'c/component.xml':
      '<component name="c"><subComponents><component name="one"><file>one.xml</file></component></subComponents></component>',
    'c/one.xml': template,
  });

describe.each(['car', 'zip'])('a .%s archive', (kind) => {
  it('with one entry of 256 MiB', async () => {
    const bomb = zip({ 'artifacts.xml': Buffer.alloc(256 * MEBIBYTE, 0x20) });
    await drop(`large.${kind}`, bomb, /'artifacts\.xml' makes it too large: more than 16777216 bytes, unpacked/);
  });

  it('with many entries of 15 MiB', async () => {
    const entry = Buffer.alloc(15 * MEBIBYTE, 0x20);
    const files = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`a${index}`, entry]));
    await drop(`several.${kind}`, zip(files), /'a8' makes it too large: more than \d+ bytes, unpacked/);
  });

  it('with 20,000 entries', async () => {
    const files = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`a${index}`, '']));
    await drop(`many.${kind}`, zip(files), /it has more than 10000 entries/);
  });

  it('that says that its bomb is small', async () => {
    const bomb = zip({ a: Buffer.alloc(64 * MEBIBYTE) });
    bomb.writeUInt32LE(10, 22);
    bomb.writeUInt32LE(10, bomb.indexOf('PK\x01\x02', 0, 'latin1') + 24);
    await drop(`liar.${kind}`, bomb, /not a readable archive: too many bytes in the stream|makes it too large/);
  });

  it.each([
    ['up', '../../evil.xml', /invalid relative path: \.\.\/\.\.\/evil\.xml/],
    ['inside', 'a/../../../evil.xml', /invalid relative path/],
    ['absolute', '/tmp/mini-synapse-evil.xml', /absolute path/],
    ['drive', 'C:\\evil.xml', /absolute path|invalid characters/],
    ['backslash', '..\\..\\evil.xml', /invalid relative path|invalid characters/],
  ])('with a path that leads out: %s', async (name, path, reason) => {
    await drop(`${name}.${kind}`, zip({ [path]: '<evil/>' }), reason);
    const places = ['/tmp', server.folder, join(server.folder, 'artifacts'), join(server.folder, 'data')];
    for (const place of places.filter(existsSync)) expect(readdirSync(place).join()).not.toContain('evil.xml');
  });
});

describe('an application', () => {
  it('whose artifact names a file outside', async () => {
    const archive = zip({
      'artifacts.xml': application('P'),
      'P_1.0.0/artifact.xml': artifact('P', 'synapse/proxy-service', '../../../../../../etc/passwd'),
    });
    await drop('outside.car', archive, /the file of the artifact 'P' is not in the archive/);
  });

  it('whose registry resources name files outside', async () => {
    const archive = zip({
      'artifacts.xml': application('R'),
      'R_1.0.0/artifact.xml': artifact('R', 'registry/resource', 'r.xml'),
      'R_1.0.0/r.xml':
        '<resources><item><file>../../../../etc/passwd</file><path>/_system/governance/../../../etc</path></item></resources>',
    });
    await drop('resource.car', archive, /etc\/passwd' is not in the archive/);
  });

  it('with bombs for connectors', async () => {
    const inner = connector(
      'c',
      `<template name="one"><sequence><!--${' '.repeat(15 * MEBIBYTE)}--></sequence></template>`,
    );
    const files: Record<string, string | Buffer> = {
      'artifacts.xml': application(...Array.from({ length: 12 }, (_, index) => `C${index}`)),
    };
    for (let index = 0; index < 12; index += 1) {
      files[`C${index}_1.0.0/artifact.xml`] = artifact(`C${index}`, 'synapse/lib', 'c.zip');
      files[`C${index}_1.0.0/c.zip`] = inner;
    }
    await drop('matryoshka.car', zip(files), /makes it too large: more than \d+ bytes, unpacked/);
  });

  it('with XML that expands or fetches', async () => {
    const laughs = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><artifacts>&b;</artifacts>';
    await drop('laughs.car', zip({ 'artifacts.xml': laughs }), /not well-formed: .*DOCTYPE/);
  });
});
