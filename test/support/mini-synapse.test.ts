import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MiniSynapse, type MiniSynapseOptions, readyPorts, runMiniSynapse } from './mini-synapse.ts';

describe('the ready line', () => {
  it('names the ports', () => {
    const line =
      'mini-synapse ready in 412 ms · http 127.0.0.1:8280 · https 127.0.0.1:8243 · management 127.0.0.1:9164 · 7 artifacts';
    expect(readyPorts(line)).toEqual({ http: 8280, https: 8243, management: 9164 });
    expect(readyPorts('mini-synapse ready in 9 ms · http 0.0.0.0:81 · 0 artifacts')).toEqual({ http: 81 });
    expect(readyPorts('mini-synapse ready in 9 ms · https [::1]:82 · 0 artifacts')).toEqual({ https: 82 });
  });

  it('is told from other lines', () => {
    expect(readyPorts('INFO mini-synapse ready · http 127.0.0.1:8280')).toBeUndefined();
  });
});

describe('a runtime for flows', () => {
  let folder: string;
  let options: MiniSynapseOptions;
  let runtime: MiniSynapse | undefined;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mini-synapse-runner-test-'));
    // Speaks the contract of bin/mini-synapse and does nothing else.
    const command = join(folder, 'stand-in');
    const program = `#!${process.execPath}
      console.log('args ' + JSON.stringify(process.argv.slice(2)));
      console.log('greeting ' + process.env.GREETING);
      process.on('SIGTERM', () => { console.log('stopping'); process.exit(0); });
      setInterval(() => {}, 1000);
      console.log('mini-synapse ready in 1 ms · http 127.0.0.1:1234 · management 127.0.0.1:5678 · 0 artifacts');
      setTimeout(() => console.log('deployed proxy Later'), 100);`;
    writeFileSync(command, program);
    chmodSync(command, 0o755);
    options = { artifacts: '/artifacts', dataDirectory: '/data', command, env: { GREETING: 'hello' } };
  });

  afterAll(async () => {
    await runtime?.kill();
    rmSync(folder, { recursive: true });
  });

  it('is started with folders, ports and environment, tells its ports and lines, and stops', async () => {
    const more = { config: '/c.toml', ports: { http: 7 }, args: ['--no-watch'] };
    runtime = await runMiniSynapse({ ...options, ...more });
    const ports = ['--http-port', '7', '--https-port', '0', '--management-port', '0'];
    const files = ['--data', '/data', '--config', '/c.toml'];
    expect(runtime.lines()[0]).toBe(
      `args ${JSON.stringify(['start', '/artifacts', ...ports, ...files, '--no-watch'])}`,
    );
    expect(runtime.lines()[1]).toBe('greeting hello');
    expect(runtime.ports).toEqual({ http: 1234, management: 5678 });
    expect(runtime.readyInMs).toBeGreaterThan(0);
    expect(runtime.service('Quote')).toBe('http://127.0.0.1:1234/services/Quote');
    expect(runtime.management('/healthz')).toBe('http://127.0.0.1:5678/healthz');
    expect(await runtime.waitForLine(/deployed proxy/)).toBe('deployed proxy Later');
    await expect(runtime.waitForLine(/never/, { deadlineMs: 50 })).rejects.toThrow(
      /waited 50 ms.*deployed proxy Later/s,
    );
    expect(await runtime.stop()).toEqual({ code: 0, signal: null });
    expect(runtime.lines().at(-1)).toBe('stopping');
  });

  it('is killed and restarted', async () => {
    runtime = await runMiniSynapse(options);
    const { pid } = runtime;
    await runtime.kill();
    expect(runtime.pid).toBeUndefined();
    const after = runtime.lines().length;
    await runtime.restart();
    expect(runtime.pid).not.toBe(pid);
    expect(await runtime.waitForLine(/^mini-synapse ready/, { after })).toContain('1234');
  });
});
