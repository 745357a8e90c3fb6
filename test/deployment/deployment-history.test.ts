import { expect, test } from 'vitest';
import { DeploymentHistory } from '../../src/deployment/deployment-history.ts';
import { DeployedFolder, sequence } from './deployed-folder.ts';

test('what was deployed when, with what was wrong', async () => {
  await using deployed = new DeployedFolder();
  const { folder, deployer } = deployed;
  folder.write('a.xml', sequence('a'));
  await deployed.deploy();
  folder.write('a.xml', sequence('a', '<log/>'));
  folder.write('b.xml', '<sequence');
  await deployed.deploy();
  folder.remove('a.xml');
  await deployed.deploy();
  const [third, second, first] = deployer.history.list(10);
  expect(first).toMatchObject({ files: ['a.xml'], events: [{ event: 'deployed', name: 'a' }], problems: [] });
  expect(second?.events).toEqual([{ event: 'updated', kind: 'sequence', name: 'a' }]);
  expect(second?.problems).toMatchObject([{ file: 'b.xml', problems: [expect.stringContaining('not well-formed')] }]);
  expect(third?.events).toMatchObject([{ event: 'undeployed', name: 'a' }]);
  expect(deployer.history.lifeOf('sequence', 'a')).toBeUndefined();
  expect(deployer.reports().get('b.xml')?.serves).toBe(false);
});

test('artifacts know the text that they were read from; a look at a file deploys nothing', async () => {
  await using deployed = new DeployedFolder();
  deployed.folder.write('a.xml', sequence('a'));
  await deployed.deploy();
  const { deployer } = deployed;
  expect(deployer.snapshot.artifacts[0]?.artifact.source.text).toBe(sequence('a'));
  const reading = deployer.look({ path: 'b.xml', source: { file: 'b.xml', text: sequence('b') } });
  expect(reading.artifacts.map(({ name }) => name)).toEqual(['b']);
  expect(deployer.snapshot.find('sequence', 'b')).toBeUndefined();
  expect(deployer.reports().has('b.xml')).toBe(false);
});

test('the history is bounded', () => {
  const history = new DeploymentHistory();
  for (let version = 1; version <= 250; version += 1)
    history.add({
      time: version,
      version,
      files: [],
      events: [{ event: 'updated', kind: 'sequence', name: 's' }],
      problems: [],
    });
  expect(history.list(1_000)).toHaveLength(200);
  expect(history.list(1)).toMatchObject([{ version: 250 }]);
  expect(history.lifeOf('sequence', 's')).toEqual({ deployedAt: 250, revision: 250 });
});
