import type { RunningArtifact } from '../../deployment/index.ts';
import { hasMaskedSecrets, maskedSource } from '../../grammar/masked-source.ts';
import { counted } from '../../logging/counted.ts';
import { decodeXml, XmlSyntaxError } from '../../xml/index.ts';
import { checkFile, PROBLEM, problemsOf } from '../artifact-check.ts';
import { deployedSince, placeInFolder, removeArtifact, writeArtifact } from '../artifact-folder.ts';
import { placeOf } from '../artifact-places.ts';
import { bytesBody } from '../bodies.ts';
import { LIST_QUERY, listing, listOf, partOf, partsOf } from '../list.ts';
import type { ManagedServer } from '../managed-server.ts';
import { ManagementError, notFound } from '../management-error.ts';
import { resource } from '../resource.ts';
import { BOOLEAN, COUNT, object, TEXT, TEXTS, TIME } from '../schemas.ts';

const XML_TYPES = ['application/xml', 'text/xml'];
const MAX_ARTIFACT_BYTES = 4 * 1024 * 1024;
/** What the archive of a connector is sent as. */
const ARCHIVE_TYPES = ['application/zip', 'application/octet-stream'];
const MAX_ARCHIVE_BYTES = 32 * 1024 * 1024;
const PROBLEMS = { type: 'array', items: PROBLEM } as const;
const PLACED = { type: 'array', items: object({ kind: TEXT, name: TEXT, line: COUNT }) } as const;

const ROW = object(
  {
    kind: TEXT,
    name: TEXT,
    file: TEXT,
    line: COUNT,
    state: { enum: ['deployed', 'faulty'] },
    revision: COUNT,
    problems: PROBLEMS,
    warnings: TEXTS,
  },
  { deployedAt: TIME },
);

/** `GET /management/artifacts`: all that is deployed, and the files that are faulty (OP-35). */
export const readArtifacts = resource({
  method: 'GET',
  path: '/management/artifacts',
  role: 'viewer',
  summary: 'Artifacts with their files, revisions and problems',
  tag: 'artifacts',
  query: {
    kind: { type: 'string' },
    problems: { type: 'boolean', default: false, description: 'Only those with errors or warnings' },
    ...LIST_QUERY,
    searchKey: { type: 'string', description: 'Only those whose name, kind or file contains this text, in any case' },
  },
  answers: { 200: partsOf(ROW) },
  answer({ query: { kind, searchKey, problems, ...wanted } }, server) {
    const text = searchKey?.trim().toLowerCase() ?? '';
    const fits = (row: { readonly kind: string; readonly name: string; readonly file: string }) =>
      (kind === undefined || row.kind === kind) &&
      [row.name, row.file, row.kind].some((value) => value.toLowerCase().includes(text));
    const deployed = deployedRow(server);
    // A row is made when it is asked for: of thousands, only those of a page.
    const found = [
      ...server.deployment.snapshot.artifacts
        .filter((running) => fits({ ...running.artifact, file: placeOf(running).file }))
        .map((running) => () => deployed(running)),
      ...faultyRows(server)
        .filter(fits)
        .map((row) => () => row),
    ];
    if (!problems) {
      const { part, beside } = partOf(found, wanted);
      return {
        status: 200,
        body: listing(
          part.map((row) => row()),
          beside,
        ),
      };
    }
    const wrong = found.map((row) => row()).filter((row) => row.problems.length > 0 || row.state === 'faulty');
    const { part, beside } = partOf(wrong, wanted);
    return { status: 200, body: listing(part, beside) };
  },
});

function deployedRow(server: ManagedServer) {
  const { deployment } = server;
  const reports = deployment.reports();
  const dangling = Map.groupBy(deployment.dangling(), ({ path }) => path);
  return (running: RunningArtifact) => {
    const { artifact, path } = running;
    const { kind, name } = artifact;
    const life = deployment.history.lifeOf(kind, name);
    const report = reports.get(path);
    const within = (line: number) => artifactAt(server, path, line) === running.key;
    const diagnostics = [
      ...(report?.diagnostics ?? []),
      ...(dangling.get(path) ?? []).map(({ diagnostic }) => diagnostic),
    ];
    const own = diagnostics.filter(({ severity, position }) => severity === 'warning' && within(position.line));
    return {
      kind,
      name,
      ...placeOf(running),
      state: 'deployed' as const,
      ...(life && { deployedAt: new Date(life.deployedAt).toISOString() }),
      revision: life?.revision ?? 1,
      warnings: own.map(({ message }) => message),
      problems: problemsOf(own, report?.reading),
    };
  };
}

/** Which artifact of a file a line belongs to: the last one that begins there or before. */
function artifactAt({ deployment }: ManagedServer, path: string, line: number): string | undefined {
  let best: { key: string; line: number } | undefined;
  for (const { key, path: own, artifact } of deployment.snapshot.artifacts) {
    if (own !== path || artifact.position.line > line) continue;
    if (!best || artifact.position.line >= best.line) best = { key, line: artifact.position.line };
  }
  return best?.key;
}

function faultyRows({ deployment }: ManagedServer) {
  const reports = deployment.reports();
  return deployment.faulty().map(({ path, diagnostics, since, serves }) => {
    const reading = reports.get(path)?.reading;
    return {
      kind: reading?.root ?? 'file',
      name: path.slice(path.lastIndexOf('/') + 1).replace(/\.\w+$/, ''),
      file: path,
      line: diagnostics[0]?.position.line ?? 1,
      state: 'faulty' as const,
      deployedAt: new Date(since).toISOString(),
      revision: 0,
      warnings: serves ? ['What is good of it, or its last good version, is served'] : [],
      problems: problemsOf(diagnostics, reading),
    };
  });
}

/** `GET /management/artifacts/source`: the text of a file, secrets masked. */
export const readSource = resource({
  method: 'GET',
  path: '/management/artifacts/source',
  role: 'viewer',
  summary: 'The text of an artifact file',
  tag: 'artifacts',
  query: { file: { type: 'string', required: true, maxLength: 1000 } },
  answers: { 200: object({ file: TEXT, text: TEXT, artifacts: PLACED, problems: PROBLEMS }), 404: { type: 'object' } },
  answer({ query: { file } }, server) {
    const source = sourceOf(server, file);
    if (!source) throw notFound(`There is no artifact file '${file}'`, file, server.deployment.reports().keys());
    const artifacts = server.deployment.snapshot.artifacts
      .filter((running) => placeOf(running).file === source.file)
      .map(({ artifact: { kind, name, position } }) => ({ kind, name, line: position.line }));
    const report = server.deployment.reports().get(source.path);
    const problems = problemsOf(report?.diagnostics ?? [], report?.reading);
    return { status: 200, body: { file: source.file, text: maskedSource(source.text), artifacts, problems } };
  },
});

/** Only what is, or was tried to be, deployed can be read: no path of the file system is opened. */
function sourceOf({ deployment }: ManagedServer, file: string) {
  const path = file.split('!/')[0] ?? file;
  for (const [own, { reading }] of deployment.reports()) {
    if (own === file || reading.source.file === file) return { file: own, path: own, text: reading.source.text };
  }
  const inside = deployment.snapshot.artifacts.find(
    (running) => placeOf(running).file === file || running.artifact.source.file === file,
  );
  return inside && { file: placeOf(inside).file, path, text: inside.artifact.source.text };
}

const CHECKED = { valid: BOOLEAN, problems: PROBLEMS, artifacts: PLACED };

/** `POST /management/artifacts/validate`: what would be wrong with a file (OP-35). */
export const validateArtifact = resource({
  method: 'POST',
  path: '/management/artifacts/validate',
  // What is wrong may tell the values of variables that the file asks for.
  role: 'operator',
  summary: 'What would be wrong with an artifact file, without deploying it',
  tag: 'artifacts',
  query: { file: { type: 'string', maxLength: 500, description: 'Where it would stand in the artifact folder' } },
  body: bytesBody(XML_TYPES, { maximumBytes: MAX_ARTIFACT_BYTES }),
  answers: { 200: object(CHECKED) },
  async answer({ body, query: { file } }, server) {
    const path = file === undefined || file === '' ? 'artifact.xml' : file;
    return { status: 200, body: await checkFile(server, path, body) };
  },
});

export const CHANGED = object({ file: TEXT, state: { enum: ['deployed', 'faulty', 'removed', 'pending'] } }, CHECKED);

/** `PUT /management/artifacts/files/{path}`: writes an .xml, or the .zip of a connector, that is valid, and waits until it is deployed. */
export const putArtifact = resource({
  method: 'PUT',
  path: '/management/artifacts/files/{path+}',
  role: 'operator',
  summary: 'Writes an artifact file, or the archive of a connector, when it is valid',
  tag: 'artifacts',
  body: bytesBody([...XML_TYPES, ...ARCHIVE_TYPES], { maximumBytes: MAX_ARCHIVE_BYTES }),
  answers: { 200: CHANGED, 409: { type: 'object' } },
  async answer({ parameters: { path }, body, audit, signal }, server) {
    audit({ type: 'artifact', action: 'deployed', name: path, detail: counted(body.byteLength, 'byte') });
    return { status: 200, body: await writeChecked(server, { path, body, signal }) };
  },
});

/** Writes a file that is valid, and waits until it is deployed. @throws ManagementError 400, 409, 413 */
export async function writeChecked(
  server: ManagedServer,
  { path, body, signal }: { readonly path: string; readonly body: Uint8Array; readonly signal: AbortSignal },
) {
  const file = await placeInFolder(server, path);
  if (!/\.zip$/i.test(path)) checkText(path, body);
  const checked = await checkFile(server, path, body);
  if (!checked.valid)
    throw new ManagementError(400, 'The file is not valid and was not written', { also: { ...checked } });
  const since = Date.now();
  await writeArtifact(file, body);
  const state = await stateAfter(server, path, since, signal);
  return { file: path, state, ...checked };
}

/** @throws ManagementError 400 for what is no .xml file, or lacks its secrets; 413 */
function checkText(path: string, body: Uint8Array): void {
  if (!/\.xml$/i.test(path))
    throw new ManagementError(
      400,
      'Only .xml files and .zip connectors are written here; POST /management/applications takes applications',
    );
  if (body.byteLength > MAX_ARTIFACT_BYTES)
    throw new ManagementError(413, `The file is larger than ${MAX_ARTIFACT_BYTES} bytes`);
  // The text as the API shows it, sent back: the secrets would be lost.
  if (hasMaskedSecrets(textOf(body)))
    throw new ManagementError(
      400,
      'The file has asterisks in place of secrets: write the secrets again, or what looks them up',
    );
}

/** `DELETE /management/artifacts/files/{path}`. */
export const deleteArtifact = resource({
  method: 'DELETE',
  path: '/management/artifacts/files/{path+}',
  role: 'operator',
  summary: 'Removes an artifact file: what it brings is undeployed',
  tag: 'artifacts',
  answers: { 200: CHANGED, 404: { type: 'object' }, 409: { type: 'object' } },
  async answer({ parameters: { path }, audit, signal }, server) {
    audit({ type: 'artifact', action: 'undeployed', name: path });
    const file = await placeInFolder(server, path);
    const since = Date.now();
    await removeArtifact(file, path);
    const removed = await deployedSince(server, path, since, signal);
    return { status: 200, body: { file: path, state: removed ? 'removed' : 'pending' } };
  },
});

async function stateAfter(server: ManagedServer, path: string, since: number, signal: AbortSignal) {
  // Unchanged content is not deployed again.
  if (!(await deployedSince(server, path, since, signal))) return isServed(server, path) ? 'deployed' : 'pending';
  return server.deployment.faulty().some((faulty) => faulty.path === path) ? 'faulty' : 'deployed';
}

function isServed({ deployment }: ManagedServer, path: string): boolean {
  return deployment.snapshot.artifacts.some((running) => running.path === path);
}

/** In its own encoding; none when it cannot be decoded, which the check of the file tells. */
function textOf(bytes: Uint8Array): string {
  try {
    return decodeXml(bytes);
  } catch (error) {
    if (error instanceof XmlSyntaxError) return '';
    throw error;
  }
}

/** `GET /management/deployments`: what was deployed when, newest first (OP-36). */
export const readDeployments = resource({
  method: 'GET',
  path: '/management/deployments',
  role: 'viewer',
  summary: 'Deployments, newest first',
  tag: 'artifacts',
  query: { limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 } },
  answers: {
    200: listOf(
      object({
        time: TIME,
        version: COUNT,
        files: TEXTS,
        result: { enum: ['deployed', 'faulty'] },
        events: { type: 'array', items: object({ event: TEXT, kind: TEXT, name: TEXT }) },
        problems: { type: 'array', items: object({ file: TEXT, problems: TEXTS }) },
      }),
    ),
  },
  answer({ query: { limit } }, { deployment }) {
    const list = deployment.history.list(limit).map(({ time, version, files, events, problems }) => ({
      time: new Date(time).toISOString(),
      version,
      files,
      result: problems.length > 0 ? 'faulty' : 'deployed',
      events,
      problems,
    }));
    return { status: 200, body: listing(list) };
  },
});
