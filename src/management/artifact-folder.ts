import { mkdir, realpath, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { isArchive, isArtifactFile } from '../deployment/artifact-files.ts';
import type { ManagedServer } from './managed-server.ts';
import { ManagementError } from './management-error.ts';
import { writeWholeFile } from './whole-file.ts';

const MAX_PATH_LENGTH = 500;
const MAX_DEPTH = 16;
/** How long an answer waits for the watcher to deploy what was written, ms. */
const DEPLOYMENT_MS = 5_000;
const LOOK_MS = 50;

/**
 * The place of an artifact file in the artifact folder.
 * @param path relative, with `/`
 * @throws ManagementError 400 for a path that leads out of the folder, or whose file would not be deployed; 409 where a single file is served
 */
export async function placeInFolder(server: ManagedServer, path: string): Promise<string> {
  const folder = await artifactFolder(server);
  const segments = path.split('/');
  const wrong =
    path.length > MAX_PATH_LENGTH || segments.length > MAX_DEPTH || segments.some((segment) => !isGoodSegment(segment));
  if (wrong) throw new ManagementError(400, `'${path.slice(0, 100)}' is no path inside the artifact folder`);
  if (!isArtifactFile(basename(path)))
    throw new ManagementError(400, `'${path}' would not be deployed: artifact files end in .xml, applications in .car`);
  const file = join(folder, ...segments);
  const existing = await nearestExisting(dirname(file));
  const real = await realpath(existing);
  // A link inside the folder may lead out of it.
  if (real !== folder && !real.startsWith(folder + sep))
    throw new ManagementError(400, `'${path}' lies outside of the artifact folder`);
  return file;
}

/** Writes a file as a whole, its folders too. @throws ManagementError 409 where a folder has the name */
export async function writeArtifact(file: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(file), { recursive: true }).catch((cause: unknown) => {
    throw new ManagementError(
      409,
      `There is a file where '${basename(dirname(file))}' should be a folder`,
      {},
      { cause },
    );
  });
  if ((await stat(file).catch(() => undefined))?.isDirectory())
    throw new ManagementError(409, `There is a folder of the name '${basename(file)}'`);
  await writeWholeFile(file, content);
}

/** @throws ManagementError 404 when there is no such file */
export async function removeArtifact(file: string, path: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) throw new ManagementError(404, `There is no artifact file '${path}'`);
  await rm(file);
}

/** Where an uploaded archive belongs: in `carbonapps` where there is such a folder (spec proxies 7.1). */
export async function placeOfArchive(server: ManagedServer, name: string): Promise<string> {
  if (!isArchive(name) || !isGoodSegment(name))
    throw new ManagementError(400, `'${name.slice(0, 100)}' is no name of an archive`);
  const folder = await artifactFolder(server);
  const own = await stat(join(folder, 'carbonapps')).catch(() => undefined);
  return placeInFolder(server, own?.isDirectory() ? `carbonapps/${name}` : name);
}

/**
 * Waits until a file's change was deployed, or found faulty; false when the watcher does not do that within five seconds, or at all.
 * @param since the version and time from before the change
 */
export async function deployedSince(
  server: ManagedServer,
  path: string,
  since: number,
  signal: AbortSignal,
): Promise<boolean> {
  if (!server.options.watch) return false;
  const deadline = performance.now() + DEPLOYMENT_MS;
  while (!signal.aborted && performance.now() < deadline) {
    const records = server.deployment.history.list(20);
    if (records.some(({ time, files }) => time >= since && files.includes(path))) return true;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return false;
}

async function artifactFolder({ options: { artifacts } }: ManagedServer): Promise<string> {
  const found = await stat(artifacts).catch(() => undefined);
  if (!found?.isDirectory()) throw new ManagementError(409, 'The server does not serve an artifact folder');
  return await realpath(artifacts);
}

function isGoodSegment(segment: string): boolean {
  return (
    segment !== '' &&
    !segment.startsWith('.') &&
    segment !== 'node_modules' &&
    !/[\\:\u0000-\u001f]/.test(segment) &&
    Buffer.byteLength(segment) <= 200
  );
}

async function nearestExisting(folder: string): Promise<string> {
  for (let candidate = folder; ; candidate = dirname(candidate)) {
    if (await stat(candidate).catch(() => undefined)) return candidate;
    if (dirname(candidate) === candidate) return candidate;
  }
}
