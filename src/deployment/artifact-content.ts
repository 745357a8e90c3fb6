import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { type FileLook, lookOf } from './artifact-files.ts';

/** What a file holds, or why that is not known. */
export type Content =
  | { readonly bytes: Buffer; readonly hash: string }
  /** `mayPass`: another try may succeed although the file looks the same. */
  | { readonly reason: string; readonly mayPass: boolean };

/** The content of a file, or `moving` when it was written to or replaced meanwhile. */
export async function readContent(name: string, look: FileLook, maxBytes: number): Promise<Content | 'moving'> {
  if (look.bytes > maxBytes) return { reason: `the file is larger than ${maxBytes} bytes`, mayPass: false };
  try {
    const { bytes, after } = await readWithLook(name, look.path);
    if (after.stamp !== look.stamp) return 'moving';
    return { bytes, hash: createHash('sha256').update(bytes).digest('hex') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'moving';
    const reason = error instanceof Error ? error.message : String(error);
    return { reason, mayPass: true };
  }
}

async function readWithLook(name: string, path: string): Promise<{ bytes: Buffer; after: FileLook }> {
  const handle = await open(name, 'r');
  try {
    const bytes = await handle.readFile();
    return { bytes, after: lookOf(path, await handle.stat()) };
  } finally {
    await handle.close();
  }
}
