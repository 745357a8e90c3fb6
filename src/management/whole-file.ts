import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';

/** Writes a file so that readers find the old or the new content, never a part; the new one is on disk when this resolves. */
export async function writeWholeFile(
  file: string,
  content: string | Uint8Array,
  options: { readonly private?: boolean } = {},
): Promise<void> {
  // A name that no watcher takes for an artifact.
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  const handle = await open(temporary, 'wx', options.private ? 0o600 : 0o644);
  try {
    await handle.writeFile(content);
    await handle.sync();
    await handle.close();
    await rename(temporary, file);
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error;
  }
}
