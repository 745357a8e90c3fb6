import { basename } from 'node:path';
import { logger } from '../../logging/index.ts';
import { checkFile } from '../artifact-check.ts';
import { placeInFolder, placeOfArchive, removeArtifact, writeArtifact } from '../artifact-folder.ts';
import { formBody } from '../bodies.ts';
import { SEARCH_KEY } from '../list.ts';
import type { ManagedServer } from '../managed-server.ts';
import { ManagementError, notFound } from '../management-error.ts';
import { resource } from '../resource.ts';
import { COUNT, MESSAGE, object, TEXT } from '../schemas.ts';

const log = logger('CappDeployer');
const MAX_ARCHIVE_BYTES = 32 * 1024 * 1024;
const ROW = object({ name: TEXT, version: TEXT });
const LISTS = object({
  totalCount: COUNT,
  activeCount: COUNT,
  activeList: { type: 'array', items: ROW },
  faultyCount: COUNT,
  faultyList: { type: 'array', items: ROW },
});
const DETAIL = object({
  name: TEXT,
  version: TEXT,
  artifacts: { type: 'array', items: object({ name: TEXT, type: TEXT }) },
});

/** `GET /management/applications` (spec proxies 8.2, 8.3). */
export const readApplications = resource({
  method: 'GET',
  path: '/management/applications',
  role: 'viewer',
  summary: 'Carbon applications, or one of them with its artifacts',
  tag: 'applications',
  query: { carbonAppName: { type: 'string' }, searchKey: SEARCH_KEY },
  answers: { 200: { anyOf: [LISTS, DETAIL] }, 404: { type: 'object' } },
  answer({ query: { carbonAppName: name, searchKey } }, server) {
    const active = applications(server);
    if (name !== undefined) {
      const found = active.find((application) => application.name === name);
      const known = active.map((application) => application.name);
      if (!found) throw notFound(`Specified carbon application ('${name}') not found`, name, known);
      return {
        status: 200,
        body: { name, version: found.version, file: found.path, artifacts: artifactsOf(server, found.path) },
      };
    }
    const wanted = searchKey?.trim().toLowerCase() ?? '';
    const fits = (application: { name: string }) => application.name.toLowerCase().includes(wanted);
    const activeList = active
      .filter(fits)
      .map((application) => ({ name: application.name, version: application.version }));
    const faultyList = faulty(server).filter(fits);
    return {
      status: 200,
      body: {
        totalCount: activeList.length + faultyList.length,
        activeCount: activeList.length,
        activeList,
        faultyCount: faultyList.length,
        faultyList,
      },
    };
  },
});

/** `POST /management/applications`: one `.car` in a form (spec proxies 8.4). What cannot be deployed is refused. */
export const addApplication = resource({
  method: 'POST',
  path: '/management/applications',
  role: 'operator',
  summary: 'Deploys a Carbon application',
  tag: 'applications',
  body: formBody({
    maximumBytes: MAX_ARCHIVE_BYTES,
    schema: { type: 'object', properties: { file: { type: 'string', contentMediaType: 'application/octet-stream' } } },
  }),
  answers: { 200: MESSAGE, 409: { type: 'object' } },
  async answer({ body, audit }, server) {
    audit({ type: 'carbon_application', action: 'deployed' });
    const refuse = (why: string, details: readonly string[] = []) =>
      new ManagementError(400, `Error when deploying the Carbon Application. ${why}`, { details });
    const files = [...body.values()].filter((value) => typeof value !== 'string');
    const [file] = files;
    if (!file || files.length > 1) throw refuse('Exactly one file is expected');
    const name = basename(file.name);
    audit({ name });
    if (name !== file.name || !/\.car$/i.test(name)) throw refuse(`Only files with the extension .car are taken`);
    const place = await placeOfArchive(server, name);
    const bytes = await file.bytes();
    const { valid, problems } = await checkFile(server, name, bytes);
    if (!valid)
      throw refuse(
        'It cannot be deployed',
        problems.map(({ message }) => message),
      );
    await writeArtifact(place, bytes);
    log.info(`Successfully added Carbon Application : ${name}`);
    return { status: 200, body: { Message: `Successfully added Carbon Application ${name}` } };
  },
});

/** `DELETE /management/applications/{name}`: removes its archive (spec proxies 8.4). */
export const removeApplication = resource({
  method: 'DELETE',
  path: '/management/applications/{name}',
  role: 'operator',
  summary: 'Undeploys a Carbon application',
  tag: 'applications',
  answers: { 200: MESSAGE, 404: { type: 'object' }, 409: { type: 'object' } },
  async answer({ parameters: { name }, audit }, server) {
    audit({ type: 'carbon_application', action: 'undeployed', name });
    const active = applications(server);
    const paths = [...active.map(({ path }) => path), ...server.deployment.faulty().map(({ path }) => path)];
    const path =
      active.find((application) => application.name === name)?.path ??
      paths.find((candidate) => /\.car$/i.test(candidate) && basename(candidate).replace(/\.car$/i, '') === name);
    const known = active.map((application) => application.name);
    if (path === undefined) throw notFound(`Specified carbon application ('${name}') not found`, name, known);
    await removeArtifact(await placeInFolder(server, path), path);
    log.info(`Successfully removed Carbon Application : ${name}`);
    return { status: 200, body: { Message: `Successfully removed Carbon Application named ${name}` } };
  },
});

function applications({ deployment }: ManagedServer) {
  return [...deployment.applications()]
    .filter(([, { library }]) => !library)
    .map(([path, { name, version }]) => ({ path, name, version }));
}

function faulty({ deployment }: ManagedServer) {
  return deployment
    .faulty()
    .filter(({ path }) => /\.car$/i.test(path))
    .map(({ path }) => {
      const [, name = '', version = ''] = /^(.*?)(?:_([^_]*))?\.car$/i.exec(basename(path)) ?? [];
      return { name, version };
    });
}

function artifactsOf({ deployment }: ManagedServer, path: string) {
  return deployment.snapshot.artifacts
    .filter((running) => running.path === path)
    .map(({ artifact: { name, kind } }) => ({ name, type: kind }));
}
