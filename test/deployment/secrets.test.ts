import { expect, test } from 'vitest';
import { DeployedFolder, definitions, proxy, store } from './deployed-folder.ts';

const withSecret = (alias: string) =>
  `<parameter name="store.jms.password">{wso2:vault-lookup('${alias}')}</parameter>`;

test('a secret that has changed deploys what refers to it again, and nothing else (OP-84)', async () => {
  const secrets = new Map([
    ['broker', 'one'],
    ['other', 'x'],
  ]);
  await using deployed = new DeployedFolder({ secret: (alias) => secrets.get(alias) });
  const { deployer, folder } = deployed;
  folder.write('own.xml', store('Own', withSecret('broker')));
  folder.write('both.xml', definitions(store('Inner', withSecret('broker')), store('Beside', withSecret('other'))));
  folder.write('p.xml', proxy('p'));
  await deployed.deploy();
  const { version } = deployer.snapshot;

  expect(await deployer.deployOutdated(), 'nothing has changed').toBeUndefined();
  expect(deployer.snapshot.version).toBe(version);

  const before = deployed.recorded('messageStore', 'Own').number;
  secrets.set('broker', 'two');
  const round = await deployer.deployOutdated();
  expect(round?.events.map(({ event, name }) => `${event} ${name}`)).toEqual(['updated Inner', 'updated Own']);
  expect(deployed.recorded('messageStore', 'Own')).toMatchObject({ previous: before });
  const [latest] = deployer.history.list(1);
  expect(latest).toMatchObject({ files: ['both.xml', 'own.xml'], problems: [] });
  expect(deployer.versions.of('own.xml'), 'the text is what it was').toHaveLength(1);
});

test('a secret that is gone leaves what it served, and is a problem until it is there again (OP-84)', async () => {
  const secrets = new Map([['broker', 'one']]);
  await using deployed = new DeployedFolder({ secret: (alias) => secrets.get(alias) });
  const { deployer, folder } = deployed;
  folder.write('own.xml', store('Own', withSecret('broker')));
  await deployed.deploy();
  const running = deployed.recorded('messageStore', 'Own').number;
  deployed.lines();

  secrets.delete('broker');
  expect((await deployer.deployOutdated())?.events).toEqual([]);
  expect(deployer.faulty()).toMatchObject([{ path: 'own.xml', serves: true }]);
  expect(deployed.lines('error').join('\n')).toContain("there is no secret 'broker'");
  expect(deployer.history.list(1)).toMatchObject([{ files: ['own.xml'], problems: [{ file: 'own.xml' }] }]);
  expect(deployed.recorded('messageStore', 'Own').number).toBe(running);

  secrets.set('broker', 'one');
  await deployer.deployOutdated();
  expect(deployer.faulty()).toEqual([]);
  expect(deployed.recorded('messageStore', 'Own').number, 'it is what it was').toBe(running);
});
