import { lstat, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { MediationError } from '../message/errors.ts';

declare module '../message/configuration.ts' {
  interface Services {
    /** The folders that operations of the file connector may work in; absolute paths. */
    fileFolders: readonly string[];
  }
}

const ADVICE = "folders are allowed in the configuration: [mini_synapse] file_folders = ['/srv/exchange']";

/**
 * The file that a path means, if it is in one of the folders that the configuration allows, whatever links there are on the way.
 * @param path with or without `file://`; a relative one is meant from `base`, or from the first folder
 * @throws MediationError when it is not allowed
 */
export async function allowedPath(path: string, folders: readonly string[], base?: string): Promise<string> {
  const [first] = folders;
  if (first === undefined) throw new MediationError(`Files cannot be used: no folder is allowed; ${ADVICE}`);
  const bare = withoutScheme(path);
  if (bare.includes('\0')) throw new MediationError('A path with a NUL character is not allowed');
  const start = base === undefined ? first : await allowedPath(base, folders);
  const meant = isAbsolute(bare) ? resolve(bare) : resolve(start, bare);
  const real = await realPathOf(meant);
  for (const folder of folders) if (isInside(real, await realPathOf(folder))) return real;
  throw new MediationError(`The path '${path}' is in none of the folders that are allowed; ${ADVICE}`);
}

function withoutScheme(path: string): string {
  const [, scheme, rest = ''] = /^([a-z][\w+.-]+):(?:\/\/)?(.*)$/is.exec(path.trim()) ?? [];
  if (scheme === undefined) return path.trim();
  if (scheme.toLowerCase() === 'file') return rest;
  throw new MediationError(`'${scheme}:' is not supported by the file connector; there are paths and file:// URLs`);
}

/** Of what does not exist yet: the real path of the folder that exists, with the rest as it is. */
async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A link that leads nowhere would be followed by whoever writes to it.
    const isLink = code === 'ENOENT' && (await lstat(path).catch(() => undefined))?.isSymbolicLink();
    const parent = dirname(path);
    if (code !== 'ENOENT' || isLink || parent === path) {
      throw new MediationError(`The path '${path}' cannot be used: ${(error as Error).message}`, { cause: error });
    }
    return join(await realPathOf(parent), path.slice(parent.length).replace(/^[\\/]+/, ''));
  }
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}
