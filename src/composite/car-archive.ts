import type { Entry, ZipFile } from 'yauzl';
import { PackageMissingError, requirePackage } from '../optional-package.ts';

/** Why an archive cannot be used, in one line. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}

/** What an archive may hold at most, so that a small file cannot fill the memory. */
export interface ArchiveLimits {
  readonly entries: number;
  /** Bytes of one entry, unpacked. */
  readonly entryBytes: number;
  /** Bytes of all entries together, unpacked. */
  readonly totalBytes: number;
}

const MEBIBYTE = 1024 * 1024;
export const ARCHIVE_LIMITS: ArchiveLimits = { entries: 10_000, entryBytes: 16 * MEBIBYTE, totalBytes: 128 * MEBIBYTE };

/** The files in an archive by their paths, which never lead out of it. */
export type ArchiveFiles = ReadonlyMap<string, Buffer>;

/**
 * Unpacks a ZIP archive in memory. Sizes are counted while unpacking, whatever the archive says about itself.
 * @throws ArchiveError when it is no archive, holds paths that lead out of it, or is too large
 */
export async function unpackArchive(bytes: Buffer, limits: ArchiveLimits = ARCHIVE_LIMITS): Promise<ArchiveFiles> {
  try {
    // Loaded with the first archive: most servers never see one.
    requirePackage('yauzl', 'An archive');
    const { fromBufferPromise } = await import('yauzl');
    const archive = await fromBufferPromise(bytes, { lazyEntries: true, autoClose: false });
    try {
      return await unpackAll(archive, limits);
    } finally {
      archive.close();
    }
  } catch (cause) {
    if (cause instanceof ArchiveError) throw cause;
    if (cause instanceof PackageMissingError) throw new ArchiveError(cause.message, { cause });
    throw new ArchiveError(`not a readable archive: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

async function unpackAll(archive: ZipFile, limits: ArchiveLimits): Promise<ArchiveFiles> {
  if (archive.entryCount > limits.entries) throw new ArchiveError(`it has more than ${limits.entries} entries`);
  const files = new Map<string, Buffer>();
  let total = 0;
  for await (const entry of archive.eachEntry()) {
    if (entry.fileName.endsWith('/')) continue;
    if (entry.isEncrypted()) throw new ArchiveError(`'${entry.fileName}' is encrypted`);
    const content = await unpack(archive, entry, Math.min(limits.entryBytes, limits.totalBytes - total));
    total += content.byteLength;
    files.set(entry.fileName, content);
    if (files.size > limits.entries) throw new ArchiveError(`it has more than ${limits.entries} entries`);
  }
  return files;
}

async function unpack(archive: ZipFile, entry: Entry, limit: number): Promise<Buffer> {
  const stream = await archive.openReadStreamPromise(entry);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      size += (chunk as Buffer).byteLength;
      if (size > limit)
        throw new ArchiveError(`'${entry.fileName}' makes it too large: more than ${limit} bytes, unpacked`);
      chunks.push(chunk as Buffer);
    }
  } finally {
    stream.destroy();
  }
  return Buffer.concat(chunks);
}
