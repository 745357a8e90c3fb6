import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EchoBackEnd, echoBackEnd } from '../support/echo-back-end.ts';
import { call, soap11 } from '../support/http-call.ts';
import { inOnly } from '../support/in-process.ts';
import { type MiniSynapse, runMiniSynapse } from '../support/mini-synapse.ts';
import { signalProcess } from '../support/signal-process.ts';
import { waitFor } from '../support/wait-for.ts';
import { zip } from '../support/zip.ts';

const launcher = fileURLToPath(new URL('../../bin/mini-synapse', import.meta.url));
const NAMESPACE = 'xmlns="http://ws.apache.org/ns/synapse"';
const ANY_PORTS = ['--http-port', '0', '--https-port', '0', '--management-port', '0'];

let folder: string;
const cleanUp: Array<() => unknown> = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mini-synapse-cli-'));
  mkdirSync(join(folder, 'artifacts'));
});

afterEach(async () => {
  for (const action of cleanUp.splice(0).reverse()) await action();
  rmSync(folder, { recursive: true, force: true });
});

const file = (name: string, content: string) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const artifact = (name: string, xml: string) =>
  file(join('artifacts', `${name}.xml`), xml.replace(/^<(\w+)/, `<$1 ${NAMESPACE}`));

/** Runs a command to its end, in an empty folder. */
async function run(...args: string[]) {
  const child = spawn(launcher, args, { cwd: folder, timeout: 60_000, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code, stdout, stderr };
}

async function start(...args: string[]): Promise<MiniSynapse> {
  const runtime = await runMiniSynapse({
    artifacts: join(folder, 'artifacts'),
    dataDirectory: join(folder, 'data'),
    args,
  });
  cleanUp.push(() => runtime.kill());
  return runtime;
}

describe('start', () => {
  it('prints one ready line with the real ports when all listeners are open, and is healthy from then on', async () => {
    artifact('P', inOnly('P', '<respond/>'));
    artifact('S', '<messageStore name="S"/>');
    const runtime = await start();
    const ready = runtime.lines().filter((line) => line.startsWith('mini-synapse ready'));
    expect(ready).toEqual([
      expect.stringMatching(
        /^mini-synapse ready in \d+ ms · http 127\.0\.0\.1:\d+ · https 127\.0\.0\.1:\d+ · management 127\.0\.0\.1:\d+ · 2 artifacts$/,
      ),
    ]);
    const { http = 0, https = 0, management = 0 } = runtime.ports;
    expect(new Set([http, https, management, 0]).size).toBe(4);
    const healthy = await call(runtime.management('/healthz'));
    expect(healthy.status).toBe(200);
    expect(JSON.parse(healthy.text)).toMatchObject({ status: 'ready', faultyArtifacts: 0 });
    expect((await call(runtime.management('/liveness'))).status).toBe(200);
    expect((await soap11(`http://127.0.0.1:${http}/services/P`)).status).toBe(200);
    expect((await soap11(`https://127.0.0.1:${https}/services/P`)).status).toBe(200);
  });

  it('serves what is good and counts what is faulty, with file, line and column', async () => {
    artifact('P', inOnly('P', '<respond/>'));
    artifact('Q', inOnly('Q', '\n<stroe messageStore="S"/>'));
    const runtime = await start();
    expect(runtime.lines().find((line) => line.startsWith('mini-synapse ready'))).toMatch(/ · 1 artifact, 1 faulty$/);
    expect(runtime.lines().join('\n')).toMatch(/Q\.xml:2:\d+: error: Unknown mediator/);
    expect(runtime.lines().join('\n')).toContain("did you mean 'store'?");
    expect((await call(runtime.management('/healthz'))).status).toBe(200);
    const faulty = JSON.parse((await call(runtime.management('/health/artifacts'))).text);
    expect(faulty).toMatchObject({ count: 1, list: [{ file: expect.stringContaining('Q.xml') }] });
    expect((await soap11(runtime.service('P'))).status).toBe(200);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('%s: exit 0, at once when nothing is in flight', async (signal) => {
    artifact('P', inOnly('P', '<respond/>'));
    const runtime = await start();
    await soap11(runtime.service('P'));
    const begun = performance.now();
    const end = await runtime.stop(signal);
    expect(end).toMatchObject({ code: 0, signal: null });
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(runtime.lines().join('\n')).toContain('mini-synapse shutdown complete');
  });

  describe('with a request in flight', () => {
    let backEnd: EchoBackEnd;
    beforeEach(async () => {
      backEnd = await echoBackEnd();
      cleanUp.push(() => backEnd.close());
      artifact(
        'Slow',
        `<proxy name="Slow"><target><endpoint><address uri="${backEnd.url}/"/></endpoint></target></proxy>`,
      );
    });

    it('SIGTERM lets it end, and takes no new one', async () => {
      backEnd.answer = () => ({ delayMs: 1000 });
      const runtime = await start();
      const reply = soap11(runtime.service('Slow'));
      await waitFor(() => backEnd.received.length === 1, { what: 'the request' });
      const stopped = runtime.stop();
      await runtime.waitForLine(/Gracefully shutting down/);
      await waitFor(
        () =>
          call(runtime.service('Slow')).then(
            () => false,
            () => true,
          ),
        { what: 'a closed listener' },
      );
      expect((await reply).status).toBe(200);
      expect(await stopped).toMatchObject({ code: 0, signal: null });
    });

    it('SIGTERM waits for it no longer than shutdown_ms', async () => {
      backEnd.answer = () => ({ silent: true });
      const runtime = await start('--config', file('quick.toml', '[mini_synapse]\nshutdown_ms = 1000\n'));
      const reply = soap11(runtime.service('Slow')).catch((error: unknown) => error);
      await waitFor(() => backEnd.received.length === 1, { what: 'the request' });
      const begun = performance.now();
      expect(await runtime.stop()).toMatchObject({ code: 0, signal: null });
      expect(performance.now() - begun).toBeLessThan(10_000);
      expect(await reply).toBeInstanceOf(Error);
    });

    it('a second signal stops at once', async () => {
      backEnd.answer = () => ({ silent: true });
      const runtime = await start();
      const reply = soap11(runtime.service('Slow')).catch((error: unknown) => error);
      await waitFor(() => backEnd.received.length === 1, { what: 'the request' });
      const begun = performance.now();
      const stopped = runtime.stop();
      await runtime.waitForLine(/Gracefully shutting down/);
      signalProcess(runtime.pid, 'SIGTERM');
      expect(await stopped).toMatchObject({ code: 0, signal: null });
      expect(performance.now() - begun).toBeLessThan(10_000);
      expect(await reply).toBeInstanceOf(Error);
    });
  });

  it('a port that is taken: exit 3, saying which', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    cleanUp.push(() => other.close());
    const { port } = other.address() as AddressInfo;
    for (const flag of ['--http-port', '--https-port', '--management-port']) {
      const { code, stderr } = await run('start', 'artifacts', ...ANY_PORTS, flag, String(port));
      expect(code, flag).toBe(3);
      expect(stderr).toBe(
        `mini-synapse start: Port ${port} on 127.0.0.1 is taken; stop what uses it or choose another port (0 takes any free one)\n`,
      );
    }
  });

  it('an address that is not ours: exit 3', async () => {
    const { code, stderr } = await run('start', 'artifacts', ...ANY_PORTS, '--host', '203.0.113.7');
    expect(code).toBe(3);
    expect(stderr).toMatch(/^mini-synapse start: Cannot listen on 203\.0\.113\.7:0: /);
  });

  it.skipIf(process.platform !== 'linux')('a data folder that cannot be made: exit 3', async () => {
    const { code, stderr } = await run('start', 'artifacts', ...ANY_PORTS, '--data', '/proc/data');
    expect(code).toBe(3);
    expect(stderr).toMatch(/^mini-synapse start: the data folder \/proc\/data cannot be used: E/);
  });

  it('a data folder that is a file: exit 3', async () => {
    const { code, stderr } = await run('start', 'artifacts', ...ANY_PORTS, '--data', file('data', 'x'));
    expect(code).toBe(3);
    expect(stderr).toMatch(/^mini-synapse start: the data folder \S+\/data cannot be used: (EEXIST|ENOTDIR)/);
  });

  it.each([
    ['no artifact folder', [], 'the artifact directory'],
    ['a configuration that is not there', ['--config', 'none.toml'], 'none.toml cannot be read'],
    ['a configuration that is no TOML', ['--config', 'broken.toml'], 'broken.toml:2:'],
    [
      'a wrong value',
      ['--config', 'wrong.toml'],
      '\'transport.http.listener.port\' is "many", expected an integer from 0 to 65535',
    ],
    [
      'an unknown key',
      ['--config', 'typo.toml'],
      "unknown key 'mini_synapse.max_body_byte', did you mean 'max_body_bytes'?",
    ],
    ['TLS files that are not there', ['--config', 'tls.toml'], 'key.pem cannot be read'],
  ])('%s: exit 1', async (what, args, message) => {
    file('broken.toml', '[server]\noffset = = 1\n');
    file('wrong.toml', '[transport.http]\nlistener.port = "many"\n');
    file('typo.toml', '[mini_synapse]\nmax_body_byte = 1\n');
    file('tls.toml', '[mini_synapse.tls]\nkey = "key.pem"\ncertificate = "cert.pem"\n');
    const directory = what === 'no artifact folder' ? 'nowhere' : 'artifacts';
    const { code, stdout, stderr } = await run('start', directory, ...ANY_PORTS, ...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^mini-synapse start: /);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stdout).not.toContain('mini-synapse ready');
  });

  it('takes ./artifacts, ./data and ./deployment.toml without being told', async () => {
    artifact('P', inOnly('P', '<respond/>'));
    file(
      'deployment.toml',
      '[transport.http]\nlistener.port = 0\nlistener.secured_port = 0\n[management_api]\nport = 0\n',
    );
    const child = spawn(launcher, ['start'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    cleanUp.push(() => child.kill('SIGKILL'));
    let printed = '';
    child.stdout.on('data', (chunk) => {
      printed += chunk;
    });
    await waitFor(() => /^mini-synapse ready.* · 1 artifact$/m.test(printed), {
      what: () => printed,
      deadlineMs: 30_000,
    });
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
  });

  it('--no-watch deploys once, --log-format json writes objects', async () => {
    const runtime = await start('--no-watch', '--log-format', 'json');
    const objects = runtime.lines().filter((line) => line.startsWith('{'));
    expect(objects.map((line) => JSON.parse(line).level)).toContain('info');
    artifact('P', inOnly('P', '<respond/>'));
    expect((await soap11(runtime.service('P'))).status).toBe(404);
  });
});

describe('a reader of the output that is gone', () => {
  it.each([
    ['start', () => ['start']],
    ['run', () => ['run', join('artifacts', 'P.xml')]],
  ])('%s: what is in flight is answered, then exit 0 without a word', async (_, args) => {
    const backEnd = await echoBackEnd();
    cleanUp.push(() => backEnd.close());
    backEnd.answer = () => ({ delayMs: 500 });
    artifact('P', `<proxy name="P"><target><endpoint><address uri="${backEnd.url}/"/></endpoint></target></proxy>`);
    const child = spawn(launcher, [...args(), ...ANY_PORTS, '--data', join(folder, 'data')], { cwd: folder });
    cleanUp.push(() => child.kill('SIGKILL'));
    const stderr = text(child.stderr);
    let printed = '';
    child.stdout.on('data', (chunk) => (printed += chunk));
    await waitFor(() => /^mini-synapse ready/m.test(printed), { what: () => printed, deadlineMs: 60_000 });
    const port = / http 127\.0\.0\.1:(\d+)/.exec(printed)?.[1];
    const reply = soap11(`http://127.0.0.1:${port}/services/P`);
    await waitFor(() => backEnd.received.length === 1, { what: 'the request' });
    child.stdout.destroy();
    // It notices when it writes.
    artifact('Q', inOnly('Q', '<respond/>'));
    writeFileSync(join(folder, 'artifacts', 'P.xml'), '<broken');
    expect((await reply).status).toBe(200);
    const [code, signal] = await once(child, 'exit');
    expect({ code, signal, stderr: await stderr }).toEqual({ code: 0, signal: null, stderr: '' });
  });

  it('a command that only prints ends at once: exit 0', async () => {
    const child = spawn(launcher, ['help', '--markdown'], { cwd: folder });
    child.stdout.destroy();
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

it('run serves a packaged application', async () => {
  const sequence = `<proxy ${NAMESPACE} name="InCar"><target><inSequence><respond/></inSequence></target></proxy>`;
  const car = zip({
    'artifacts.xml': `<artifacts><artifact name="Shop" version="1.0.0" type="carbon/application">
      <dependency artifact="InCar" version="1.0.0" include="true" serverRole="EnterpriseIntegrator"/></artifact></artifacts>`,
    'InCar_1.0.0/artifact.xml':
      '<artifact name="InCar" version="1.0.0" type="synapse/proxy-service"><file>InCar.xml</file></artifact>',
    'InCar_1.0.0/InCar.xml': sequence,
  });
  writeFileSync(join(folder, 'Shop_1.0.0.car'), car);
  const child = spawn(launcher, ['run', 'Shop_1.0.0.car', ...ANY_PORTS], { cwd: folder });
  cleanUp.push(() => child.kill('SIGKILL'));
  let printed = '';
  child.stdout.on('data', (chunk) => (printed += chunk));
  await waitFor(() => /^mini-synapse ready/m.test(printed), { what: () => printed, deadlineMs: 60_000 });
  const port = / http 127\.0\.0\.1:(\d+)/.exec(printed)?.[1];
  expect((await soap11(`http://127.0.0.1:${port}/services/InCar`)).status).toBe(200);
  child.kill('SIGTERM');
  expect((await once(child, 'exit'))[0]).toBe(0);
});

it('completes commands, their words and files in bash', async () => {
  const script = `
    source <("$1" completion bash)
    ask() { COMP_WORDS=("$1" "\${@:2}"); COMP_CWORD=$(( $# - 1 )); COMPREPLY=(); _mini_synapse; echo "\${COMPREPLY[*]}"; }
    ask "$1" artifact ''; ask "$1" user role olga ''; ask "$1" check --format s; ask "$1" schema c; ask "$1" check dep`;
  writeFileSync(join(folder, 'deployment.toml'), '');
  const child = spawn('bash', ['-c', script, 'bash', launcher], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  expect({ code, lines: stdout.trim().split('\n') }).toEqual({
    code: 0,
    lines: [
      'deploy diff rollback show undeploy validate versions',
      'admin operator viewer',
      'sarif',
      'configuration',
      'deployment.toml',
    ],
  });
});

describe('the other commands', () => {
  it('check: 0 fine, 1 with every problem located', async () => {
    artifact('P', inOnly('P', '<respond/>'));
    expect(await run('check', 'artifacts')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 file checked, all fine'),
    });
    artifact('Q', inOnly('Q', '<log level="loud"/><stroe messageStore="S"/>'));
    const { code, stdout } = await run('check', 'artifacts');
    expect(code).toBe(1);
    expect(stdout).toMatch(/Q\.xml:1:\d+: error: Invalid log level/);
    expect(stdout).toMatch(/Q\.xml:1:\d+: error: Unknown mediator/);
  });

  it('--version, cron and usage errors work from the launcher', async () => {
    expect(await run('--version')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+/) });
    expect((await run('cron', '0 0 12 * * ?')).stdout.trim().split('\n')).toHaveLength(5);
    expect((await run('serve')).code).toBe(2);
  });
});
