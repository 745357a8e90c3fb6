import { appendFileSync, type Stats, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { eagerReader, type ReadContent, readContent } from '../../src/deployment/artifact-content.ts';
import { type FileLook, lookOf } from '../../src/deployment/artifact-files.ts';
import { TemporaryFolder } from './temporary-folder.ts';

const MAX_BYTES = 1_000_000;

function lookAt(folder: TemporaryFolder, name: string, as: Partial<Stats> = {}): FileLook {
  return lookOf(name, Object.assign(statSync(folder.at(name)), as));
}

describe.each<[how: string, reader: () => ReadContent]>([
  ['off the event loop', () => readContent],
  ['on it', () => eagerReader(() => 0)],
])('the content of a file, read %s', (_how, reader) => {
  test('with its hash', async () => {
    using folder = new TemporaryFolder();
    folder.write('a.xml', '<a>é</a>');
    const content = await reader()(folder.at('a.xml'), lookAt(folder, 'a.xml'), MAX_BYTES);
    expect(content).toEqual({
      bytes: Buffer.from('<a>é</a>'),
      hash: '3a0d5a1835974562f6ca583727efc6e9e6fb64a02b4f465c4c97d43e2f73a2e3',
    });
  });

  test('none at all', async () => {
    using folder = new TemporaryFolder();
    folder.write('a.xml', '');
    const content = await reader()(folder.at('a.xml'), lookAt(folder, 'a.xml'), MAX_BYTES);
    expect(content).toMatchObject({ bytes: Buffer.alloc(0) });
  });

  test('is moving when it has grown, shrunk, been touched or gone since it looked so', async () => {
    using folder = new TemporaryFolder();
    folder.write('a.xml', '<a/>');
    const before = lookAt(folder, 'a.xml');
    const name = folder.at('a.xml');
    appendFileSync(name, ' ');
    expect(await reader()(name, before, MAX_BYTES)).toBe('moving');
    expect(await reader()(name, lookAt(folder, 'a.xml', { size: 6 }), MAX_BYTES)).toBe('moving');
    expect(await reader()(name, lookAt(folder, 'a.xml', { mtimeMs: 1 }), MAX_BYTES)).toBe('moving');
    const last = lookAt(folder, 'a.xml');
    folder.remove('a.xml');
    expect(await reader()(name, last, MAX_BYTES)).toBe('moving');
  });

  test('is not read when there is too much of it', async () => {
    using folder = new TemporaryFolder();
    folder.write('a.xml', '<a/>');
    const content = await reader()(folder.at('a.xml'), lookAt(folder, 'a.xml'), 3);
    expect(content).toEqual({ reason: 'the file is larger than 3 bytes', mayPass: false });
  });

  test('is told to be unreadable when the system says so', async () => {
    using folder = new TemporaryFolder();
    folder.write('d/a.xml', '<a/>');
    const content = await reader()(folder.at('d'), lookAt(folder, 'd'), MAX_BYTES);
    expect(content).toMatchObject({ reason: expect.stringContaining('EISDIR'), mayPass: true });
  });
});

test('a reader that is eager reads on the event loop until a file is slow, and big files never', async () => {
  using folder = new TemporaryFolder();
  folder.write('a.xml', '<a/>');
  folder.write('big.xml', Buffer.alloc(300_000, 0x20));
  let clock = 0;
  let tookMs = 0;
  const read = eagerReader(() => (clock += tookMs));
  /** Whether it was there before the event loop went round. */
  const atOnce = async (name: string) => {
    const reading = read(folder.at(name), lookAt(folder, name), MAX_BYTES).then(() => 'read');
    return (
      (await Promise.race([
        reading,
        new Promise((resolve) => queueMicrotask(() => queueMicrotask(() => resolve('later')))),
      ])) === 'read'
    );
  };
  expect(await atOnce('a.xml')).toBe(true);
  expect(await atOnce('big.xml')).toBe(false);
  expect(await atOnce('a.xml')).toBe(true);
  tookMs = 3;
  expect(await atOnce('a.xml')).toBe(true);
  tookMs = 0;
  expect(await atOnce('a.xml')).toBe(false);
});
