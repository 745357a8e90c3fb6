import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { COMMANDS } from '../../src/cli/table/index.ts';
import { RESOURCES } from '../../src/management/resources/index.ts';
import { TOKENS } from '../management/openapi-cases.ts';
import { ARTIFACTS, type Served, START_MS, serve } from '../management/served.ts';
import { waitFor } from '../support/wait-for.ts';
import { zip } from '../support/zip.ts';

/** What no command does, and why that is so. */
const NOT_BY_COMMAND: Readonly<Record<string, string>> = {
  'GET /management': 'says that this is the management API',
  'GET /liveness': 'the name of /health/live in the reference; for probes',
  'GET /health/live': 'for probes, and what doctor asks a running server',
  'GET /healthz': 'the name of /health/ready in Kubernetes; for probes',
  'GET /metric-service/metrics': 'the name of /metrics in the reference',
  'POST /management/session': "the console's login, by cookie; login keeps a token",
  'DELETE /management/session': "the console's logout; logout revokes the token",
  'POST /management/apis': "the reference's switch of tracing: tracing on --artifact api:NAME",
  'POST /management/sequences': "the reference's switch of tracing: tracing on --artifact sequence:NAME",
  'PUT /management/roles': "the reference's way to change a user's role, which is user role here",
  'POST /management/templates': "the reference's switch of tracing: tracing on --artifact template:NAME",
  'GET /management/data-services': 'there are none here',
  'GET /management/configs': "the reference's correlation log, which is not written here",
  'PUT /management/configs': "the reference's correlation log, which is not written here",
  'POST /management/external-vaults/{vault}': "the reference's vault, which is not there",
};

const ADMIN = 'admin-admin-admin-admin';
/** Where nobody answers. */
const HOOK = '\n[[alerts.webhook]]\nname = "ops"\nurl = "http://127.0.0.1:9/"\n';
const PATH = 'registry/config/note.txt';

let served: Served;
let recorder: Server;
let folder: string;
const asked: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mini-synapse-operations-'));
  const spare = '<messageStore xmlns="http://ws.apache.org/ns/synapse" name="Spare"/>';
  served = await serve({ artifacts: { ...ARTIFACTS, 'spare.xml': spare }, toml: `${TOKENS}${HOOK}` });
  recorder = createServer((incoming, answer) => {
    asked.push(`${incoming.method} ${incoming.url?.split('?')[0]}`);
    const { method, headers, url: path } = incoming;
    const outgoing = request({ port: served.server.managementPort, host: '127.0.0.1', method, headers, path });
    outgoing.once('response', (reply) => {
      answer.writeHead(reply.statusCode ?? 500, reply.headers);
      reply.pipe(answer);
    });
    incoming.pipe(outgoing);
  });
  await new Promise<void>((resolve) => recorder.listen(0, '127.0.0.1', resolve));
}, START_MS);

afterAll(async () => {
  recorder?.closeAllConnections();
  recorder?.close();
  await served?.stop();
  rmSync(folder, { recursive: true, force: true });
});

class Lines extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

interface Wish {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

async function cli(args: readonly string[], { input = '', env = { MINI_SYNAPSE_TOKEN: ADMIN } }: Wish = {}) {
  const stdout = new Lines();
  const stderr = new Lines();
  const url = `http://127.0.0.1:${(recorder.address() as AddressInfo).port}`;
  const environment = { MINI_SYNAPSE_URL: url, XDG_CONFIG_HOME: folder, ...env };
  const code = await main([...args], { stdout, stderr, stdin: Readable.from([input]), environment });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

const file = (name: string, content: string | Buffer) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

async function stored(): Promise<string> {
  await cli(['send', 'store:Memory', '-d', '<a/>']);
  const { stdout } = await cli(['store', 'browse', 'Memory', '--json']);
  return JSON.parse(stdout).list.at(-1).id;
}

const SEQUENCE = '<sequence xmlns="http://ws.apache.org/ns/synapse" name="Put"><log/></sequence>';
const CAR = {
  'artifacts.xml': `<artifacts><artifact name="Shop" version="1.0.0" type="carbon/application">
    <dependency artifact="InCar" version="1.0.0" include="true" serverRole="EnterpriseIntegrator"/></artifact></artifacts>`,
  'InCar_1.0.0/artifact.xml':
    '<artifact name="InCar" version="1.0.0" type="synapse/sequence" serverRole="EnterpriseIntegrator"><file>InCar.xml</file></artifact>',
  'InCar_1.0.0/InCar.xml': SEQUENCE.replace('Put', 'InCar'),
};

interface Run extends Wish {
  readonly args: readonly string[] | (() => Promise<readonly string[]>);
  /** Done before, by commands, too. */
  readonly before?: ReadonlyArray<readonly string[]>;
  readonly code?: number;
  readonly prints?: RegExp;
}

const run = (...args: string[]): Run => ({ args });
const XML = () => file('Put.xml', SEQUENCE);

/** By which command each operation is reached; which is looked at in what comes over the wire. */
const REACHED: Readonly<Record<string, Run>> = {
  'GET /health/ready': run('health'),
  'GET /health/artifacts': run('health'),
  'GET /management/proxy-services': run('get', 'proxies'),
  'POST /management/proxy-services': run('proxy', 'start', 'Orders'),
  'GET /management/message-stores': run('get', 'stores'),
  'GET /management/message-processors': run('get', 'processors'),
  'POST /management/message-processors': run('deactivate', 'message-processor', 'Forwarder'),
  'GET /management/login': {
    before: [['user', 'add', 'olga', '--role', 'operator']],
    input: 'secret\n',
    args: ['login', '--user', 'olga'],
    env: { MINI_SYNAPSE_PASSWORD: 'secret' },
  },
  'GET /management/session': { args: ['login', '--token', ADMIN], prints: /as admin/ },
  'GET /management/logout': {
    before: [
      ['user', 'add', 'otto'],
      ['login', '--user', 'otto'],
    ],
    input: 'secret\n',
    args: ['logout'],
    env: { MINI_SYNAPSE_PASSWORD: 'secret' },
  },
  'GET /management/users': run('get', 'users'),
  'POST /management/users': { args: ['user', 'add', 'vera'], input: 'p\n', prints: /^vera: added\n$/ },
  'GET /management/users/{userId}': { args: ['get', 'users', 'vera'], prints: /viewer/ },
  'PATCH /management/users/{userId}': run('user', 'role', 'vera', 'operator'),
  'DELETE /management/users/{userId}': run('user', 'remove', 'vera', '-y'),
  'GET /management/roles': { args: ['get', 'roles'], prints: /operator/ },
  'GET /management/roles/{role}': run('get', 'roles', 'viewer'),
  'GET /management/audit': { args: ['audit', '--action', 'created', '--since', '1h'], prints: /created +user +vera/ },
  'GET /management/apis': run('get', 'apis'),
  'GET /management/endpoints': run('get', 'endpoints'),
  'POST /management/endpoints': run('endpoint', 'on', 'Backend'),
  'GET /management/sequences': run('get', 'sequences'),
  'GET /management/templates': run('get', 'templates'),
  'GET /management/inbound-endpoints': run('get', 'inbound'),
  'POST /management/inbound-endpoints': run('inbound', 'stop', 'Entry'),
  'GET /management/tasks': run('get', 'tasks'),
  'POST /management/tasks': run('task', 'start', 'Nightly'),
  'GET /management/local-entries': run('get', 'local-entries'),
  'GET /management/connectors': run('get', 'connectors'),
  'POST /management/connectors': { args: ['connector', 'enable', 'http'], prints: /^Status updated successfully\n$/ },
  'GET /management/data-sources': run('get', 'data-sources'),
  'GET /management/applications': run('get', 'applications'),
  'POST /management/applications': { args: async () => ['artifact', 'deploy', file('Shop_1.0.0.car', zip(CAR))] },
  'DELETE /management/applications/{name}': {
    args: async () => {
      const active = async () => (await cli(['get', 'applications', '-q'])).stdout.includes('Shop');
      await waitFor(active, { what: 'the application', deadlineMs: START_MS });
      return ['artifact', 'undeploy', 'Shop', '-y'];
    },
    prints: /Shop/,
  },
  'POST /management/registry-resources/content': { args: ['registry', 'put', PATH], input: 'one' },
  'PUT /management/registry-resources/content': { args: ['registry', 'put', PATH], input: 'two' },
  'GET /management/registry-resources/content': { args: ['registry', 'show', PATH], prints: /^two$/ },
  'GET /management/registry-resources': { args: ['registry', 'list', '-r'], prints: /config\/note\.txt/ },
  'POST /management/registry-resources/properties': run('registry', 'set', PATH, 'color=red'),
  'GET /management/registry-resources/metadata': { args: ['registry', 'show', PATH, '--about'], prints: /text\/plain/ },
  'GET /management/registry-resources/properties': {
    args: ['registry', 'show', PATH, '--about'],
    prints: /color = red/,
  },
  'DELETE /management/registry-resources/properties': run('registry', 'set', PATH, 'color='),
  'DELETE /management/registry-resources/content': run('registry', 'delete', PATH, '-y'),
  'GET /management/logging': run('get', 'loggers'),
  'PATCH /management/logging': {
    args: ['log-level', 'debug', '--artifact', 'proxy:Orders', '--for', '15m'],
    prints: /proxy Orders, for 15 m 00 s/,
  },
  'GET /management/logs': { args: ['logs', '--file', 'audit.ndjson'], prints: /"action":"created"/ },
  'GET /management/logs/tail': run('logs', '-n', '1'),
  'GET /management/server': { args: ['server', 'show'], prints: /Product Version - 1\.2\.3/ },
  'GET /management/artifacts': run('get', 'artifacts'),
  'GET /management/artifacts/source': { args: ['artifact', 'show', 'api.xml'], prints: /context="\/shop"/ },
  'POST /management/artifacts/validate': {
    args: async () => ['artifact', 'validate', XML()],
    prints: /Put\.xml: valid/,
  },
  'PUT /management/artifacts/files/{path+}': {
    args: async () => ['artifact', 'deploy', XML(), '--as', 'sequences/Put.xml'],
    prints: /^sequences\/Put\.xml: (?:deployed|pending)\n$/,
  },
  'GET /management/artifacts/versions': {
    args: ['artifact', 'versions', 'api.xml'],
    prints: /1 .* deployed .*current/,
  },
  'GET /management/artifacts/diff': { args: ['artifact', 'diff', 'api.xml'], prints: /^--- api\.xml/ },
  'POST /management/artifacts/rollback': { args: ['artifact', 'rollback', 'api.xml', '--version', '1', '-y'] },
  'DELETE /management/artifacts/files/{path+}': run('artifact', 'undeploy', 'sequences/Put.xml', '-y'),
  'GET /management/deployments': run('deployments'),
  'GET /management/configuration': run('config', '--running'),
  'GET /management/overview': run('top', '--once'),
  'GET /management/message-stores/{name}/messages': run('store', 'browse', 'Memory'),
  'GET /management/message-stores/{name}/messages/{id}': {
    args: async () => ['store', 'show', 'Memory', await stored()],
  },
  'GET /management/message-stores/{name}/failures': run('store', 'failures', 'Memory'),
  'GET /management/message-stores/{name}/history': run('store', 'history', 'Memory'),
  'POST /management/message-stores/{name}/messages/{id}/resend': {
    args: async () => ['store', 'resend', 'Memory', await stored(), '--to-store', 'Spare'],
  },
  'POST /management/message-stores/{name}/messages/{id}/move': {
    args: async () => ['store', 'move', 'Memory', await stored(), '--to', 'Spare'],
  },
  'DELETE /management/message-stores/{name}/messages/{id}': {
    args: async () => ['store', 'delete', 'Memory', await stored(), '-y'],
  },
  'POST /management/message-stores/{name}/messages/actions': run(
    'store',
    'move',
    'Memory',
    '--all',
    '--to',
    'Spare',
    '-y',
  ),
  'DELETE /management/message-stores/{name}/messages': run('store', 'purge', 'Spare', '-y'),
  'GET /management/message-stores/{name}/export': run('store', 'export', 'Memory'),
  'POST /management/message-stores/{name}/import': { args: ['store', 'import', 'Memory'], input: '' },
  'POST /management/message-stores/{name}/messages/schedule': {
    args: ['store', 'resend', 'Memory', '--all', '--at', '1d'],
    prints: /^Resend \S+ of all messages at /,
  },
  'GET /management/scheduled-resends': { args: ['get', 'scheduled-resends'], prints: /Memory +waiting/ },
  'DELETE /management/scheduled-resends/{id}': {
    args: async () => {
      const { stdout } = await cli(['get', 'scheduled-resends', '-q']);
      return ['schedule', 'cancel', stdout.trim()];
    },
    prints: /cancelled/,
  },
  'GET /management/sessions': { args: ['get', 'sessions'], prints: /configured token +admin/ },
  'DELETE /management/sessions/{id}': { args: ['session', 'revoke', 'none'], code: 1 },
  'GET /management/web-hooks': { args: ['get', 'web-hooks'], prints: /ops +\S*127\.0\.0\.1/ },
  'POST /management/web-hooks/{name}/test': {
    args: ['web-hook', 'test', 'ops'],
    code: 1,
    prints: /^ops: (?:retry|failed)/,
  },
  'GET /management/jobs': run('get', 'jobs'),
  'GET /management/jobs/{id}': { args: ['job', 'wait', 'none'], code: 1 },
  'DELETE /management/jobs/{id}': { args: ['job', 'cancel', 'none'], code: 1 },
  'POST /management/message-processors/{name}/{action}': run('processor', 'step', 'Forwarder'),
  'GET /management/openapi.json': { args: ['openapi'], prints: /"openapi": ?"3\.1/ },
  'GET /metrics': { args: ['metrics', 'store'], prints: /^# HELP/ },
  'GET /management/traces': run('trace'),
  'GET /management/traces/{id}': { args: ['send', 'proxy:Orders', '-d', '<a/>', '--trace'], prints: /log/ },
  'DELETE /management/traces': { args: ['trace', '--forget', '-y'], prints: /forgotten/ },
  'GET /management/tracing': run('tracing'),
  'PUT /management/tracing': run('tracing', 'on', '--artifact', 'sequence:Audit'),
  'GET /management/graph': run('graph'),
  'GET /management/graph.svg': run('graph', '--svg'),
  'GET /management/graph.mmd': run('graph', '--mermaid'),
  'POST /management/test-message': {
    args: ['send', 'sequence:Audit', '--sample', 'JSON: order'],
    prints: /^2\d\d after/,
  },
  'GET /management/test-message/samples': { args: ['send', '--samples'], prints: /JSON: order/ },
  'PATCH /management/server': run('server', 'shutdown', '-y'),
};

/** Streams, which end when they are broken off: the flows look at them (`logs -f`, `top`, `trace -f`). */
const STREAMED = ['GET /management/events'];

const operations = RESOURCES.map(({ method, path }) => `${method} ${path}`);

describe('every operation of the management API (OP-65)', () => {
  it('is reached by a command, or it is said why not', () => {
    const known = [...Object.keys(REACHED), ...Object.keys(NOT_BY_COMMAND), ...STREAMED];
    expect([...new Set(known)].sort()).toEqual([...new Set(operations)].sort());
    expect(known.length).toBe(new Set(known).size);
  });

  it.each(Object.entries(REACHED))('%s', async (operation, { args, before = [], code = 0, prints, ...wish }) => {
    for (const one of before) {
      const { code, stderr } = await cli(one, one[0] === 'user' ? { input: wish.input ?? '' } : wish);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    }
    const written = typeof args === 'function' ? await args() : args;
    asked.length = 0;
    const result = await cli(written, wish);
    expect(result, result.stderr).toMatchObject({ code });
    const [method = '', path = ''] = operation.split(' ');
    const pattern = path
      .replaceAll('.', '\\.')
      .replaceAll(/\{\w+\+\}/g, '.+')
      .replaceAll(/\{\w+\}/g, '[^/]+');
    expect(asked).toContainEqual(expect.stringMatching(new RegExp(`^${method} ${pattern}$`)));
    if (prints) expect(result.stdout).toMatch(prints);
  });
});

it('counting before many messages are treated leaves no refusal in the audit log', async () => {
  await stored();
  await stored();
  expect((await cli(['store', 'delete', 'Memory', '--text', '<a', '-y'])).stdout).toMatch(/^[2-9] messages deleted\n$/);
  await stored();
  expect((await cli(['store', 'purge', 'Memory', '-y'])).stdout).toBe('1 message deleted\n');
  await stored();
  expect((await cli(['store', 'move', 'Memory', '--all', '--to', 'Spare', '-y'])).stdout).toBe('1 message moved\n');
  const { stdout } = await cli(['audit', '--failed', '--json']);
  const refused = JSON.parse(stdout).list.filter(({ result }: { result: string }) => result === 'refused (409)');
  expect(refused).toEqual([]);
});

it('--dry-run tells how many messages it would be, and changes nothing', async () => {
  await cli(['store', 'purge', 'Memory', '-y']);
  const ids = [await stored(), await stored()];
  expect((await cli(['store', 'purge', 'Memory', '--dry-run'])).stdout).toBe('2 messages would be deleted\n');
  const said = async (...args: string[]) => (await cli(['store', ...args, '--dry-run'])).stdout;
  expect(await said('resend', 'Memory', '--all', '--to-store', 'Spare')).toBe('2 messages would be resent\n');
  expect(await said('move', 'Memory', ...ids, 'nobody', '--to', 'Spare')).toBe('2 messages would be moved\n');
  expect(await said('delete', 'Memory', '--text', 'nowhere')).toBe('0 messages would be deleted\n');
  expect(JSON.parse(await said('delete', 'Memory', ...ids, '--json'))).toEqual({ dryRun: true, count: 2 });
  expect(await cli(['store', 'delete', 'Nowhere', 'one', '--dry-run'])).toMatchObject({ code: 1 });
  expect(await cli(['store', 'resend', 'Memory', '--all', '--at', '2h', '--dry-run'])).toMatchObject({ code: 2 });
  const { list } = JSON.parse((await cli(['store', 'browse', 'Memory', '--json'])).stdout);
  expect(list.map(({ id }: { id: string }) => id)).toEqual(ids);
  expect((await cli(['store', 'purge', 'Memory', '-y'])).stdout).toBe('2 messages deleted\n');
});

it('top --json is the overview with the endpoints, once', async () => {
  const { code, stdout } = await cli(['top', '--once', '--json']);
  expect(code).toBe(0);
  const shown = JSON.parse(stdout);
  expect(shown).toMatchObject({ health: { ready: true }, server: { version: expect.any(String) } });
  expect(shown.stores.map(({ name }: { name: string }) => name)).toEqual(expect.arrayContaining(['Memory', 'Spare']));
  expect(shown.endpoints.map(({ name }: { name: string }) => name)).toContain('Backend');
});

describe('a group of failures (OP-63)', () => {
  const line = (id: string, cause: string, status: number) => {
    const failure = { processor: 'Forwarder', sourceStore: 'Spare', endpoint: 'Backend', cause, status, attempts: 1 };
    return JSON.stringify({
      v: 1,
      id,
      originalId: id,
      storedAt: 1_700_000_000_000,
      body: { kind: 'text', contentType: 'text/plain', text: id },
      addressing: {},
      direction: 'request',
      doingRest: false,
      headers: [],
      axis2: [],
      properties: [],
      variables: [],
      history: [{ ...failure, firstAttemptAt: 1_700_000_000_000, lastAttemptAt: 1_700_000_000_000 }],
    });
  };

  it('is sent again as a whole, whatever differs in its causes, and nothing else is', async () => {
    await cli(['store', 'purge', 'Memory', '-y']);
    await cli(['store', 'purge', 'Spare', '-y']);
    const lines = [
      line('a', 'request 123456 was refused', 503),
      line('b', 'request 654321 was refused', 503),
      line('c', 'request 123456 was refused', 500),
      line('d', 'no answer', 503),
    ];
    expect((await cli(['store', 'import', 'Memory'], { input: lines.join('\n') })).stdout).toContain('4 of 4');
    const { stdout } = await cli(['store', 'failures', 'Memory']);
    expect(stdout).toMatch(/^#\s+COUNT[\s\S]*^1\s+2\s+503\s+Backend/m);
    const asked = await cli(['store', 'failures', 'Memory', '--resend', '1']).catch((error: Error) => error);
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('Resend 2 messages of store Memory') });
    expect((await cli(['store', 'failures', 'Memory', '--resend', '1', '-y'])).stdout).toBe('2 messages resent\n');
    const ids = async (store: string) =>
      JSON.parse((await cli(['store', 'browse', store, '--json'])).stdout).list.map(({ id }: { id: string }) => id);
    expect(await ids('Spare')).toEqual(['a', 'b']);
    expect(await ids('Memory')).toEqual(['c', 'd']);
    expect(await cli(['store', 'failures', 'Memory', '--resend', '9', '-y'])).toMatchObject({ code: 1, stdout: '' });
  });
});

it('what is not valid is not deployed, and its problems are shown with frames', async () => {
  const broken = file('Broken.xml', SEQUENCE.replace('<log/>', '\n<lgo/>\n'));
  const { code, stdout, stderr } = await cli(['artifact', 'deploy', broken]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^Broken\.xml: refused: The file is not valid/);
  expect(stderr).toMatch(/Broken\.xml:2:1: error: Unknown mediator[\s\S]*did you mean 'log'\?[\s\S]*> 2 \| <lgo\/>/);
  const validated = await cli(['artifact', 'validate', broken, '--json']);
  expect(validated.code).toBe(1);
  expect(JSON.parse(validated.stdout)).toMatchObject({ count: 1, list: [{ fine: false, state: 'not valid' }] });
});

it('every command has an example', () => {
  const without = COMMANDS.filter(({ examples, hidden }) => !hidden && !examples?.length).map(({ name }) => name);
  expect(without).toEqual([]);
});
