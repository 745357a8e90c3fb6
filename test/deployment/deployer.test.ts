import { describe, expect, test } from 'vitest';
import {
  DeployedFolder,
  definitions,
  endpoint,
  entry,
  processor,
  proxy,
  SYN,
  sequence,
  store,
} from './deployed-folder.ts';

describe('what is served', () => {
  test('all kinds, from any layout', async () => {
    await using deployed = new DeployedFolder();
    const { folder } = deployed;
    folder.write('p.xml', proxy('p'));
    folder.write('synapse-configs/default/sequences/s.xml', sequence('s'));
    folder.write('synapse-configs/default/proxy-services/ep.xml', endpoint('ep'));
    folder.write('all.xml', definitions(entry('e'), store('st'), processor('mp', 'st')));
    await deployed.deploy();
    expect(deployed.served).toEqual([
      'endpoint ep',
      'localEntry e',
      'messageProcessor mp',
      'messageStore st',
      'proxy p',
      'sequence s',
    ]);
    const { snapshot } = deployed.deployer;
    expect(snapshot.version).toBe(1);
    expect(snapshot.find('proxy', 'p')?.name).toBe('p');
    expect(snapshot.find('proxy', 's')).toBeUndefined();
    expect(snapshot.names('sequence')).toEqual(['fault', 'main', 's']);
  });

  test('an artifact of its own takes the place of a built-in sequence, which comes back', async () => {
    await using deployed = new DeployedFolder();
    deployed.folder.write('main.xml', sequence('main'));
    await deployed.deploy();
    expect(deployed.deployer.snapshot.find('sequence', 'main')?.position.file).toContain('main.xml');
    deployed.folder.remove('main.xml');
    await deployed.deploy();
    expect(deployed.deployer.snapshot.find('sequence', 'main')?.position.file).toContain('built-in');
  });

  test('a sequence inside a local entry is found by the entry’s key', async () => {
    await using deployed = new DeployedFolder();
    deployed.folder.write('e.xml', entry('e', '<sequence name="x"><drop/></sequence>'));
    deployed.folder.write('p.xml', `<proxy ${SYN} name="p"><target inSequence="e"/></proxy>`);
    await deployed.deploy();
    expect(deployed.deployer.snapshot.find('sequence', 'e')?.list.steps).toHaveLength(1);
    expect(deployed.lines('warn')).toEqual([]);
  });

  test('strict: a file with a warning is not taken, and its last good version serves on (MREQ-3)', async () => {
    await using deployed = new DeployedFolder({ strict: true });
    deployed.folder.write('p.xml', proxy('p'));
    deployed.folder.write('q.xml', proxy('q').replace('name=', 'nmae="x" name='));
    await deployed.deploy();
    expect(deployed.served).toEqual(['proxy p']);
    expect(deployed.lines('error').join()).toContain("unknown attribute 'nmae'");
    deployed.folder.write('p.xml', proxy('p', '<log levle="full"/>'));
    await deployed.deploy();
    expect(deployed.served).toEqual(['proxy p']);
    expect(deployed.deployer.faulty().map(({ path, serves }) => [path, serves])).toEqual([
      ['p.xml', true],
      ['q.xml', false],
    ]);
  });

  test('a message keeps the snapshot that it started with', async () => {
    await using deployed = new DeployedFolder();
    deployed.folder.write('s.xml', sequence('s', '<log/>'));
    await deployed.deploy();
    const before = deployed.deployer.snapshot;
    deployed.folder.write('s.xml', sequence('s', '<drop/>'));
    await deployed.deploy();
    expect(before.find('sequence', 's')?.list.steps[0]?.mediator).toBe('log');
    expect(deployed.deployer.snapshot.find('sequence', 's')?.list.steps[0]?.mediator).toBe('drop');
  });

  test('a proxy pinned to another server is not deployed', async () => {
    await using deployed = new DeployedFolder({ serverName: 'here' });
    deployed.folder.write('p.xml', proxy('p').replace('name=', 'pinnedServers="there" name='));
    deployed.folder.write('q.xml', proxy('q').replace('name=', 'pinnedServers="there here" name='));
    await deployed.deploy();
    expect(deployed.served).toEqual(['proxy q']);
    expect(deployed.lines()).toContain('Server name not in pinned servers list. Not deploying Proxy service : p');
    deployed.folder.write('p.xml', proxy('p').replace('name=', 'pinnedServers="here" name='));
    expect(await deployed.events()).toEqual(['deployed proxy p']);
  });
});

describe('the reference’s lines', () => {
  test('at the start, and later', async () => {
    await using deployed = new DeployedFolder();
    const { folder } = deployed;
    const file = (name: string) => folder.at(name);
    folder.write('p.xml', proxy('p'));
    folder.write('s.xml', sequence('s'));
    await deployed.deploy();
    expect(deployed.lines('info')).toEqual(['Deployed Proxy service : p']);

    folder.write('q.xml', proxy('q').replace('name=', 'startOnLoad="false" name='));
    folder.write('e.xml', entry('e'));
    folder.write('ep.xml', endpoint('ep'));
    folder.write('t.xml', sequence('t'));
    folder.write('st.xml', store('st'));
    folder.write('mp.xml', processor('mp', 'st'));
    await deployed.deploy();
    expect(deployed.lines('info')).toEqual([
      `LocalEntry named 'e' has been deployed from file : ${file('e.xml')}`,
      `Endpoint named 'ep' has been deployed from file : ${file('ep.xml')}`,
      `Sequence named 't' has been deployed from file : ${file('t.xml')}`,
      `Message Store named 'st' has been deployed from file : ${file('st.xml')}`,
      `Message Processor named 'mp' has been deployed from file : ${file('mp.xml')}`,
      `ProxyService named 'q' has been deployed from file : ${file('q.xml')}`,
      "ProxyService named 'q' has been stopped as startOnLoad parameter is set to false",
    ]);

    folder.write('p.xml', proxy('p', '<log/>'));
    folder.write('e.xml', entry('e', 'other'));
    folder.write('st.xml', store('st', '<parameter name="x">1</parameter>'));
    await deployed.deploy();
    expect(deployed.lines('info')).toEqual([
      `Endpoint: e has been updated from the file: ${file('e.xml')}`,
      'MessageStore: st has been undeployed',
      `MessageStore: st has been updated from the file: ${file('st.xml')}`,
      `ProxyService named 'p' has been update from file : ${file('p.xml')}`,
    ]);

    folder.write('p.xml', proxy('renamed'));
    folder.remove('s.xml');
    await deployed.deploy();
    expect(deployed.lines('info')).toEqual([
      "Sequence named 's' has been undeployed",
      'ProxyService named p has been Undeployed',
      `ProxyService named 'renamed' has been deployed from file : ${file('p.xml')}`,
    ]);
  });
});

describe('broken files', () => {
  test('leave the last good version serving and are reported with a frame', async () => {
    await using deployed = new DeployedFolder();
    deployed.folder.write('p.xml', proxy('p', '<log/>'));
    await deployed.deploy();
    const good = deployed.deployer.snapshot.find('proxy', 'p');
    deployed.lines();

    deployed.folder.write('p.xml', proxy('p', '<lgo/>'));
    expect(await deployed.events()).toEqual([]);
    expect(deployed.deployer.snapshot.find('proxy', 'p')).toBe(good);
    const [headline, detail, ...more] = deployed.lines('error');
    expect(headline).toBe(`Update of the Synapse Artifact from file : ${deployed.folder.at('p.xml')} : Failed!`);
    expect(detail).toMatch(/p\.xml:1:\d+: error: Unknown mediator referenced by configuration element : \{.*\}lgo/);
    expect(detail).toContain("did you mean 'log'?");
    expect(detail).toContain('> 1 | <proxy');
    expect(more).toEqual([]);
    expect(deployed.deployer.faulty()).toMatchObject([{ path: 'p.xml', serves: true }]);

    deployed.folder.write('p.xml', proxy('p', '<drop/>'));
    expect(await deployed.events()).toEqual(['updated proxy p']);
    expect(deployed.deployer.faulty()).toEqual([]);
  });

  test.each([
    ['malformed', '<proxy', 'Deployment of synapse artifact failed. Error parsing '],
    ['an unknown mediator', proxy('p', '<nope/>'), 'Deployment of the Synapse Artifact from file : '],
    ['another root', '<nope/>', 'Deployment of the Synapse Artifact from file : '],
    ['not text', '\u0000\u0001', 'Deployment of synapse artifact failed. Error parsing '],
  ])('a new one, %s, is not served; it can be fixed or removed', async (_what, text, headline) => {
    await using deployed = new DeployedFolder();
    deployed.folder.write('other.xml', proxy('other'));
    await deployed.deploy();
    deployed.folder.write('p.xml', text);
    await deployed.deploy();
    expect(deployed.served).toEqual(['proxy other']);
    expect(deployed.lines('error')[0]).toContain(headline);
    expect(deployed.deployer.faulty()).toMatchObject([{ path: 'p.xml', serves: false }]);
    deployed.folder.write('p.xml', proxy('p'));
    await deployed.deploy();
    expect(deployed.served).toEqual(['proxy other', 'proxy p']);
    deployed.folder.write('q.xml', text);
    await deployed.deploy();
    deployed.folder.remove('q.xml');
    await deployed.deploy();
    expect(deployed.deployer.faulty()).toEqual([]);
  });

  test('at the start: told, skipped, the others are served', async () => {
    await using deployed = new DeployedFolder();
    deployed.folder.write('a.xml', proxy('a', '<nope/>'));
    deployed.folder.write('b.xml', proxy('b'));
    await deployed.deploy();
    expect(deployed.served).toEqual(['proxy b']);
    expect(deployed.lines('error')[0]).toBe(
      `Proxy configuration cannot be built from : ${deployed.folder.at('a.xml')} - Continue in fail-safe mode`,
    );
  });

  test('deleting a broken file takes its last good version away', async () => {
    await using deployed = new DeployedFolder();
    deployed.folder.write('p.xml', proxy('p'));
    await deployed.deploy();
    deployed.folder.write('p.xml', '<broken');
    await deployed.deploy();
    expect(deployed.served).toEqual(['proxy p']);
    deployed.folder.remove('p.xml');
    expect(await deployed.events()).toEqual(['undeployed proxy p']);
  });

  test('a file is replaced as a whole or not at all', async () => {
    await using deployed = new DeployedFolder();
    deployed.folder.write('d.xml', definitions(sequence('a', '<log/>'), sequence('b'), sequence('c')));
    await deployed.deploy();
    deployed.folder.write('d.xml', definitions(sequence('a', '<drop/>'), sequence('b', '<nope/>'), sequence('d')));
    expect(await deployed.events()).toEqual([]);
    expect(deployed.served).toEqual(['sequence a', 'sequence b', 'sequence c']);
    deployed.folder.write('d.xml', definitions(sequence('a', '<drop/>'), sequence('b'), sequence('d')));
    expect(await deployed.events()).toEqual(['renamed sequence c', 'updated sequence a', 'deployed sequence d']);
  });

  test('a file that never was whole is served as far as it is good', async () => {
    await using deployed = new DeployedFolder();
    deployed.folder.write('d.xml', definitions(sequence('a', '<log/>'), sequence('b', '<nope/>')));
    await deployed.deploy();
    expect(deployed.served).toEqual(['sequence a']);
    deployed.folder.write('d.xml', definitions(sequence('c'), sequence('b', '<nope/>')));
    await deployed.deploy();
    expect(deployed.served).toEqual(['sequence a', 'sequence c']);
    deployed.folder.write('d.xml', definitions(sequence('b')));
    await deployed.deploy();
    expect(deployed.served).toEqual(['sequence b']);
  });

  test('the same problem is told once as long as nothing changes', async () => {
    await using deployed = new DeployedFolder();
    deployed.folder.write('p.xml', proxy('p').replace('name=', 'nmae="x" name='));
    deployed.folder.write('q.xml', '<broken');
    await deployed.deploy();
    expect(deployed.lines('warn')).toEqual([expect.stringContaining("unknown attribute 'nmae'")]);
    deployed.folder.write('r.xml', proxy('r'));
    await deployed.deploy();
    expect(deployed.lines().filter((line) => !line.includes('ProxyService'))).toEqual([]);
    deployed.folder.write('p.xml', `${proxy('p', '<log/>').replace('name=', 'nmae="x" name=')}`);
    deployed.folder.write('q.xml', '<broken ');
    await deployed.deploy();
    const lines = deployed.lines();
    expect(lines.filter((line) => line.includes('nmae'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('Error parsing'))).toHaveLength(1);
  });
});

describe('names', () => {
  test('a new artifact with another file’s name is refused, naming both, and taken up when the name is free', async () => {
    await using deployed = new DeployedFolder();
    const { folder } = deployed;
    folder.write('b.xml', proxy('p', '<log/>'));
    await deployed.deploy();
    folder.write('a.xml', proxy('p', '<drop/>'));
    expect(await deployed.events()).toEqual([]);
    const [headline, detail] = deployed.lines('error');
    expect(headline).toBe(`Deployment of the Synapse Artifact from file : ${folder.at('a.xml')} : Failed!`);
    expect(detail).toContain(`${folder.at('a.xml')}:1:1: error: ProxyService named : p already exists`);
    expect(detail).toContain(`${folder.at('b.xml')}:1:1`);
    folder.remove('b.xml');
    expect(await deployed.events()).toEqual(['updated proxy p']);
    expect(deployed.deployer.snapshot.find('proxy', 'p')?.definition.position.file).toBe(folder.at('a.xml'));
    expect(deployed.deployer.faulty()).toEqual([]);
  });

  test.each([
    ['endpoint', endpoint('x')],
    ['localEntry', entry('x')],
  ])('a sequence and a %s share one space (REQ-6)', async (kind, text) => {
    await using deployed = new DeployedFolder();
    deployed.folder.write('a.xml', sequence('x'));
    deployed.folder.write('b.xml', text);
    deployed.folder.write('c.xml', proxy('x'));
    await deployed.deploy();
    expect(deployed.served).toEqual(['proxy x', 'sequence x']);
    expect(deployed.lines('error').join()).toContain('share one space of names');
    deployed.folder.remove('a.xml');
    await deployed.deploy();
    expect(deployed.served).toEqual([`${kind} x`, 'proxy x'].sort());
  });

  test('two files swap names', async () => {
    await using deployed = new DeployedFolder();
    deployed.folder.write('a.xml', sequence('x', '<log/>'));
    deployed.folder.write('b.xml', sequence('y', '<drop/>'));
    await deployed.deploy();
    deployed.folder.write('a.xml', sequence('y', '<log/>'));
    deployed.folder.write('b.xml', sequence('x', '<drop/>'));
    expect((await deployed.events()).sort()).toEqual(['updated sequence x', 'updated sequence y']);
    expect(deployed.lines('error')).toEqual([]);
  });

  test('one after the other, too: the first waits for the second', async () => {
    await using deployed = new DeployedFolder();
    deployed.folder.write('a.xml', sequence('x', '<log/>'));
    deployed.folder.write('b.xml', sequence('y', '<drop/>'));
    await deployed.deploy();
    deployed.folder.write('a.xml', sequence('y', '<log/>'));
    expect(await deployed.events()).toEqual([]);
    expect(deployed.served).toEqual(['sequence x', 'sequence y']);
    deployed.folder.write('b.xml', sequence('x', '<drop/>'));
    expect((await deployed.events()).sort()).toEqual(['updated sequence x', 'updated sequence y']);
    expect(deployed.deployer.faulty()).toEqual([]);
  });

  test('an artifact that moves to another file is neither missing nor a duplicate for a moment', async () => {
    await using deployed = new DeployedFolder();
    deployed.folder.write('a.xml', store('s'));
    deployed.folder.write('b.xml', definitions(sequence('x'), endpoint('ep')));
    await deployed.deploy();
    const { number } = deployed.recorded('messageStore', 's');
    const ep = deployed.deployer.snapshot.find('endpoint', 'ep');
    deployed.folder.move('a.xml', 'stores/a.xml');
    deployed.folder.write('b.xml', definitions(sequence('x')));
    deployed.folder.write('c.xml', endpoint('ep'));
    const seen: boolean[] = [];
    deployed.deployer.subscribe((snapshot) => {
      seen.push(snapshot.find('messageStore', 's') !== undefined && snapshot.find('endpoint', 'ep') !== undefined);
    });
    expect(await deployed.events()).toEqual([]);
    expect(seen).not.toContain(false);
    expect(deployed.recorded('messageStore', 's').number).toBe(number);
    expect(deployed.deployer.snapshot.find('endpoint', 'ep')).toBe(ep);
    expect(deployed.lines('error')).toEqual([]);
  });

  test('a file on its way out gives way to the one that takes its name', async () => {
    await using deployed = new DeployedFolder();
    deployed.folder.write('a.xml', proxy('p', '<log/>'));
    await deployed.deploy();
    const source = { file: 'b.xml', text: proxy('p', '<drop/>') };
    const round = await deployed.deployer.deploy({
      changed: [{ path: 'b.xml', source }],
      removed: [],
      leaving: ['a.xml'],
    });
    expect(round.events).toEqual([{ event: 'updated', kind: 'proxy', name: 'p' }]);
    expect(deployed.lines('error')).toEqual([]);
  });
});

describe('references', () => {
  test('dangling ones are warned about with file and line, once while nothing changes (MREQ-4)', async () => {
    await using deployed = new DeployedFolder();
    deployed.folder.write(
      'p.xml',
      `<proxy ${SYN} name="p">\n<target inSequence="orders" endpoint="nowhere"/>\n</proxy>`,
    );
    deployed.folder.write('s.xml', sequence('order'));
    await deployed.deploy();
    const warnings = deployed.lines('warn');
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain(
      `${deployed.folder.at('p.xml')}:2:9: warning: proxy 'p' refers to sequence 'orders', which is not deployed`,
    );
    expect(warnings[0]).toContain("did you mean 'order'?");
    deployed.folder.write('q.xml', proxy('q'));
    await deployed.deploy();
    expect(deployed.lines('warn')).toEqual([]);
    deployed.folder.write('s.xml', sequence('orders'));
    await deployed.deploy();
    expect(deployed.lines('warn')).toEqual([]);
    deployed.folder.remove('s.xml');
    await deployed.deploy();
    expect(deployed.lines('warn')).toEqual([expect.stringContaining("sequence 'orders', which is not deployed")]);
  });

  test('built-in sequences are no dangling references', async () => {
    await using deployed = new DeployedFolder();
    deployed.folder.write('p.xml', `<proxy ${SYN} name="p"><target inSequence="main" faultSequence="fault"/></proxy>`);
    await deployed.deploy();
    expect(deployed.lines('warn')).toEqual([]);
  });
});

describe('what artifacts look up', () => {
  const keyed = `<messageStore ${SYN} name="s"><parameter name="p" key="e"/></messageStore>`;

  test('a store that takes a parameter from a local entry follows it', async () => {
    await using deployed = new DeployedFolder();
    deployed.folder.write('a-store.xml', keyed);
    deployed.folder.write('z-entry.xml', entry('e', '1'));
    await deployed.deploy();
    expect(deployed.served).toEqual(['localEntry e', 'messageStore s']);
    deployed.folder.write('z-entry.xml', entry('e', '2'));
    expect(await deployed.events()).toEqual(['updated localEntry e', 'updated messageStore s']);
    deployed.folder.remove('z-entry.xml');
    await deployed.deploy();
    expect(deployed.served).toEqual(['messageStore s']);
    expect(deployed.lines('error').join()).toContain('Registry entry defined with key: e not found.');
  });

  test('a store whose entry comes later is deployed then', async () => {
    await using deployed = new DeployedFolder();
    deployed.folder.write('s.xml', keyed);
    await deployed.deploy();
    expect(deployed.served).toEqual([]);
    deployed.folder.write('e.xml', entry('e', '1'));
    expect(await deployed.events()).toEqual(['deployed localEntry e', 'deployed messageStore s']);
    expect(deployed.deployer.faulty()).toEqual([]);
  });

  test('a local entry with a source is read once per deployment of it', async () => {
    await using deployed = new DeployedFolder();
    deployed.folder.write('value.txt', 'one');
    deployed.folder.write('e.xml', `<localEntry ${SYN} key="e" src="file:value.txt"/>`);
    deployed.folder.write('missing.xml', `<localEntry ${SYN} key="m" src="file:nowhere.txt"/>`);
    await deployed.deploy();
    expect(deployed.deployer.snapshot.find('localEntry', 'e')?.text).toBe('one');
    expect(deployed.lines('error').join()).toContain("cannot read the source of local entry 'm'");
    deployed.folder.write('value.txt', 'two');
    deployed.folder.write('other.xml', entry('other'));
    await deployed.deploy();
    expect(deployed.deployer.snapshot.find('localEntry', 'e')?.text).toBe('one');
    deployed.folder.write('e.xml', `<localEntry ${SYN} key="e" src="file:value.txt" description="again"/>`);
    await deployed.deploy();
    expect(deployed.deployer.snapshot.find('localEntry', 'e')?.text).toBe('two');
  });
});

describe('the life of stores and processors', () => {
  async function withStoreAndProcessor() {
    const deployed = new DeployedFolder();
    deployed.folder.write('s.xml', store('s'));
    deployed.folder.write('p.xml', processor('p', 's'));
    deployed.folder.write('ep.xml', endpoint('ep'));
    await deployed.deploy();
    return deployed;
  }

  test('processors start after stores are open, and only when the server works', async () => {
    await using deployed = await withStoreAndProcessor();
    await deployed.deployer.settled();
    expect(deployed.life).toEqual(['open store s', 'open processor p']);
    await deployed.deployer.startWork();
    expect(deployed.life.slice(2).sort()).toEqual(['start processor p', 'start store s']);
  });

  test('unchanged: carried over; changed: the new one gets the old one, which is then closed', async () => {
    await using deployed = await withStoreAndProcessor();
    await deployed.deployer.startWork();
    const { number } = deployed.recorded('messageStore', 's');
    deployed.life.length = 0;
    deployed.folder.write('s.xml', `<!-- moved -->\n\n${store('s')}`);
    await deployed.deploy();
    expect(deployed.recorded('messageStore', 's').number).toBe(number);
    expect(deployed.life).toEqual([]);
    deployed.folder.write('s.xml', store('s', '<parameter name="x">1</parameter>'));
    await deployed.deploy();
    await deployed.deployer.settled();
    expect(deployed.recorded('messageStore', 's').previous).toBe(number);
    expect(deployed.life).toEqual(['open store s', 'start store s', 'close store s replaced']);
  });

  test('undeployed: processors end before the stores that they use', async () => {
    await using deployed = await withStoreAndProcessor();
    await deployed.deployer.startWork();
    deployed.life.length = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    deployed.hooks.set('close processor p undeployed', () => promise);
    deployed.folder.remove('p.xml');
    await deployed.deploy();
    deployed.folder.remove('s.xml');
    deployed.folder.write('other.xml', proxy('other'));
    await deployed.deploy();
    expect(deployed.served).toEqual(['endpoint ep', 'proxy other']);
    expect(deployed.life).toEqual(['close processor p undeployed']);
    resolve();
    await deployed.deployer.settled();
    expect(deployed.life).toEqual(['close processor p undeployed', 'close store s undeployed']);
  });

  test('steps of one name never overlap', async () => {
    await using deployed = await withStoreAndProcessor();
    await deployed.deployer.startWork();
    deployed.life.length = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    deployed.hooks.set('close processor p replaced', () => promise);
    deployed.folder.write('p.xml', processor('p', 's', 2000));
    await deployed.deploy();
    deployed.folder.write('p.xml', processor('p', 's', 3000));
    await deployed.deploy();
    deployed.folder.remove('p.xml');
    await deployed.deploy();
    resolve();
    await deployed.deployer.settled();
    expect(deployed.life.filter((step) => !step.startsWith('open'))).toEqual([
      'start processor p',
      'close processor p replaced',
      'start processor p',
      'close processor p replaced',
      'close processor p undeployed',
    ]);
  });

  test('one that cannot be opened leaves the previous one, and is reported with its file', async () => {
    await using deployed = await withStoreAndProcessor();
    const { number } = deployed.recorded('messageStore', 's');
    deployed.hooks.set('open store s', () => {
      throw new Error('for this test');
    });
    deployed.folder.write('s.xml', store('s', '<parameter name="x">1</parameter>'));
    expect(await deployed.events()).toEqual([]);
    expect(deployed.recorded('messageStore', 's').number).toBe(number);
    expect(deployed.lines('error').join('\n')).toContain(
      "s.xml:1:1: error: messageStore 's' cannot be opened: for this test",
    );
    expect(deployed.deployer.faulty()).toMatchObject([{ path: 's.xml' }]);
    deployed.folder.write('other.xml', proxy('other'));
    deployed.life.length = 0;
    await deployed.deploy();
    expect(deployed.life).toEqual([]);
    deployed.hooks.clear();
    deployed.folder.write('s.xml', store('s', '<parameter name="x">2</parameter>'));
    expect(await deployed.events()).toEqual(['updated messageStore s']);
    expect(deployed.deployer.faulty()).toEqual([]);
  });

  test('a failing start or close is told and holds nothing up', async () => {
    await using deployed = await withStoreAndProcessor();
    deployed.hooks.set('start processor p', () => Promise.reject(new Error('no start')));
    deployed.hooks.set('close processor p shutdown', () => Promise.reject(new Error('no close')));
    await deployed.deployer.startWork();
    await deployed.deployer.close();
    const lines = deployed.lines('error').join('\n');
    expect(lines).toContain("Starting messageProcessor 'p' failed: Error: no start");
    expect(lines).toContain("Closing messageProcessor 'p' failed: Error: no close");
    expect(deployed.life.slice(-2)).toEqual(['close processor p shutdown', 'close store s shutdown']);
  });

  test('after 300 deployments nothing is left behind', async () => {
    await using deployed = await withStoreAndProcessor();
    await deployed.deployer.startWork();
    for (let round = 0; round < 100; round += 1) {
      const source = (text: string) => ({ file: 'x.xml', text });
      const change = (text: string) =>
        deployed.deployer.deploy({ changed: [{ path: 'x.xml', source: source(text) }], removed: [], leaving: [] });
      await change(definitions(store('x'), processor('y', 'x'), proxy('z')));
      await change(definitions(store('x', `<parameter name="n">${round}</parameter>`), processor('y', 'x', 1 + round)));
      await deployed.deployer.deploy({ changed: [], removed: ['x.xml'], leaving: [] });
    }
    await deployed.deployer.settled();
    const count = (step: string) => deployed.life.filter((line) => line.startsWith(step)).length;
    expect(count('open store x')).toBe(200);
    expect(count('close store x')).toBe(200);
    expect(count('open processor y')).toBe(count('close processor y'));
    expect(deployed.served).toEqual(['endpoint ep', 'messageProcessor p', 'messageStore s']);
  });

  test('a suspended endpoint keeps its state when its neighbours in the file change', async () => {
    await using deployed = new DeployedFolder();
    deployed.folder.write('d.xml', definitions(sequence('s'), endpoint('ep')));
    await deployed.deploy();
    const before = deployed.deployer.snapshot.find('endpoint', 'ep');
    deployed.folder.write('d.xml', definitions(sequence('s', '<log/><drop/>'), '\n\n', endpoint('ep')));
    await deployed.deploy();
    expect(deployed.deployer.snapshot.find('endpoint', 'ep')).toBe(before);
  });
});

test('a failing listener does not keep a deployment from being served', async () => {
  await using deployed = new DeployedFolder();
  deployed.deployer.subscribe(() => {
    throw new Error('for this test');
  });
  deployed.folder.write('p.xml', proxy('p'));
  await deployed.deploy();
  expect(deployed.served).toEqual(['proxy p']);
  expect(deployed.lines('error').join()).toContain('A listener to deployments failed');
});
