import { execFile } from 'node:child_process';
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { isBuiltin } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../support/http-call.ts';
import { type ReadyPorts, readyPorts } from '../support/mini-synapse.ts';
import { ServerProcess } from '../support/servers/process.ts';
import { waitFor } from '../support/wait-for.ts';

/*
 * The package that `npm pack` makes, in an empty folder with nothing but what it declares that it needs: so a package that is needed to
 * run, and declared for development only, is noticed.
 */

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly dev?: boolean; readonly optional?: boolean; readonly devOptional?: boolean }>
  >;
}

const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url));
const NOT_PACKED = new Set(['node_modules', '.git', 'data', 'coverage', 'dist', 'test', 'docs']);
const DEADLINE_MS = 120_000;
/** To compile and pack it on a machine with much else to do. */
const PACK_DEADLINE_MS = 300_000;
/** After that a registry counts as one that does not answer. */
const REGISTRY_PATIENCE_MS = 60_000;
/** What npm says where no registry can be asked. */
const NO_REGISTRY =
  /\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|ENETUNREACH|E403|E50\d)\b/;
/** The launcher and npm are to find the Node.js that runs this test. */
const ENVIRONMENT = { ...process.env, PATH: [dirname(process.execPath), process.env.PATH].join(delimiter) };

let folder: string;
let archive: string;
let backEnd: Server;
const received: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mini-synapse-package-'));
  backEnd = createServer(async (incoming, outgoing) => {
    received.push(Buffer.concat(await incoming.toArray()).toString());
    outgoing.writeHead(202).end();
  });
  await new Promise<void>((resolve) => backEnd.listen(0, '127.0.0.1', resolve));
  archive = await packed();
}, PACK_DEADLINE_MS);

afterAll(() => {
  backEnd?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Makes the package from a copy, whose build is not seen by whatever else runs from the checkout. */
async function packed(): Promise<string> {
  const copy = join(folder, 'checkout');
  const isPacked = (path: string) => !NOT_PACKED.has(path.slice(CHECKOUT.length).split('/')[0] ?? '');
  cpSync(CHECKOUT, copy, { recursive: true, filter: isPacked });
  symlinkSync(join(CHECKOUT, 'node_modules'), join(copy, 'node_modules'));
  await run('npm', ['pack', '--pack-destination', folder], copy, PACK_DEADLINE_MS);
  const [name] = readdirSync(folder).filter((file) => file.endsWith('.tgz'));
  if (name === undefined) throw new Error('npm pack has made no archive');
  return join(folder, name);
}

async function run(command: string, args: readonly string[], cwd: string, timeout = DEADLINE_MS): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { cwd, env: ENVIRONMENT, timeout });
  return stdout;
}

function emptyFolder(name: string): string {
  const place = join(folder, name);
  mkdirSync(place);
  return place;
}

/** Without a registry: what the lock file says is needed to run, and nothing else, copied. */
async function installedFromCheckout(): Promise<string> {
  const place = emptyFolder('copied');
  const { packages } = JSON.parse(readFileSync(join(CHECKOUT, 'package-lock.json'), 'utf8')) as Lock;
  for (const [path, { dev, optional, devOptional }] of Object.entries(packages)) {
    if (path === '' || dev || optional || devOptional) continue;
    const nested = join(CHECKOUT, path, 'node_modules');
    cpSync(join(CHECKOUT, path), join(place, path), { recursive: true, filter: (file) => file !== nested });
  }
  const own = join(place, 'node_modules', 'mini-synapse');
  mkdirSync(own, { recursive: true });
  await run('tar', ['-xzf', archive, '-C', own, '--strip-components=1'], place);
  mkdirSync(join(place, 'node_modules', '.bin'));
  symlinkSync('../mini-synapse/bin/mini-synapse', join(place, 'node_modules', '.bin', 'mini-synapse'));
  return place;
}

/** As people do it; undefined where no registry answers in time. */
async function installedByNpm(): Promise<string | undefined> {
  const place = emptyFolder('installed');
  const quick = ['--omit=optional', '--prefer-offline', '--no-audit', '--no-fund', '--fetch-retries=0'];
  try {
    await run('npm', ['install', archive, ...quick, '--fetch-timeout=20000'], place, REGISTRY_PATIENCE_MS);
    return place;
  } catch (error) {
    const { killed, stderr } = error as { readonly killed?: boolean; readonly stderr?: string };
    if (killed || NO_REGISTRY.test(stderr ?? '')) return undefined;
    throw error;
  }
}

function artifacts(): string {
  const { port } = backEnd.address() as AddressInfo;
  return `<definitions xmlns="http://ws.apache.org/ns/synapse">
    <proxy name="Orders" transports="http" startOnLoad="true"><target><inSequence>
      <property name="symbol" expression="//*[local-name()='symbol']"/>
      <property name="FORCE_SC_ACCEPTED" value="true" scope="axis2"/>
      <property name="OUT_ONLY" value="true"/>
      <store messageStore="Memory"/>
    </inSequence></target></proxy>
    <messageStore name="Memory"/>
    <endpoint name="BackEnd"><address uri="http://127.0.0.1:${port}/orders"/></endpoint>
    <messageProcessor name="Forwarder" messageStore="Memory" targetEndpoint="BackEnd"
      class="org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor">
      <parameter name="interval">200</parameter>
    </messageProcessor>
  </definitions>`;
}

/** The first order of somebody who has just installed it: taken, delivered and seen, up to the end by SIGTERM. */
async function takesAnOrder(place: string, symbol: string): Promise<void> {
  writeFileSync(join(place, 'orders.xml'), artifacts());
  const ports: ReadyPorts[] = [];
  const free = ['--http-port', '0', '--https-port', '0', '--management-port', '0'];
  const program = new ServerProcess({
    name: 'the installed mini-synapse',
    command: join(place, 'node_modules', '.bin', 'mini-synapse'),
    args: ['run', 'orders.xml', ...free, '--data', join(place, 'data')],
    cwd: place,
    env: ENVIRONMENT,
    answers: () => ports.length > 0,
    startDeadlineMs: DEADLINE_MS,
    stopDeadlineMs: 35_000,
    onLine: (line) => {
      const ready = readyPorts(line);
      if (ready) ports.push(ready);
    },
  });
  await program.start();
  try {
    const [{ http, management } = {}] = ports;
    const body = `<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><order xmlns=""><symbol>${symbol}</symbol></order></Body></Envelope>`;
    const headers = { 'Content-Type': 'text/xml' };
    expect((await call(`http://127.0.0.1:${http}/services/Orders`, { body, headers })).status).toBe(202);
    await waitFor(() => received.some((order) => order.includes(symbol)), {
      what: 'the order at the back end',
      deadlineMs: 30_000,
    });
    const console = await call(`http://127.0.0.1:${management}/console/`);
    expect({ status: console.status, type: console.headers['content-type'] }).toEqual({
      status: 200,
      type: expect.stringContaining('text/html'),
    });
  } finally {
    expect(await program.stop('SIGTERM')).toMatchObject({ code: 0 });
  }
}

describe('the package', () => {
  it('imports nothing that it does not declare', async () => {
    const place = emptyFolder('unpacked');
    await run('tar', ['-xzf', archive, '-C', place, '--strip-components=1'], place);
    const manifest = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')) as Manifest;
    const declared = new Set([...Object.keys(manifest.dependencies), ...Object.keys(manifest.optionalDependencies)]);
    const files = globSync('dist/**/*.js', { cwd: place });
    // Bundled (packaging/bundle.ts) there are fewer than there are sources.
    expect(files.length).toBeGreaterThan(20);
    const imported = files.flatMap((file) => importsOf(readFileSync(join(place, file), 'utf8')));
    expect(imported).toEqual(expect.arrayContaining(['koa', 'xpath', 'undici', 'pg']));
    expect([...new Set(imported)].filter((name) => !declared.has(name))).toEqual([]);
  });

  it(
    'serves with the packages that it declares, and nothing else; its other programs run, too',
    async () => {
      const place = await installedFromCheckout();
      for (const program of ['stockquote-service', 'stockquote-client']) {
        const says = await run(join(place, 'node_modules/mini-synapse/bin', program), ['--help'], place);
        expect(says).toContain(`Usage: ${program}`);
      }
      await takesAnOrder(place, 'COPIED');
    },
    DEADLINE_MS,
  );

  it(
    'serves as npm installs it, and npx runs it',
    async ({ skip }) => {
      const place = await installedByNpm();
      if (place === undefined) return skip('no package registry answers');
      const { version } = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8')) as Manifest;
      expect((await run('npx', ['--offline', 'mini-synapse', '--version'], place)).trim()).toBe(version);
      await takesAnOrder(place, 'INSTALLED');
    },
    2 * DEADLINE_MS,
  );
});

/** The packages that a compiled module imports, at once or later. */
function importsOf(text: string): string[] {
  const atOnce = /^(?:import|export)\s(?:[\w\s{},*$]+\sfrom\s)?['"]([^'"]+)['"]/gm;
  // What is no ES module may be required.
  const later =
    /(?:\bimport|\bload(?:\$\d+)?|createRequire\((?:import\.meta\.url|new URL\([^)]*\)\.href)\))\(\s*['"]([^'"]+)['"]/g;
  return [...text.matchAll(atOnce), ...text.matchAll(later)]
    .map(([, name = '']) => name)
    .filter((name) => !name.startsWith('.') && !isBuiltin(name))
    .map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'));
}
