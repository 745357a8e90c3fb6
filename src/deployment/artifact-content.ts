import { hash } from 'node:crypto';
import * as fs from 'node:fs';
import { promisify } from 'node:util';
import { type FileLook, lookOf } from './artifact-files.ts';

/** What a file holds, or why that is not known. */
export type Content =
  | { readonly bytes: Buffer; readonly hash: string }
  /** `mayPass`: another try may succeed although the file looks the same. */
  | { readonly reason: string; readonly mayPass: boolean };

/** The content of a file, or `moving` when it was written to or replaced since it looked so. Never rejects. */
export type ReadContent = (name: string, look: FileLook, maxBytes: number) => Promise<Content | 'moving'>;

// A thousand files are read in half the time of `node:fs/promises`, whose handles cost more than what is done with them.
const open = promisify(fs.open);
const read = promisify(fs.read);
const fstat = promisify(fs.fstat);
const close = promisify(fs.close);

/** Off the event loop. */
export const readContent: ReadContent = async (name, look, maxBytes) => {
  if (look.bytes > maxBytes) return tooLarge(maxBytes);
  try {
    const file = await open(name, 'r');
    try {
      const bytes = Buffer.allocUnsafe(look.bytes);
      let filled = 0;
      // A read may give less than there is, on a network for instance; nothing comes only at the end of the file.
      for (let got = 1; filled < bytes.length && got > 0; filled += got) {
        got = (await read(file, bytes, filled, bytes.length - filled, filled)).bytesRead;
      }
      return contentOf(bytes, filled, look, await fstat(file));
    } finally {
      await close(file);
    }
  } catch (error) {
    return failure(error);
  }
};

/** A file that the system has in memory is there after some µs; one that took so long came from a disk or a network, ms. */
const FROM_MEMORY_MS = 2;
const MAX_BYTES_AT_ONCE = 256 * 1024;

/**
 * For the start of a server, when nobody waits for the event loop: reads on it for as long as files come from memory, which takes a
 * fifth of the time that handing them from thread to thread does; from the first that does not on, off it, so that many are on their way.
 */
export function eagerReader(now: () => number = () => performance.now()): ReadContent {
  let eager = true;
  return async (name, look, maxBytes) => {
    if (!eager || look.bytes > MAX_BYTES_AT_ONCE) return readContent(name, look, maxBytes);
    const begun = now();
    const content = readAtOnce(name, look, maxBytes);
    eager &&= now() - begun < FROM_MEMORY_MS;
    return content;
  };
}

function readAtOnce(name: string, look: FileLook, maxBytes: number): Content | 'moving' {
  if (look.bytes > maxBytes) return tooLarge(maxBytes);
  try {
    const file = fs.openSync(name, 'r');
    try {
      const bytes = Buffer.allocUnsafe(look.bytes);
      let filled = 0;
      for (let got = 1; filled < bytes.length && got > 0; filled += got) {
        got = fs.readSync(file, bytes, filled, bytes.length - filled, filled);
      }
      return contentOf(bytes, filled, look, fs.fstatSync(file));
    } finally {
      fs.closeSync(file);
    }
  } catch (error) {
    return failure(error);
  }
}

function tooLarge(maxBytes: number): Content {
  return { reason: `the file is larger than ${maxBytes} bytes`, mayPass: false };
}

function contentOf(bytes: Buffer, filled: number, look: FileLook, after: fs.Stats): Content | 'moving' {
  if (filled !== look.bytes || lookOf(look.path, after).stamp !== look.stamp) return 'moving';
  return { bytes, hash: hash('sha256', bytes, 'hex') };
}

function failure(error: unknown): Content | 'moving' {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'moving';
  return { reason: error instanceof Error ? error.message : String(error), mayPass: true };
}
