import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LogRecord, onLogRecord } from '../../src/logging/index.ts';
import { SecretStore } from '../../src/registry/secrets.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secrets-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('secrets (spec proxies 7.8)', () => {
  it('come from files and from the environment; files win', async () => {
    await writeFile(join(folder, 'db.password'), 'from file\n');
    await writeFile(join(folder, 'both'), 'file');
    const environment = { MINI_SYNAPSE_SECRET_API_KEY: 'from env', MINI_SYNAPSE_SECRET_BOTH: 'env' };
    const secrets = await SecretStore.open({ folder, environment });
    expect(secrets.lookup('db.password')).toBe('from file');
    expect(secrets.lookup('api-key')).toBe('from env');
    expect(secrets.lookup('both')).toBe('file');
    expect(secrets.lookup('none')).toBeUndefined();
  });

  it('are read again, so that a changed one needs no deployment (OP-84)', async () => {
    const secrets = await SecretStore.open({ folder });
    await writeFile(join(folder, 'late'), 'now');
    await secrets.refresh();
    expect(secrets.lookup('late')).toBe('now');
    await rm(join(folder, 'late'));
    await secrets.refresh();
    expect(secrets.lookup('late')).toBeUndefined();
  });

  it('that are others than they were are told of while they are watched, when they are wholly written', async () => {
    await writeFile(join(folder, 'same'), 'same');
    await writeFile(join(folder, 'other'), 'before');
    const lines: string[] = [];
    const stop = onLogRecord((record) => lines.push(record.message));
    const secrets = await SecretStore.open({ folder });
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    secrets.watch(async () => resolve(secrets.lookup('other')), 20);
    await writeFile(join(folder, 'other'), 'after');
    expect(await promise).toBe('after');
    await secrets.close();
    stop();
    expect(lines).toEqual(["Secrets have changed: 'other'"]);
  });

  it('that have changed between the opening and the watching are told of, too', async () => {
    await writeFile(join(folder, 'early'), 'before');
    const secrets = await SecretStore.open({ folder });
    await writeFile(join(folder, 'early'), 'after');
    await secrets.refresh();
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    secrets.watch(async () => resolve(secrets.lookup('early')), 20);
    expect(await promise).toBe('after');
    await secrets.close();
  });

  it('whose folder is gone are as they were, and that is told once', async () => {
    await writeFile(join(folder, 's'), 'kept');
    const lines: string[] = [];
    const stop = onLogRecord((record) => lines.push(record.message));
    const secrets = await SecretStore.open({ folder });
    await rm(folder, { recursive: true });
    for (let look = 0; look < 3; look += 1) await secrets.refresh();
    stop();
    expect(secrets.lookup('s')).toBe('kept');
    expect(lines.filter((line) => line.includes('cannot be read'))).toHaveLength(1);
    await mkdir(folder);
  });

  it('that cannot be read cost no others, and stay what they were', async () => {
    const lines: string[] = [];
    const stop = onLogRecord((record) => lines.push(record.message));
    for (const name of ['good', 'loop', 'gone']) await writeFile(join(folder, name), name);
    const secrets = await SecretStore.open({ folder });
    for (const name of ['loop', 'gone']) await rm(join(folder, name));
    await symlink('loop', join(folder, 'loop'));
    await symlink('nowhere', join(folder, 'gone'));
    await writeFile(join(folder, 'good'), 'better');
    await secrets.refresh();
    stop();
    expect(['good', 'loop', 'gone'].map((alias) => secrets.lookup(alias))).toEqual(['better', 'loop', undefined]);
    expect(lines).toEqual([expect.stringMatching(/loop cannot be read: ELOOP/)]);
  });

  it('are no files of other folders, no folders and no large files', async () => {
    await mkdir(join(folder, 'sub'));
    await writeFile(join(folder, 'sub', 'inner'), 'x');
    await writeFile(join(folder, 'large'), 'x'.repeat(100_000));
    const secrets = await SecretStore.open({ folder, environment: { PATH: 'p' } });
    for (const alias of ['../etc/passwd', 'sub/inner', 'sub', 'large', '', 'PATH']) {
      expect(secrets.lookup(alias), alias).toBeUndefined();
    }
  });

  it('are never logged, and a missing folder is only a warning', async () => {
    const records: LogRecord[] = [];
    const stop = onLogRecord((record) => records.push(record));
    await writeFile(join(folder, 's'), 'TOP-SECRET');
    (await SecretStore.open({ folder })).lookup('s');
    const none = await SecretStore.open({ folder: join(folder, 'none') });
    stop();
    expect(none.lookup('s')).toBeUndefined();
    expect(records).toHaveLength(1);
    expect(JSON.stringify(records)).not.toContain('TOP-SECRET');
  });
});
