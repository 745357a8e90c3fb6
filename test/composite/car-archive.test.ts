import { describe, expect, it } from 'vitest';
import { ArchiveError, unpackArchive } from '../../src/composite/car-archive.ts';
import { zip } from '../support/zip.ts';

const LIMITS = { entries: 3, entryBytes: 1000, totalBytes: 1500 };

describe('an archive', () => {
  it('is unpacked', async () => {
    const files = await unpackArchive(zip({ 'a.txt': 'A', 'b/c.bin': Buffer.from([0, 255]) }));
    expect([...files.keys()]).toEqual(['a.txt', 'b/c.bin']);
    expect(files.get('b/c.bin')).toEqual(Buffer.from([0, 255]));
  });

  it.each([
    ['text that is none', Buffer.from('not a zip'), /not a readable archive/],
    ['nothing', Buffer.alloc(0), /not a readable archive/],
    ['a broken one', zip({ a: 'x'.repeat(500) }).fill(0, 35, 40), /not a readable archive/],
    ['a path that leads out', zip({ '../../etc/passwd': 'x' }), /not a readable archive: invalid relative path/],
    ['an absolute path', zip({ '/etc/passwd': 'x' }), /not a readable archive: absolute path/],
    ['too many entries', zip({ a: '', b: '', c: '', d: '' }), /more than 3 entries/],
    ['too large an entry', zip({ a: 'x'.repeat(1001) }), /more than 1000 bytes, unpacked/],
    ['too much in all', zip({ a: 'x'.repeat(900), b: 'x'.repeat(900) }), /more than 600 bytes, unpacked/],
  ])('%s is refused', async (_name, bytes, expected) => {
    const outcome = unpackArchive(bytes, LIMITS);
    await expect(outcome).rejects.toThrow(ArchiveError);
    await expect(outcome).rejects.toThrow(expected);
  });

  it('that says it is small, but is not, is refused', async () => {
    const bomb = zip({ a: Buffer.alloc(100_000) });
    // The unpacked size, in the entry and in the directory.
    bomb.writeUInt32LE(10, 22);
    bomb.writeUInt32LE(10, bomb.indexOf('PK\x01\x02', 0, 'latin1') + 24);
    await expect(unpackArchive(bomb, LIMITS)).rejects.toThrow(ArchiveError);
  });
});
