import { appendFileSync, chmodSync, mkdirSync, renameSync, symlinkSync, unlinkSync, utimesSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isArtifactFile } from '../../src/deployment/artifact-files.ts';
import type { FileBatch } from '../../src/deployment/file-version.ts';
import { ArtifactWatcher, type WatcherOptions } from '../../src/deployment/watcher.ts';
import { TemporaryFolder } from './temporary-folder.ts';

/** A watcher whose clock goes only when the test says so, with 300 ms of quiet wanted. */
function watched(folder: TemporaryFolder, options: Partial<WatcherOptions> = {}) {
  let now = 1_000_000;
  const watcher = new ArtifactWatcher({ directory: folder.path, now: () => now, ...options });
  return {
    watcher,
    /** A look some ms after the last one. */
    look(afterMs = 300): Promise<FileBatch> {
      now += afterMs;
      return watcher.scan();
    },
  };
}

function paths(batch: FileBatch): { changed: string[]; removed: readonly string[] } {
  return { changed: batch.changed.map((version) => version.path), removed: batch.removed };
}

const NOTHING = { changed: [], removed: [] };

describe('which files count (OP-30)', () => {
  test.each(['a.xml', 'a.XML', 'proxy_1-2.0.xml', 'x.y.xml'])('%s counts', (name) => {
    expect(isArtifactFile(name)).toBe(true);
  });

  test.each([
    '.a.xml',
    '.a.xml.swp',
    '.#a.xml',
    '#a.xml#',
    'a.xml~',
    '~$a.xml',
    'a.xml.back',
    'a.xml.tmp',
    'a.tmp.xml',
    'a.xml.1.back',
    'a.xml___jb_tmp___',
    '4913',
    'empty.txt',
  ])('%s does not', (name) => {
    expect(isArtifactFile(name)).toBe(false);
  });

  test('files of every folder count, hidden folders do not', async () => {
    using folder = new TemporaryFolder();
    folder.write('a.xml', '<a/>');
    folder.write('synapse-configs/default/proxy-services/p.xml', '<p/>');
    folder.write('.git/x.xml', '<x/>');
    folder.write('node_modules/m/x.xml', '<x/>');
    const { look } = watched(folder);
    expect(paths(await look())).toEqual({
      changed: ['a.xml', 'synapse-configs/default/proxy-services/p.xml'],
      removed: [],
    });
  });

  test('a folder that is linked into itself is entered once', async () => {
    using folder = new TemporaryFolder();
    folder.write('sub/a.xml', '<a/>');
    symlinkSync(folder.path, folder.at('sub/loop'));
    const { look } = watched(folder);
    expect(paths(await look()).changed).toEqual(['sub/a.xml']);
  });
});

describe('one change each (OP-30)', () => {
  test('nothing changed: nothing reported', async () => {
    using folder = new TemporaryFolder();
    folder.write('a.xml', '<a/>');
    const { look } = watched(folder);
    await look();
    for (let round = 0; round < 5; round += 1) expect(paths(await look())).toEqual(NOTHING);
  });

  test('a new file counts when two looks 300 ms apart see the same', async () => {
    using folder = new TemporaryFolder();
    const { look } = watched(folder);
    await look();
    folder.write('a.xml', '<a/>');
    expect(paths(await look(20))).toEqual(NOTHING);
    expect(paths(await look(100))).toEqual(NOTHING);
    expect(paths(await look(199))).toEqual(NOTHING);
    expect(paths(await look(1))).toEqual({ changed: ['a.xml'], removed: [] });
    expect(paths(await look())).toEqual(NOTHING);
  });

  test('a slow copy is one change, when it is complete', async () => {
    using folder = new TemporaryFolder();
    const { look } = watched(folder);
    await look();
    folder.write('a.xml', '<a>');
    for (let part = 0; part < 10; part += 1) {
      expect(paths(await look(250))).toEqual(NOTHING);
      appendFileSync(folder.at('a.xml'), `<part>${part}</part>`);
    }
    appendFileSync(folder.at('a.xml'), '</a>');
    await look(100);
    const batch = await look();
    expect(batch.changed.map((version) => version.source.text)).toEqual([
      expect.stringMatching(/^<a>.*9<\/part><\/a>$/),
    ]);
  });

  test('identical content is no change', async () => {
    using folder = new TemporaryFolder();
    folder.write('a.xml', '<a/>');
    const { look } = watched(folder);
    await look();
    utimesSync(folder.at('a.xml'), 1, 1);
    for (let round = 0; round < 3; round += 1) expect(paths(await look())).toEqual(NOTHING);
    folder.replace('a.xml', '<a/>');
    for (let round = 0; round < 3; round += 1) expect(paths(await look())).toEqual(NOTHING);
  });

  test('an atomic save is one change', async () => {
    using folder = new TemporaryFolder();
    folder.write('a.xml', '<a/>');
    const { look } = watched(folder);
    await look();
    folder.replace('a.xml', '<b/>');
    const batches = [await look(), await look(), await look(), await look()];
    expect(batches.flatMap((batch) => paths(batch).changed)).toEqual(['a.xml']);
    expect(batches.flatMap((batch) => batch.removed)).toEqual([]);
  });

  test('a save by removing and writing anew takes nothing away in between', async () => {
    using folder = new TemporaryFolder();
    folder.write('a.xml', '<a/>');
    const { look } = watched(folder);
    await look();
    folder.remove('a.xml');
    const during = await look();
    expect(paths(during)).toEqual(NOTHING);
    expect(during.leaving).toEqual(['a.xml']);
    folder.write('a.xml', '<b/>');
    const after = [await look(), await look(), await look()];
    expect(after.flatMap((batch) => paths(batch).changed)).toEqual(['a.xml']);
    expect(after.flatMap((batch) => batch.removed)).toEqual([]);
  });

  test('two writes of equal length within one tick of the file system are not missed', async () => {
    using folder = new TemporaryFolder();
    const { look } = watched(folder);
    await look();
    folder.write('a.xml', '<a/>');
    await look();
    await look();
    folder.write('a.xml', '<b/>');
    const texts: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      for (const version of (await look()).changed) texts.push(version.source.text);
    }
    expect(texts).toEqual(['<b/>']);
  });

  test('a rename is one batch: the old one goes as the new one comes', async () => {
    using folder = new TemporaryFolder();
    folder.write('a.xml', '<a/>');
    const { look } = watched(folder);
    await look();
    folder.move('a.xml', 'sub/b.xml');
    expect(paths(await look())).toEqual(NOTHING);
    expect(paths(await look())).toEqual({ changed: ['sub/b.xml'], removed: ['a.xml'] });
    expect(paths(await look())).toEqual(NOTHING);
  });

  test('a deleted file is gone after two looks', async () => {
    using folder = new TemporaryFolder();
    folder.write('sub/a.xml', '<a/>');
    const { look } = watched(folder);
    await look();
    folder.remove('sub');
    expect(paths(await look())).toEqual(NOTHING);
    expect(paths(await look())).toEqual({ changed: [], removed: ['sub/a.xml'] });
  });

  test('a file that is away and comes back unchanged is no change', async () => {
    using folder = new TemporaryFolder();
    folder.write('a.xml', '<a/>');
    const { look } = watched(folder);
    await look();
    renameSync(folder.at('a.xml'), folder.at('a.hidden'));
    await look();
    renameSync(folder.at('a.hidden'), folder.at('a.xml'));
    for (let round = 0; round < 3; round += 1) expect(paths(await look())).toEqual(NOTHING);
  });

  test('a ConfigMap update: the link to the data folder is swapped', async () => {
    using folder = new TemporaryFolder();
    folder.write('..v1/a.xml', '<a>1</a>');
    folder.write('..v1/b.xml', '<b/>');
    symlinkSync('..v1', folder.at('..data'));
    for (const name of ['a.xml', 'b.xml']) symlinkSync(`..data/${name}`, folder.at(name));
    const { look } = watched(folder);
    expect(paths(await look()).changed).toEqual(['a.xml', 'b.xml']);
    folder.write('..v2/a.xml', '<a>2</a>');
    folder.write('..v2/b.xml', '<b/>');
    symlinkSync('..v2', folder.at('..data_tmp'));
    renameSync(folder.at('..data_tmp'), folder.at('..data'));
    const batches = [await look(), await look(), await look()];
    expect(batches.flatMap((batch) => paths(batch).changed)).toEqual(['a.xml']);
    expect(batches.flatMap((batch) => batch.removed)).toEqual([]);
  });

  test('what changes together is reported together', async () => {
    using folder = new TemporaryFolder();
    const { look } = watched(folder);
    await look();
    folder.write('a.xml', '<a/>');
    await look(10);
    folder.write('b.xml', '<b/>');
    await look(200);
    expect(paths(await look(100))).toEqual(NOTHING);
    expect(paths(await look(200))).toEqual({ changed: ['a.xml', 'b.xml'], removed: [] });
  });

  test('a file that never becomes quiet holds nobody up for long', async () => {
    using folder = new TemporaryFolder();
    folder.write('old.xml', '<old/>');
    const { look } = watched(folder);
    await look();
    folder.write('a.xml', '<a/>');
    folder.remove('old.xml');
    let changedAfter = 0;
    let removedAfter = 0;
    for (let ms = 0; ms < 5_000; ms += 100) {
      appendFileSync(folder.at('growing.xml'), 'x');
      const batch = await look(100);
      if (batch.changed.length > 0) changedAfter = ms;
      if (batch.removed.length > 0) removedAfter = ms;
    }
    expect(changedAfter).toBeGreaterThan(0);
    expect(changedAfter).toBeLessThanOrEqual(600);
    expect(removedAfter).toBeLessThanOrEqual(3_200);
    expect(removedAfter).toBeGreaterThan(changedAfter);
  });
});

describe('what cannot be read', () => {
  test('a file beyond the bound is reported, not read', async () => {
    using folder = new TemporaryFolder();
    folder.write('big.xml', 'x'.repeat(1_001));
    const { look } = watched(folder, { maxFileBytes: 1_000 });
    const batch = await look();
    expect(batch.changed).toEqual([
      expect.objectContaining({ path: 'big.xml', unreadable: expect.stringContaining('larger') }),
    ]);
    expect(paths(await look())).toEqual(NOTHING);
    folder.write('big.xml', '<small/>');
    await look();
    expect((await look()).changed[0]?.source.text).toBe('<small/>');
  });

  test('bytes that are not the declared encoding are reported', async () => {
    using folder = new TemporaryFolder();
    folder.write('bad.xml', Uint8Array.of(0x3c, 0xe9, 0x2f, 0x3e));
    folder.write('latin.xml', Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>', 'latin1'));
    const { look } = watched(folder);
    const { changed } = await look();
    expect(changed.map((version) => version.unreadable === undefined)).toEqual([false, true]);
    expect(changed[1]?.source.text).toContain('<a>é</a>');
  });

  test.skipIf(process.getuid?.() === 0)('a file without permission is reported and taken up later', async () => {
    using folder = new TemporaryFolder();
    folder.write('a.xml', '<a/>');
    chmodSync(folder.at('a.xml'), 0);
    const { look } = watched(folder);
    expect((await look()).changed[0]?.unreadable).toContain('EACCES');
    chmodSync(folder.at('a.xml'), 0o600);
    await look();
    expect((await look()).changed[0]?.source.text).toBe('<a/>');
  });

  test('a directory that vanishes takes nothing away', async () => {
    using folder = new TemporaryFolder();
    folder.write('artifacts/a.xml', '<a/>');
    const { look } = watched(folder, { directory: folder.at('artifacts') });
    expect(paths(await look()).changed).toEqual(['a.xml']);
    renameSync(folder.at('artifacts'), folder.at('elsewhere'));
    for (let round = 0; round < 3; round += 1) expect(paths(await look())).toEqual(NOTHING);
    mkdirSync(folder.at('artifacts'));
    await look();
    expect(paths(await look())).toEqual({ changed: [], removed: ['a.xml'] });
  });

  test('a dangling link is no file', async () => {
    using folder = new TemporaryFolder();
    symlinkSync('nowhere.xml', folder.at('a.xml'));
    const { look } = watched(folder);
    expect(paths(await look())).toEqual(NOTHING);
    unlinkSync(folder.at('a.xml'));
    expect(paths(await look())).toEqual(NOTHING);
  });
});

describe('the watching itself', () => {
  test('delivers changes by itself, one batch at a time, until it is stopped', async () => {
    using folder = new TemporaryFolder();
    const watcher = new ArtifactWatcher({ directory: folder.path, intervalMs: 20, quietMs: 20, holdMs: 10 });
    await watcher.scan();
    const delivered: string[] = [];
    let handling = 0;
    const { promise: both, resolve } = Promise.withResolvers<void>();
    watcher.start(async (batch) => {
      handling += 1;
      expect(handling).toBe(1);
      delivered.push(...batch.changed.map((version) => version.path));
      await new Promise((done) => setImmediate(done));
      handling -= 1;
      if (delivered.includes('a.xml') && delivered.includes('sub/b.xml')) resolve();
    });
    folder.write('a.xml', '<a/>');
    folder.write('sub/b.xml', '<b/>');
    await both;
    await watcher.stop();
    folder.write('c.xml', '<c/>');
    expect(delivered.sort()).toEqual(['a.xml', 'sub/b.xml']);
  });

  test('a failure of the receiver does not end it', async () => {
    using folder = new TemporaryFolder();
    const watcher = new ArtifactWatcher({ directory: folder.path, intervalMs: 20, quietMs: 20, holdMs: 10 });
    await watcher.scan();
    const { promise: second, resolve } = Promise.withResolvers<void>();
    let batches = 0;
    watcher.start(async () => {
      batches += 1;
      if (batches === 1) {
        folder.write('b.xml', '<b/>');
        throw new Error('for this test');
      }
      resolve();
    });
    folder.write('a.xml', '<a/>');
    await second;
    await watcher.stop();
  });
});
