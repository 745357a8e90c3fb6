import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

const BIN = resolve(import.meta.dirname, '../../../bin');
const DEADLINE_MS = 15_000;

let folder: string;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'launchers-')));
});

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves with the first line that matches. */
  line(pattern: RegExp): Promise<string>;
}

interface Spawned {
  readonly cwd?: string;
  readonly path?: string;
}

function run(program: string, words: readonly string[], { cwd = folder, path }: Spawned = {}): Running {
  const env = { ...process.env, ...(path === undefined ? {} : { PATH: path }) };
  const child = spawn(program, words, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: DEADLINE_MS });
  children.add(child);
  let out = '';
  let err = '';
  const waiting = new Set<() => void>();
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    for (const look of waiting) look();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const finished = new Promise<Finished>((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => {
      children.delete(child);
      done({ code, out, err });
    });
  });
  const line = (pattern: RegExp) =>
    new Promise<string>((found, missing) => {
      const look = () => {
        const hit = out
          .split('\n')
          .slice(0, -1)
          .find((text) => pattern.test(text));
        if (hit === undefined) return;
        waiting.delete(look);
        found(hit);
      };
      waiting.add(look);
      look();
      finished.then(({ err }) => missing(new Error(`ended without ${pattern}: ${err}`)), missing);
    });
  return { child, finished, line };
}

/** A folder of commands for PATH: what the launcher needs of the system, and no Node.js but the one given. */
async function pathWith(name: string, node: string | undefined): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  for (const tool of ['dirname', 'basename', 'readlink']) {
    const found = (process.env.PATH ?? '').split(delimiter).map((entry) => join(entry, tool));
    for (const candidate of found) {
      const real = await realpath(candidate).catch(() => undefined);
      if (real === undefined) continue;
      await symlink(real, join(path, tool));
      break;
    }
  }
  if (node !== undefined) await fakeNode(join(path, 'node'), node);
  return path;
}

/** A program that says it is that version of Node.js and prints what it was started with. */
async function fakeNode(file: string, version: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(
    file,
    `#!/bin/sh\n[ "$1" = --version ] && echo ${version} && exit 0\n` +
      'for word; do case $word in --max-semi-* | --heap-growing-* | --initial-old-* | --no-wasm-*) ;; *) echo "$word" ;; esac; done\nexit 7\n',
  );
  await chmod(file, 0o755);
}

/** A package of the given name that has nothing but the launchers. */
async function packageAt(root: string, modules: readonly string[] = ['src/main.ts']): Promise<string> {
  await mkdir(join(root, 'bin'), { recursive: true });
  for (const name of ['launch.sh', 'mini-synapse']) await copyFile(join(BIN, name), join(root, 'bin', name));
  for (const module of modules) {
    await mkdir(dirname(join(root, module)), { recursive: true });
    await writeFile(join(root, module), 'process.stdout.write(JSON.stringify(process.argv.slice(2)))');
  }
  return join(root, 'bin', 'mini-synapse');
}

describe('the launchers', () => {
  it('run from anywhere, also through links, and pass arguments and exit codes on', async () => {
    const direct = await run(join(BIN, 'stockquote-client'), ['--help'], { cwd: '/' }).finished;
    expect(direct.code).toBe(0);
    expect(direct.out).toContain('Usage: stockquote-client');
    await mkdir(join(folder, 'links/deep'), { recursive: true });
    await symlink(
      relative(join(folder, 'links/deep'), join(BIN, 'stockquote-client')),
      join(folder, 'links/deep/relative'),
    );
    await symlink('deep/relative', join(folder, 'links/chain'));
    await symlink(join(folder, 'links/chain'), join(folder, 'absolute'));
    const linked = await run(join(folder, 'absolute'), ['--mode', 'a b']).finished;
    expect(linked.code).toBe(2);
    expect(linked.err).toContain('Unknown mode a b');
  });

  it('prefer the Node.js beside the package, then that of the project around it, then the system’s', async () => {
    const path = await pathWith('path-order', 'v24.0.0');
    const project = join(folder, 'a project');
    const program = await packageAt(join(project, 'node_modules/mini-synapse'), ['dist/src/main.js']);
    const started = async () => (await run(program, ['x y', '']).finished).out.split('\n').slice(0, -1);
    const module = join(project, 'node_modules/mini-synapse/dist/src/main.js');
    expect(await run(program, ['x y', ''], { path }).finished).toMatchObject({ code: 7, out: `${module}\nx y\n\n` });
    await mkdir(join(project, 'node_modules/node/bin'), { recursive: true });
    await symlink(process.execPath, join(project, 'node_modules/node/bin/node'));
    const real = await run(program, ['x y', ''], { path }).finished;
    expect(real).toMatchObject({ code: 0, out: '["x y",""]' });
    await fakeNode(join(project, 'node_modules/mini-synapse/node_modules/.bin/node'), 'v24.9.9');
    expect(await started()).toEqual([module, 'x y', '']);
  });

  it.each([
    ['v22.18.0', true],
    ['v22.14.0', true],
    ['v23.1.0', true],
    ['v24.1.0', false],
    ['v26.0.0', false],
  ])('have Node.js %s strip types: with a flag %s', async (version, flag) => {
    const path = await pathWith(`path-${version}`, version);
    const root = join(folder, `checkout-${version}`);
    const program = await packageAt(root);
    const { code, out } = await run(program, ['start'], { path }).finished;
    expect(code).toBe(7);
    const flags = flag ? ['--experimental-strip-types', '--disable-warning=ExperimentalWarning'] : [];
    expect(out.split('\n').slice(0, -1)).toEqual([...flags, join(root, 'src/main.ts'), 'start']);
  });

  it('run the sources of a checkout, not a dist folder that may be older', async () => {
    const path = await pathWith('path-sources', 'v24.0.0');
    const root = join(folder, 'built checkout');
    const program = await packageAt(root, ['src/main.ts', 'dist/src/main.js']);
    const { out } = await run(program, [], { path }).finished;
    expect(out).toBe(`${join(root, 'src/main.ts')}\n`);
  });

  it('run compiled modules on Node.js 22.14, the first that has what they need', async () => {
    const path = await pathWith('path-compiled', 'v22.14.0');
    const root = join(folder, 'compiled');
    const program = await packageAt(root, ['dist/src/main.js']);
    const { out } = await run(program, [], { path }).finished;
    expect(out).toBe(`${join(root, 'dist/src/main.js')}\n`);
  });

  it.each([
    ['too old', 'v20.20.2'],
    ['an older one of 22', 'v22.13.1'],
    ['missing', undefined],
  ])('say what to do when Node.js is %s', async (what, version) => {
    const path = await pathWith(`path ${what}`, version);
    const program = await packageAt(join(folder, `checkout ${what}`));
    const { code, err } = await run(program, [], { path }).finished;
    expect(code).toBe(3);
    expect(err).toContain('mini-synapse: no Node.js that can run this program was found.');
    expect(err).toContain('npm ci');
  });

  it('say what to do in the project that the package is installed in', async () => {
    const path = await pathWith('path-project', 'v20.20.2');
    const program = await packageAt(join(folder, 'user/node_modules/mini-synapse'), ['dist/src/main.js']);
    const { code, err } = await run(program, [], { path }).finished;
    expect(code).toBe(3);
    expect(err).toContain('npm install node@24');
    expect(err).not.toContain('npm ci');
  });

  it('say so when an installed package was not compiled', async () => {
    const path = await pathWith('path-installed', 'v24.0.0');
    const program = await packageAt(join(folder, 'other/node_modules/mini-synapse'));
    const { code, err } = await run(program, [], { path }).finished;
    expect(code).toBe(3);
    expect(err).toContain('has no dist folder');
  });
});

describe('the programs', () => {
  it('place an order and print it on both sides; the service stops at SIGTERM with 0', {
    timeout: 60_000,
  }, async () => {
    const service = run(join(BIN, 'stockquote-service'), ['-http', '0', '--https', '0', '--flavour', 'apache']);
    const ready = await service.line(/^stockquote-service ready/);
    const [, port, securePort] = /http:\/\/localhost:(\d+) and https:\/\/localhost:(\d+)/.exec(ready) ?? [];
    const path = '/services/SimpleStockQuoteService';
    const client = (...words: string[]) => run(join(BIN, 'stockquote-client'), words).finished;
    const placed = await client(
      'stockquote',
      `-Daddurl=http://localhost:${port}${path}`,
      '-Dmode=placeorder',
      '-Dsymbol=WSO2',
    );
    expect(placed.code).toBe(0);
    const order = /^Order placed for (\d+) shares of stock WSO2 at a price of \$ (\S+)\n$/.exec(placed.out);
    expect(order).not.toBeNull();
    const line = await service.line(/Accepted order/);
    expect(line).toMatch(
      /^\w{3} \w{3} \d\d \d\d:\d\d:\d\d \S+ \d{4} samples\.services\.SimpleStockQuoteService :: Accepted order #1 for : \d+ stocks of WSO2 at \$ \S+$/,
    );
    expect(line.endsWith(`for : ${order?.[1]} stocks of WSO2 at $ ${order?.[2]}`)).toBe(true);
    const repeated = await client(
      '--trpurl',
      `https://localhost:${securePort}${path}`,
      '--i',
      '2',
      '--ant-style',
      '--rest',
    );
    expect(repeated.out).toMatch(
      /^ {5}\[java\] Sending as REST\n( {5}\[java\] Standard :: Stock price = \$\S+\n){2}\nBUILD SUCCESSFUL\nTotal time: \d+ seconds\n$/,
    );
    const failed = await client('--addurl', `http://localhost:${port}${path}`, '--symbol', 'ERR');
    expect(failed).toMatchObject({ code: 1, out: '', err: 'org.apache.axis2.AxisFault: Invalid stock symbol : ERR\n' });
    const tolerant = await client('--addurl', `http://localhost:${port}${path}`, '--symbol', 'ERR', '--exit-zero');
    expect(tolerant.code).toBe(0);
    const balanced = await client('loadbalancefailover', `-Dport=${port}`, '-Di=1');
    expect(balanced.out).toBe('timeout=10000000\nRequest: 1 ==> Response from anonymous server\n');
    service.child.kill('SIGTERM');
    const stopped = await service.finished;
    expect(stopped.code).toBe(0);
    expect(stopped.out).toContain('Shutdown complete');
    expect(stopped.err).toBe('');
    const refused = await client('--addurl', `http://localhost:${port}${path}`);
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/^org\.apache\.axis2\.AxisFault: Connection refused\n/);
  });

  it('exit with 3 when the port is taken', async () => {
    const blocker = createServer();
    await new Promise<void>((done) => blocker.listen(0, '127.0.0.1', done));
    try {
      const { port } = blocker.address() as AddressInfo;
      const { code, err } = await run(join(BIN, 'stockquote-service'), ['--http', String(port)]).finished;
      expect(code).toBe(3);
      expect(err).toContain(`Cannot listen on 127.0.0.1:${port}: the port is taken by another program`);
    } finally {
      await new Promise((done) => blocker.close(done));
    }
  });

  it.each([
    [['--http', 'x'], /--http needs a port number from 0 to 65535, not x/],
    [['--http'], /--http needs a value/],
    [['--flavour', 'vanilla'], /--flavour is wso2 or apache, not vanilla/],
    [['--hppt', '1'], /Unknown option hppt/],
    [['start'], /Unknown argument start/],
  ])('exit with 2 when the service is told %j', async (words, message) => {
    const { code, err } = await run(join(BIN, 'stockquote-service'), words).finished;
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(err).toContain('Usage: stockquote-service');
  });
});
