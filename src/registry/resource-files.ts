import { open } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Larger resources are refused, bytes. */
export const MAX_RESOURCE_BYTES = 16 * 1024 * 1024;

/**
 * The paths that a `file:` address may mean, best first; none for an address of another kind.
 * @param directories where a relative one is looked for, in this order
 */
export function resourcePaths(url: string, directories: readonly string[]): string[] {
  if (/^file:\/\//i.test(url)) return [fileURLToPath(url)];
  const path = /^file:/i.test(url) ? url.slice('file:'.length) : url;
  if (/^[a-z][\w+.-]*:/i.test(path)) return [];
  return isAbsolute(path) ? [path] : directories.map((directory) => join(directory, path));
}

/**
 * Reads the file behind a `file:` address.
 * @throws an error of the file system, the first one if there were several places to look; one that says so when it is too large
 */
export async function readResource(url: string, directories: readonly string[]): Promise<Uint8Array> {
  let failure: unknown;
  for (const path of resourcePaths(url, directories)) {
    try {
      return await readBounded(path);
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure ?? new Error(`'${url}' is neither a file: nor an http(s): address`);
}

async function readBounded(path: string): Promise<Uint8Array> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    if (size > MAX_RESOURCE_BYTES) throw new Error(`'${path}' is larger than ${MAX_RESOURCE_BYTES} bytes`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}
