import { describe, expect, test } from 'vitest';
import { findEntry } from '../../src/message/entry.ts';
import { DeployedFolder, definitions, endpoint, SYN, sequence } from './deployed-folder.ts';
import { TemporaryFolder } from './temporary-folder.ts';

const SIMPLE = 'org.apache.synapse.registry.url.SimpleURLRegistry';
const registry = (root: string, cachable = '0') =>
  `<registry provider="${SIMPLE}"><parameter name="root">${root}</parameter><parameter name="cachableDuration">${cachable}</parameter></registry>`;

describe('a registry in a folder', () => {
  test('has what sequences and endpoints are referred to by', async () => {
    using resources = new TemporaryFolder();
    await using deployed = new DeployedFolder();
    resources.write('seq/one.xml', sequence('any', '<log/><drop/>'));
    resources.write('ep/one.xml', `<endpoint ${SYN}><address uri="http://a/"/></endpoint>`);
    resources.write('text', 'hello');
    const main =
      '<sequence name="main"><sequence key="seq/one.xml"/><send><endpoint key="ep/one.xml"/></send></sequence>';
    deployed.folder.write('all.xml', definitions(registry(`file:${resources.path}`), main));
    await deployed.deploy();
    const { snapshot } = deployed.deployer;
    expect(deployed.lines('warn')).toEqual([]);
    expect(snapshot.find('sequence', 'seq/one.xml')?.list.steps).toHaveLength(2);
    expect(snapshot.find('endpoint', 'ep/one.xml')?.kind).toBe('address');
    expect(snapshot.find('sequence', 'ep/one.xml')).toBeUndefined();
    expect(snapshot.find('sequence', 'seq/two.xml')).toBeUndefined();
    expect(findEntry(snapshot, 'text')).toEqual({ text: 'hello', xml: undefined });

    // The same as long as the text is, over deployments too: an endpoint keeps its state.
    const before = snapshot.find('endpoint', 'ep/one.xml');
    deployed.folder.write('more.xml', endpoint('more'));
    await deployed.deploy();
    expect(deployed.deployer.snapshot.find('endpoint', 'ep/one.xml')).toBe(before);
    resources.write('seq/one.xml', sequence('any', '<drop/>'));
    expect(deployed.deployer.snapshot.find('sequence', 'seq/one.xml')?.list.steps).toHaveLength(1);
  });

  test('a resource that is wrong is told of once, and is none', async () => {
    using resources = new TemporaryFolder();
    await using deployed = new DeployedFolder();
    resources.write('seq.xml', sequence('any', '<stroe/>'));
    deployed.folder.write(
      'r.xml',
      definitions(registry(`file:${resources.path}`), '<sequence name="s"><drop/></sequence>'),
    );
    await deployed.deploy();
    const { snapshot } = deployed.deployer;
    expect([snapshot.find('sequence', 'seq.xml'), snapshot.find('sequence', 'seq.xml')]).toEqual([
      undefined,
      undefined,
    ]);
    expect(deployed.lines('error').filter((line) => line.includes("did you mean 'store'?"))).toHaveLength(1);
  });

  test('alone in its file it brings the whole configuration along', async () => {
    using resources = new TemporaryFolder();
    await using deployed = new DeployedFolder();
    resources.write('synapse.xml', definitions(sequence('main'), endpoint('ep'), registry('file:elsewhere')));
    deployed.folder.write('r.xml', definitions(registry(`file:${resources.path}`)));
    await deployed.deploy();
    const { snapshot } = deployed.deployer;
    expect(snapshot.find('sequence', 'main')?.position.file).toContain('synapse.xml');
    expect(snapshot.find('endpoint', 'ep')).toBeDefined();
    expect(snapshot.names('registry')).toHaveLength(1);
  });

  test.each([
    ['no registry of its own', `<registry provider="x"/>`, []],
    [
      'another server',
      registry('http://registry.example/'),
      ["a registry at 'http://registry.example/' is known, not supported yet"],
    ],
    ['a wrong duration', registry('file:x', 'long'), ["cachableDuration 'long' is no number"]],
  ])('%s', async (_, xml, warnings) => {
    await using deployed = new DeployedFolder();
    deployed.folder.write('r.xml', definitions(xml, sequence('s')));
    await deployed.deploy();
    expect(deployed.deployer.snapshot.find('sequence', 's')).toBeDefined();
    const told = deployed.log.filter(({ level }) => level === 'warn').map(({ message }) => message);
    expect(told).toHaveLength(warnings.length);
    for (const warning of warnings) expect(told.join()).toContain(warning);
  });
});
