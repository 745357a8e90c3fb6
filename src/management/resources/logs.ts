import { createReadStream } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { listing, listOf, SEARCH_KEY } from '../list.ts';
import { notFound } from '../management-error.ts';
import { resource } from '../resource.ts';
import { object, TEXT } from '../schemas.ts';
import { permitBodies } from '../shown-bodies.ts';

const ROW = object({ FileName: TEXT, Size: TEXT });
/** A name and no path. */
const FILE_NAME = /^\w[\w.-]{0,100}$/;
const AUDIT_FILE = /^audit\.ndjson(?:\.\d+)?$/;
const KIBIBYTE = 1024;

interface LogFile {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

/**
 * `GET /management/logs` (spec proxies 8.2, 8.3): the files that this server writes, the audit log and what stands in `logs` of the data
 * folder. The log itself goes to standard output.
 */
export const readLogs = resource({
  method: 'GET',
  path: '/management/logs',
  role: 'viewer',
  summary: 'Log files, or the content of one of them',
  tag: 'logs',
  query: { file: { type: 'string', maxLength: 200 }, searchKey: SEARCH_KEY },
  answers: { 200: listOf(ROW), 403: null, 404: { type: 'object' } },
  async answer({ query: { file, searchKey }, caller }, server) {
    const files = await logFiles(server.options.data);
    if (file === undefined) {
      const wanted = searchKey?.trim().toLowerCase() ?? '';
      const list = files.filter(({ name }) => name.toLowerCase().includes(wanted));
      return { status: 200, body: listing(list.map(({ name, bytes }) => ({ FileName: name, Size: sizeText(bytes) }))) };
    }
    const found = files.find(({ name }) => name === file);
    const known = files.map(({ name }) => name);
    if (!found) throw notFound(`Specified log file ('${file}') not found`, file, known);
    // Lines of a log may hold what messages contain.
    if (!AUDIT_FILE.test(file)) permitBodies(caller, server);
    // No more than there was: it grows while it is read.
    const end = Math.max(0, found.bytes - 1);
    if (found.bytes === 0) return { status: 200, type: 'application/txt', text: '' };
    return { status: 200, type: 'application/txt', stream: createReadStream(found.path, { end }) };
  },
});

async function logFiles(data: string): Promise<LogFile[]> {
  const candidates = [
    ...(await namesIn(data)).filter((name) => AUDIT_FILE.test(name)).map((name) => ({ name, folder: data })),
    ...(await namesIn(join(data, 'logs'))).map((name) => ({ name, folder: join(data, 'logs') })),
  ];
  const found: LogFile[] = [];
  for (const { name, folder } of candidates) {
    const path = join(folder, name);
    // Not followed: a link may lead anywhere.
    const stats = FILE_NAME.test(name) ? await lstat(path).catch(() => undefined) : undefined;
    if (stats?.isFile()) found.push({ name, path, bytes: stats.size });
  }
  return found.sort((left, right) => (left.name < right.name ? -1 : 1));
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function sizeText(bytes: number): string {
  if (bytes < KIBIBYTE) return `${bytes} B`;
  const kibibytes = bytes / KIBIBYTE;
  return kibibytes < KIBIBYTE ? `${kibibytes.toFixed(1)} KB` : `${(kibibytes / KIBIBYTE).toFixed(1)} MB`;
}
