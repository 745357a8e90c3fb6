import { maskCredentials } from '../../logging/secrets.ts';

/** An address that is no local file; the message says what can be done. */
export class FileAddressError extends Error {
  override readonly name = 'FileAddressError';
}

/**
 * The path of a VFS address: `file:///folder`, `vfs:file:////folder/file.xml?transport.vfs.…`, or a plain absolute path.
 * @throws FileAddressError for other schemes, relative paths and wrong escapes
 */
export function filePath(address: string): string {
  const plain = address.trim().replace(/^vfs:/i, '');
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(plain)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== 'file') {
    throw new FileAddressError(
      `'${maskCredentials(plain)}': '${scheme}:' folders are not supported; mount or synchronise it as a local folder (for example with sshfs, rclone or cron), and name that`,
    );
  }
  const [path = ''] = plain.replace(/^file:/i, '').split('?');
  if (!path.startsWith('/')) throw new FileAddressError(`'${plain}' is not the address of a local folder`);
  try {
    return decodeURIComponent(path.replace(/^\/+/, '/'));
  } catch (cause) {
    throw new FileAddressError(`'${plain}' has a wrong percent escape`, { cause });
  }
}
