import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DataFolder, DataFolderError } from '../src/data-folder.ts';
import { type MiniSynapse, runMiniSynapse } from './support/mini-synapse.ts';

const launcher = fileURLToPath(new URL('../bin/mini-synapse', import.meta.url));
const ANY_PORTS = ['--http-port', '0', '--https-port', '0', '--management-port', '0'];
const isRoot = process.getuid?.() === 0;
/** Nobody may make files there, not even root. */
const READ_ONLY = '/proc/self';

let folder: string;
const cleanUp: Array<() => unknown> = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mini-synapse-data-'));
  await mkdir(join(folder, 'artifacts'));
  cleanUp.push(() => rm(folder, { recursive: true, force: true }));
});

afterEach(async () => {
  for (const action of cleanUp.splice(0).reverse()) await action();
});

const at = (name: string) => join(folder, name);

async function take(path: string): Promise<DataFolder> {
  const taken = await DataFolder.take(path, { patienceMs: 0 });
  cleanUp.push(() => taken.release());
  return taken;
}

describe('the data folder', () => {
  test('is one server’s at a time, and names it', async () => {
    const taken = await take(at('data'));
    const refused = take(at('data'));
    await expect(refused).rejects.toBeInstanceOf(DataFolderError);
    await expect(refused).rejects.toThrow(
      `the data folder ${at('data')} is taken, another process uses it: process ${process.pid} on `,
    );
    await taken.release();
    await take(at('data'));
  });

  test('is waited for while whoever has it is about to end', async () => {
    const taken = await take(at('data'));
    const next = DataFolder.take(at('data'), { patienceMs: 20_000 });
    cleanUp.push(async () => (await next).release());
    await taken.release();
    expect(await next).toBeInstanceOf(DataFolder);
  });

  test.skipIf(process.platform !== 'linux')('that may not be written is refused, saying why', async () => {
    await expect(take(READ_ONLY)).rejects.toThrow(
      new RegExp(
        `^the data folder ${READ_ONLY} cannot be used: (its file ${READ_ONLY}/lock cannot be opened|E[A-Z]+: )`,
      ),
    );
  });

  test.skipIf(isRoot)('whose permissions do not let us write is refused, saying why', async () => {
    await mkdir(at('data'));
    await writeFile(at('data/lock'), '');
    await chmod(at('data/lock'), 0o444);
    await expect(take(at('data'))).rejects.toThrow(/cannot be used: EACCES/);
    await chmod(at('data'), 0o555);
    await expect(take(at('data'))).rejects.toThrow(/cannot be used: EACCES/);
  });

  test('that is a file is refused', async () => {
    await writeFile(at('data'), 'x');
    const refused = take(at('data'));
    await expect(refused).rejects.toBeInstanceOf(DataFolderError);
    await expect(refused).rejects.toThrow(/cannot be used: (EEXIST|ENOTDIR)/);
  });
});

describe('two servers', () => {
  const start = async (): Promise<MiniSynapse> => {
    const runtime = await runMiniSynapse({ artifacts: at('artifacts'), dataDirectory: at('data') });
    cleanUp.push(() => runtime.kill());
    return runtime;
  };
  const startAnother = () =>
    new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
      const args = ['start', at('artifacts'), '--data', at('data'), ...ANY_PORTS];
      execFile(launcher, args, { timeout: 60_000, killSignal: 'SIGKILL' }, (error, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, stdout, stderr }),
      );
    });

  test('the second one on a data folder ends with exit code 3 and says who has it; a kill frees it', async () => {
    const runtime = await start();
    const { code, stdout, stderr } = await startAnother();
    expect(code).toBe(3);
    expect(stderr).toMatch(
      new RegExp(
        `^mini-synapse start: the data folder ${at('data')} is taken, another process uses it: process ${runtime.pid} on .*; every server needs one of its own \\(--data DIR\\)\n$`,
      ),
    );
    expect(stdout).not.toContain('mini-synapse ready');
    // The first one goes on.
    expect((await fetch(runtime.management('/healthz'))).status).toBe(200);
    const { pid } = runtime;
    await runtime.kill();
    expect(await readFile(at('data/lock-holder'), 'utf8')).toContain(`process ${pid} `);
    await runtime.restart();
    expect(await readFile(at('data/lock-holder'), 'utf8')).toContain(`process ${runtime.pid} `);
    await runtime.stop();
    await expect(stat(at('data/lock-holder'))).rejects.toThrow('ENOENT');
  }, 120_000);
});
