import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EchoBackEnd, echoBackEnd } from '../support/echo-back-end.ts';
import { call } from '../support/http-call.ts';
import { type MiniSynapse, runMiniSynapse } from '../support/mini-synapse.ts';
import { waitFor } from '../support/wait-for.ts';
import { zip } from '../support/zip.ts';

const launcher = fileURLToPath(new URL('../../bin/mini-synapse', import.meta.url));
const FORWARDER = 'org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor';
const SQL = 'org.apache.synapse.message.store.impl.jdbc.JDBCMessageStore';

let folder: string;
let backEnd: EchoBackEnd;
let runtime: MiniSynapse;

/** Orders in memory with a forwarder that is off, Archive in SQLite, a proxy that stores. */
function artifacts(url: string): string {
  return `<definitions xmlns="http://ws.apache.org/ns/synapse">
  <proxy name="Take" transports="http"><target><inSequence>
    <property name="FORCE_SC_ACCEPTED" value="true" scope="axis2"/><property name="OUT_ONLY" value="true"/>
    <store messageStore="Orders"/>
  </inSequence></target></proxy>
  <messageStore name="Orders"/>
  <messageStore name="Archive" class="${SQL}">
    <parameter name="store.jdbc.driver">org.sqlite.JDBC</parameter>
    <parameter name="store.jdbc.connection.url">jdbc:sqlite:archive.db</parameter>
    <parameter name="store.jdbc.username"></parameter>
    <parameter name="store.jdbc.password"></parameter>
    <parameter name="store.jdbc.table">archive</parameter>
    <parameter name="x.create.table">true</parameter>
  </messageStore>
  <endpoint name="BackEnd"><address uri="${url}/"/></endpoint>
  <messageProcessor name="Forwarder" class="${FORWARDER}" targetEndpoint="BackEnd" messageStore="Orders">
    <parameter name="interval">100</parameter>
    <parameter name="is.active">false</parameter>
  </messageProcessor>
</definitions>`;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mini-synapse-commands-'));
  mkdirSync(join(folder, 'artifacts'));
  backEnd = await echoBackEnd();
  writeFileSync(join(folder, 'artifacts', 'all.xml'), artifacts(backEnd.url));
  runtime = await runMiniSynapse({ artifacts: join(folder, 'artifacts'), dataDirectory: join(folder, 'data') });
});

afterAll(async () => {
  await runtime?.stop();
  await backEnd?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a command against the runtime, with nobody at a terminal. */
function begin(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const env = {
    ...process.env,
    XDG_CONFIG_HOME: join(folder, 'config'),
    MINI_SYNAPSE_URL: runtime.management(''),
    ...environment,
  };
  return spawn(launcher, [...args], { cwd: folder, env, timeout: 60_000, stdio: ['pipe', 'pipe', 'pipe'] });
}

async function run(
  args: readonly string[],
  { input = '', env = {} }: { input?: string; env?: NodeJS.ProcessEnv } = {},
) {
  const child = begin(args, env);
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code, stdout, stderr };
}

const cli = (...args: string[]) => run(args);

async function json(...args: string[]) {
  const { code, stdout, stderr } = await run([...args, '--json']);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return JSON.parse(stdout);
}

async function place(count: number) {
  for (let order = 1; order <= count; order += 1) {
    const headers = { 'Content-Type': 'application/json' };
    const answer = await call(runtime.service('Take'), { method: 'POST', headers, body: `{"order":${order}}` });
    expect(answer.status).toBe(202);
  }
}

const idsOf = async (store: string): Promise<string[]> =>
  (await json('store', 'browse', store)).list.map(({ id }: { id: string }) => id);

describe('looking', () => {
  it('get lists in tables, in detail and as JSON, by our words and the reference’s', async () => {
    const { code, stdout } = await cli('get', 'stores');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^NAME +TYPE +SIZE/);
    expect(stdout).toMatch(/^Orders +in-memory-message-store +0 +READY/m);
    expect(stdout).toMatch(/^Archive +jdbc-message-store/m);
    expect((await cli('get', 'message-processors')).stdout).toMatch(/^Forwarder .* inactive/m);
    expect((await cli('messagestore', 'show')).stdout).toMatch(/^Orders +in-memory/m);
    expect((await cli('get', 'store', 'Orders')).stdout).toContain('Name - Orders\n');
    expect(await json('get', 'endpoints')).toMatchObject({ count: 1, list: [{ name: 'BackEnd', state: 'ACTIVE' }] });
    expect((await cli('get', 'apis')).stdout).toBe('No APIs found\n');
    expect((await cli('get', 'stores', '-q')).stdout.trim().split('\n').sort()).toEqual(['Archive', 'Orders']);
    expect((await cli('get', 'artifacts')).stdout).toMatch(/proxy +Take +deployed/);
    for (const kind of [
      'proxies',
      'sequences',
      'templates',
      'tasks',
      'inbound',
      'local-entries',
      'connectors',
      'applications',
      'data-sources',
      'jobs',
      'loggers',
      'audit',
    ])
      expect((await cli('get', kind)).code, kind).toBe(0);
  });

  it('an unknown name is refused with the nearest one: exit 1; an unknown kind: exit 2', async () => {
    const { code, stdout, stderr } = await cli('get', 'stores', 'Order');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain("did you mean 'Orders'?");
    expect(await cli('get', 'stors')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("did you mean 'stores'?"),
    });
  });

  it('health, deployments, top, graph, config', async () => {
    expect(await cli('health')).toMatchObject({ code: 0, stdout: 'ready\n' });
    expect((await cli('deployments')).stdout).toContain('deployed proxy Take');
    const top = (await cli('top')).stdout;
    expect(top).toMatch(/requests\/s/);
    expect(top).toMatch(/^Forwarder /m);
    expect((await cli('graph')).stdout).toMatch(/proxy Take[\s\S]*store Orders/);
    expect((await cli('graph', '--mermaid')).stdout).toMatch(/^(flowchart|graph)/m);
    await cli('graph', '--svg', '-o', 'graph.svg');
    expect(readFileSync(join(folder, 'graph.svg'), 'utf8')).toMatch(/^<svg[\s\S]*<\/svg>\s*$/);
    expect((await json('graph')).nodes.length).toBeGreaterThan(3);
    expect(await json('config', 'management_api.port', '--running')).toMatchObject({ list: [{ origin: 'flag' }] });
    expect(await json('config', 'log.level')).toMatchObject({
      list: [{ key: 'mini_synapse.log.level', value: 'info', origin: 'default' }],
    });
  });

  it('logs -f goes on with what comes, and ends at Ctrl-C with 0', async () => {
    expect((await cli('logs', '-n', '5')).stdout.trim().split('\n').length).toBeGreaterThanOrEqual(5);
    const child = begin(['logs', '-f', '--json', '-n', '1']);
    let printed = '';
    child.stdout.on('data', (part) => (printed += part));
    await waitFor(() => printed.includes('\n'), { what: 'the first line' });
    await waitFor(
      async () => {
        await cli('proxy', 'stop', 'Take');
        return printed.includes('Stopped the proxy service');
      },
      { what: () => `the stop in ${printed}`, deadlineMs: 30_000 },
    );
    expect(
      printed
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).level),
    ).toContain('info');
    expect((await cli('proxy', 'start', 'Take')).code).toBe(0);
    child.kill('SIGINT');
    expect((await once(child, 'exit'))[0]).toBe(0);
  });
});

describe('messages', () => {
  it('are browsed, shown, moved, exported, purged, imported and deleted', async () => {
    await place(4);
    const ids = await idsOf('Orders');
    expect(ids).toHaveLength(4);
    const [first = '', second = ''] = ids;
    expect((await cli('store', 'browse', 'Orders', '-n', '2')).stderr).toMatch(/^There are more: --after /);
    expect((await cli('store', 'show', 'Orders', first)).stdout).toMatch(
      /Body \(json, \d+ B\) :\n\{\n {2}"order": 1\n\}/,
    );
    expect((await cli('store', 'show', 'Orders', first, '--body')).stdout).toBe('{"order":1}');
    expect(await cli('store', 'show', 'Orders', 'none')).toMatchObject({ code: 1, stdout: '' });

    expect((await cli('store', 'move', 'Orders', first, '--to', 'Archive')).stdout).toBe('1 message moved\n');
    const refused = await cli('store', 'move', 'Orders', '--all', '--to', 'Archive');
    expect({ ...refused, stderr: undefined }).toEqual({ code: 2, stdout: '', stderr: undefined });
    expect(refused.stderr).toContain('Move 3 messages of store Orders? Say --yes');
    const moved = await json('store', 'move', 'Orders', '--all', '--to', 'Archive', '--yes');
    expect(moved).toMatchObject({ done: 3, count: 3, failed: [] });
    expect(await idsOf('Orders')).toEqual([]);
    expect(await idsOf('Archive')).toEqual(ids);

    const exported = await cli('store', 'export', 'Archive', '-o', 'archive.ndjson');
    expect(exported).toMatchObject({ code: 0, stderr: '4 messages exported\n' });
    expect(statSync(join(folder, 'archive.ndjson')).mode & 0o777).toBe(0o600);
    expect((await cli('store', 'export', 'Archive', second)).stdout.trim().split('\n')).toHaveLength(1);
    expect((await cli('store', 'delete', 'Archive', second)).code).toBe(2);
    expect((await cli('store', 'delete', 'Archive', second, '-y')).stdout).toBe('1 message deleted\n');
    expect((await cli('store', 'delete', 'Archive', '--text', '"order":3', '-y')).stdout).toBe('1 message deleted\n');
    expect((await cli('store', 'purge', 'Archive')).code).toBe(2);
    expect((await cli('store', 'purge', 'Archive', '-y')).stdout).toBe('2 messages deleted\n');
    expect(await json('store', 'import', 'Archive', 'archive.ndjson', '--dry-run')).toMatchObject({ done: 4 });
    expect(await idsOf('Archive')).toEqual([]);
    expect((await cli('store', 'import', 'Archive', 'archive.ndjson')).stdout).toBe('4 of 4 messages imported\n');
    expect(await idsOf('Archive')).toEqual(ids);
    const again = await run(['store', 'import', 'Archive', '--duplicates', 'skip'], {
      input: readFileSync(join(folder, 'archive.ndjson'), 'utf8'),
    });
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('4 skipped') });
    expect((await cli('store', 'resend', 'Archive', first, '--to-store', 'Orders')).stdout).toBe('1 message resent\n');
    expect(await idsOf('Orders')).toHaveLength(1);
    expect((await cli('store', 'purge', 'Archive', '-y')).code).toBe(0);
    expect((await json('get', 'audit')).list.length).toBeGreaterThan(5);
  });

  it('a processor delivers one by step, all when it is activated, and says its state', async () => {
    await place(2);
    const before = backEnd.received.length;
    const step = await json('processor', 'step', 'Forwarder');
    expect(step).toMatchObject({ name: 'Forwarder', delivered: true });
    expect(backEnd.received).toHaveLength(before + 1);
    expect((await cli('processor', 'resume', 'Forwarder')).stdout).toMatch(/^Forwarder: ACTIVE/);
    await waitFor(async () => (await idsOf('Orders')).length === 0, { what: 'the delivery', deadlineMs: 30_000 });
    expect((await cli('deactivate', 'message-processor', 'Forwarder')).stdout).toBe('Forwarder : is deactivated\n');
    expect((await cli('get', 'processors')).stdout).toMatch(/^Forwarder .*inactive +PAUSED/m);
    expect((await cli('messageprocessor', 'update', 'Forwarder', 'state', 'active')).code).toBe(0);
    expect((await cli('processor', 'pause', 'Forwarder')).stdout).toMatch(/^Forwarder: PAUSED/);
    expect((await cli('processor', 'pause', 'Forwardr')).stderr).toContain("did you mean 'Forwarder'?");
    expect((await cli('endpoint', 'off', 'BackEnd')).code).toBe(0);
    expect(await json('get', 'endpoints', 'BackEnd')).toMatchObject({ state: 'OFF' });
    expect((await cli('endpoint', 'on', 'BackEnd')).code).toBe(0);
  });

  it('a job of many messages is followed to its end', async () => {
    await place(30);
    const { code, stdout } = await cli('store', 'move', 'Orders', '--all', '--to', 'Archive', '--rate', '10', '-y');
    expect({ code, stdout }).toEqual({ code: 0, stdout: '30 messages moved\n' });
    const { list } = await json('get', 'jobs');
    expect(list[0]).toMatchObject({ action: 'move', store: 'Orders', state: 'done', done: 30 });
    expect((await cli('job', 'wait', list[0].id)).stdout).toContain('done, 30 of 30');
    expect((await cli('store', 'purge', 'Archive', '-y')).code).toBe(0);
  });

  it('is followed on its way when tracing is on', async () => {
    expect((await cli('trace')).stdout).toContain('Tracing is off');
    expect((await cli('tracing', 'on')).stdout).toBe('server: on\n');
    await place(1);
    const { list } = await json('trace', '-n', '1');
    expect(list[0]).toMatchObject({ artifact: { kind: 'proxy', name: 'Take' }, outcome: 'stored' });
    const shown = (await cli('trace', list[0].id)).stdout;
    expect(shown).toMatch(/^property FORCE_SC_ACCEPTED|^property/m);
    expect(shown).toMatch(/all\.xml:\d+/);
    expect(shown).toContain('→ stored in Orders');
    expect((await cli('tracing', 'off')).code).toBe(0);
    expect((await cli('store', 'purge', 'Orders', '-y')).code).toBe(0);
  });
});

describe('without a server, with users, in an empty folder', () => {
  it('a server that is not there: exit 3, in one line', async () => {
    const { code, stdout, stderr } = await cli('get', 'stores', '--url', 'http://127.0.0.1:1');
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(/^mini-synapse get: no server answers at http:\/\/127\.0\.0\.1:1;.*\n$/);
  });

  it('login keeps a token that only its owner can read; logout forgets it', async () => {
    const hash = (await run(['hash-password'], { input: 'secret-password\n' })).stdout.trim();
    expect(hash).toMatch(/^scrypt\$/);
    const home = join(folder, 'secured');
    mkdirSync(join(home, 'artifacts'), { recursive: true });
    writeFileSync(
      join(home, 'deployment.toml'),
      `[[management.users]]\nname = "alice"\nrole = "operator"\npassword_hash = "${hash}"\n`,
    );
    const secured = await runMiniSynapse({
      artifacts: join(home, 'artifacts'),
      dataDirectory: join(home, 'data'),
      config: join(home, 'deployment.toml'),
    });
    try {
      const env = { MINI_SYNAPSE_URL: secured.management('') };
      const refused = await run(['get', 'stores'], { env });
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('mini-synapse login') });
      const wrong = await run(['login', '--user', 'alice'], { env: { ...env, MINI_SYNAPSE_PASSWORD: 'no' } });
      expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('password is wrong') });
      const direct = await run(['get', 'stores', '--user', 'alice'], {
        env: { ...env, MINI_SYNAPSE_PASSWORD: 'secret-password' },
      });
      expect(direct.code).toBe(0);
      const login = await run(['login', '--user', 'alice'], {
        env: { ...env, MINI_SYNAPSE_PASSWORD: 'secret-password' },
      });
      expect(login).toMatchObject({ code: 0, stdout: expect.stringContaining('as alice (operator)') });
      expect(statSync(join(folder, 'config', 'mini-synapse', 'logins.json')).mode & 0o777).toBe(0o600);
      expect((await run(['get', 'stores'], { env })).code).toBe(0);
      expect((await run(['logout'], { env })).code).toBe(0);
      expect((await run(['get', 'stores'], { env })).code).toBe(1);
    } finally {
      await secured.stop();
    }
  });

  it('init, check and doctor: what init writes is fine, and is never overwritten (OP-127)', async () => {
    expect((await cli('init', 'new')).stdout).toContain('wrote new/deployment.toml');
    expect((await cli('init', 'new')).stdout).toContain('kept  new/deployment.toml');
    expect((await cli('check', 'new/artifacts')).code).toBe(0);
    // The usual ports may be taken on the machine of the test; everything else is fine.
    const { stdout } = await cli(
      'doctor',
      'new/artifacts',
      '--config',
      'new/deployment.toml',
      '--data',
      'new/data',
      '--json',
    );
    const wrong = JSON.parse(stdout).list.filter(
      (one: { status: string; subject: string }) => one.status === 'wrong' && !one.subject.endsWith('port'),
    );
    expect(wrong).toEqual([]);
  });

  it('doctor tells a store that is not to be reached', async () => {
    mkdirSync(join(folder, 'sick'));
    writeFileSync(
      join(folder, 'sick', 'S.xml'),
      `<messageStore xmlns="http://ws.apache.org/ns/synapse" name="Far" class="org.apache.synapse.message.store.impl.jms.JmsStore">
         <parameter name="java.naming.factory.initial">org.apache.activemq.jndi.ActiveMQInitialContextFactory</parameter>
         <parameter name="java.naming.provider.url">tcp://127.0.0.1:61616</parameter>
         <parameter name="x.stomp.url">stomp://127.0.0.1:1</parameter>
       </messageStore>`,
    );
    const { code, stdout } = await cli('doctor', 'sick', '--data', 'sick-data');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^WRONG {4}store Far: .*127\.0\.0\.1:1/m);
  });

  it.each([
    ['a single file', 'artifacts/all.xml', 5],
    ['a folder', 'artifacts', 5],
    ['a packaged application', 'App_1.0.0.car', 1],
  ])('run serves %s (OP-123)', async (_what, path, count) => {
    const sequence = '<sequence xmlns="http://ws.apache.org/ns/synapse" name="InCar"><log/></sequence>';
    const packed = zip({
      'artifacts.xml':
        '<artifacts><artifact name="App" version="1.0.0" type="carbon/application"><dependency artifact="InCar" version="1.0.0"/></artifact></artifacts>',
      'InCar_1.0.0/artifact.xml':
        '<artifact name="InCar" version="1.0.0" type="synapse/sequence"><file>InCar.xml</file></artifact>',
      'InCar_1.0.0/InCar.xml': sequence,
    });
    writeFileSync(join(folder, 'App_1.0.0.car'), packed);
    const child = begin([
      'run',
      path,
      '--http-port',
      '0',
      '--https-port',
      '0',
      '--management-port',
      '0',
      '--data',
      'run-data',
    ]);
    let printed = '';
    child.stdout.on('data', (part) => (printed += part));
    await waitFor(() => new RegExp(`mini-synapse ready.* ${count} artifacts?\\b`).test(printed), {
      what: () => printed,
      deadlineMs: 30_000,
    });
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).toBe(0);
    expect((await cli('run', 'none.xml')).code).toBe(2);
  });

  it('completes names of the running server', async () => {
    expect((await cli('__complete', '--', 'store', 'browse', '')).stdout).toBe('Archive\nOrders\n');
    expect(
      (await run(['__complete', '--', 'store', 'browse', ''], { env: { MINI_SYNAPSE_URL: 'http://127.0.0.1:1' } }))
        .stdout,
    ).toBe('');
  });
});
