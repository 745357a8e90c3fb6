import { once } from 'node:events';
import { access, constants, mkdir, rm, rmdir, stat, statfs, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import type { ServerConfiguration } from '../../config/config.ts';
import { FolderInUseError, FolderLock } from '../../stores/journal/folder-lock.ts';
import { ManagementClient } from '../remote/client.ts';
import { bytes } from '../show/quantities.ts';
import { type Finding, ok, reasonOf, warning, wrong } from './finding.ts';

const OLDEST_NODE = [22, 18] as const;
const LITTLE_SPACE_BYTES = 512 * 1024 * 1024;
const ANSWER_MS = 2_000;

export function checkNode(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  const isOld = major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
  return isOld
    ? wrong('Node.js', `${version} is too old: ${OLDEST_NODE.join('.')} or newer is needed`)
    : ok('Node.js', version);
}

/** Can a server write there? Leaves nothing behind. */
export async function* checkDataFolder(data: string): AsyncGenerator<Finding> {
  const folder = resolve(data);
  const subject = 'data folder';
  const made = await firstMade(folder);
  try {
    await mkdir(folder, { recursive: true });
    const probe = join(folder, `.doctor-${process.pid}`);
    await writeFile(probe, 'x');
    await rm(probe);
    // What was not there nobody has.
    yield made === undefined ? await lockOf(folder, subject) : ok(subject, `${folder} can be made and written`);
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    if (free < LITTLE_SPACE_BYTES) yield warning(subject, `only ${bytes(free)} are free at ${folder}`);
  } catch (error) {
    yield wrong(subject, `${folder} cannot be written: ${reasonOf(error)}`);
  } finally {
    if (made !== undefined) await removeEmpty(folder, made);
  }
}

async function lockOf(folder: string, subject: string): Promise<Finding> {
  try {
    const lock = await FolderLock.take(folder);
    await lock.release();
    return ok(subject, `${folder} can be written`);
  } catch (error) {
    if (!(error instanceof FolderInUseError)) throw error;
    return warning(subject, `${folder} can be written, and is ${error.message}`);
  }
}

/** The topmost path that is not there yet, of this one and the folders above it; undefined when all are. */
export async function firstMade(folder: string): Promise<string | undefined> {
  let missing: string | undefined;
  for (let path = folder; ; path = dirname(path)) {
    const there = await access(path, constants.F_OK).then(
      () => true,
      () => false,
    );
    if (there) return missing;
    missing = path;
    if (path === dirname(path)) return missing;
  }
}

/** From the folder up to the one that was made first, as far as they are empty. */
export async function removeEmpty(folder: string, first: string): Promise<void> {
  for (let path = folder; ; path = dirname(path)) {
    const removed = await rmdir(path).then(
      () => true,
      () => false,
    );
    if (!removed || path === first) return;
  }
}

/** Are the ports free, or used by a server of ours? */
export async function* checkPorts(configuration: ServerConfiguration): AsyncGenerator<Finding> {
  const { host, httpPort, httpsPort, managementHost, managementPort } = configuration;
  const wanted = [
    { name: 'HTTP', host, port: httpPort },
    { name: 'HTTPS', host, port: httpsPort },
    { name: 'management', host: managementHost, port: managementPort },
  ];
  const running = await ownServer(configuration);
  for (const { name, host: address, port } of wanted) {
    const subject = `${name} port`;
    const code = await listenError(address, port);
    if (code === undefined) yield ok(subject, port === 0 ? 'any free one' : `${port} on ${address} is free`);
    else if (code === 'EADDRINUSE' && running?.has(port))
      yield warning(subject, `${port} is used by a mini-synapse that runs`);
    else if (code === 'EADDRINUSE') yield wrong(subject, `${port} on ${address} is taken by another program`);
    else yield wrong(subject, `cannot listen on ${address}:${port}: ${code}`);
  }
}

async function listenError(host: string, port: number): Promise<string | undefined> {
  const server = createServer();
  try {
    const listening = once(server, 'listening');
    server.listen(port, host);
    await listening;
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? reasonOf(error);
  } finally {
    if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

/** The ports of the server that answers at the configured management port; undefined when none of ours does. */
async function ownServer({ management, managementPort, managementHost, httpPort, httpsPort }: ServerConfiguration) {
  if (managementPort === 0) return undefined;
  const anywhere = managementHost === '0.0.0.0' || managementHost === '::';
  const host = anywhere ? '127.0.0.1' : managementHost;
  const written = host.includes(':') ? `[${host}]` : host;
  const base = new URL(`${management.tls ? 'https' : 'http'}://${written}:${managementPort}`);
  const client = new ManagementClient({ base, insecure: true });
  const answer = await client.open('GET', '/health/live', { deadlineMs: ANSWER_MS }).then(
    (reply) => {
      reply.resume();
      return true;
    },
    () => false,
  );
  return answer ? new Set([managementPort, httpPort, httpsPort]) : undefined;
}

/** What the configuration names and is not there. */
export async function* checkFiles({
  tls,
  trustedCertificatesFile,
  secrets,
}: ServerConfiguration): AsyncGenerator<Finding> {
  const named = [
    ['TLS key', tls?.keyFile],
    ['TLS certificate', tls?.certificateFile],
    ['trusted certificates', trustedCertificatesFile],
    ['secrets', secrets],
  ] as const;
  for (const [subject, path] of named) {
    if (path === undefined) continue;
    const found = await stat(path).catch((error: unknown) => reasonOf(error));
    yield typeof found === 'string' ? wrong(subject, found) : ok(subject, path);
  }
}
