import type { ArtifactVersion } from '../../deployment/artifact-versions.ts';
import { unifiedDiff } from '../../deployment/unified-diff.ts';
import { maskedSource } from '../../grammar/masked-source.ts';
import { checkFile } from '../artifact-check.ts';
import { jsonBody } from '../bodies.ts';
import { listing, listOf } from '../list.ts';
import type { ManagedServer } from '../managed-server.ts';
import { ERROR, ManagementError, notFound } from '../management-error.ts';
import { resource } from '../resource.ts';
import { BOOLEAN, COUNT, object, TEXT, TIME } from '../schemas.ts';
import { CHANGED, writeChecked } from './artifacts.ts';

const TAG = 'artifacts';
const FILE = {
  type: 'string',
  required: true,
  maxLength: 1000,
  description: 'Relative to the artifact folder',
} as const;
const NUMBER = { type: 'integer', minimum: 1 } as const;

const VERSION = object({
  version: NUMBER,
  time: TIME,
  deployment: COUNT,
  result: { enum: ['deployed', 'faulty', 'removed'] },
  chars: COUNT,
  kept: { ...BOOLEAN, description: 'Is its text kept, so that it can be shown and rolled back to?' },
  current: BOOLEAN,
});

/** `GET /management/artifacts/versions`: what a file was, newest first (OP-36). */
export const readVersions = resource({
  method: 'GET',
  path: '/management/artifacts/versions',
  role: 'viewer',
  summary: 'The versions of an artifact file, newest first, and which of them was the last good one',
  tag: TAG,
  query: { file: FILE },
  answers: { 200: listOf(VERSION, { lastGood: NUMBER }), 404: ERROR },
  async answer({ query: { file } }, server) {
    const versions = await versionsOf(server, file);
    const lastGood = server.deployment.versions.lastGood(file)?.number;
    const list = versions.map((version, index) => ({ ...viewOf(version), current: index === 0 }));
    return { status: 200, body: { ...listing(list), file, ...(lastGood !== undefined && { lastGood }) } };
  },
});

/** `GET /management/artifacts/diff`: what changed between two versions, as `diff -u` says it; secrets masked. */
export const readDiff = resource({
  method: 'GET',
  path: '/management/artifacts/diff',
  role: 'viewer',
  summary: 'The difference of two versions of an artifact file as unified text',
  tag: TAG,
  query: {
    file: FILE,
    from: { ...NUMBER, description: 'Default: the version before the other one' },
    to: { ...NUMBER, description: 'Default: the newest version' },
  },
  answers: {
    200: object({
      file: TEXT,
      from: COUNT,
      to: NUMBER,
      added: COUNT,
      removed: COUNT,
      onlySecretsDiffer: { ...BOOLEAN, description: 'Is nothing shown, as the differences are in secrets?' },
      diff: TEXT,
    }),
    404: ERROR,
    409: ERROR,
  },
  async answer({ query: { file, from, to } }, server) {
    const versions = await versionsOf(server, file);
    const after = to === undefined ? versions[0] : versions.find(({ number }) => number === to);
    if (!after) throw noVersion(file, to);
    const before =
      from === undefined
        ? versions.find(({ number }) => number < after.number)
        : versions.find(({ number }) => number === from);
    if (!before && from !== undefined) throw noVersion(file, from);
    const [left, right] = [before ? textOf(before) : '', textOf(after)];
    const { text, added, removed } = unifiedDiff(maskedSource(left), maskedSource(right));
    const onlySecretsDiffer = text === '' && left !== right;
    const head = text === '' ? '' : `--- ${file}\t${labelOf(before)}\n+++ ${file}\t${labelOf(after)}\n`;
    const numbers = { from: before?.number ?? 0, to: after.number };
    return { status: 200, body: { file, ...numbers, added, removed, onlySecretsDiffer, diff: head + text } };
  },
});

/** `POST /management/artifacts/rollback`: a version is written again, as an upload of it would be (OP-36). */
export const rollBack = resource({
  method: 'POST',
  path: '/management/artifacts/rollback',
  role: 'operator',
  summary: 'Writes an earlier version of an artifact file: the last good one, or the one that is named',
  tag: TAG,
  body: jsonBody<{ readonly file: string; readonly version?: number }>({
    type: 'object',
    required: ['file'],
    properties: { file: { type: 'string', minLength: 1, maxLength: 1000 }, version: NUMBER },
    additionalProperties: false,
  }),
  answers: { 200: CHANGED, 404: ERROR, 409: ERROR },
  async answer({ body: { file, version }, audit, signal }, server) {
    audit({ type: 'artifact', action: 'rolled back', name: file, detail: `to ${versionText(version)}` });
    const [newest] = await versionsOf(server, file);
    const { versions } = server.deployment;
    const target = version === undefined ? versions.lastGood(file) : versions.find(file, version);
    if (!target && version === undefined) throw new ManagementError(409, `'${file}' has no other good version`);
    if (!target) throw noVersion(file, version);
    if (target.result === 'removed') throw new ManagementError(409, `Version ${target.number} is the file's removal`);
    audit({ detail: `from version ${newest?.number} to version ${target.number}` });
    const bytes = Buffer.from(asUtf8(textOf(target)));
    // What is there already would not be deployed again, and waited for in vain.
    const changed =
      target.hash === newest?.hash
        ? { file, state: newest.result, ...(await checkFile(server, file, bytes)) }
        : await writeChecked(server, { path: file, body: bytes, signal });
    return { status: 200, body: { ...changed, version: target.number } };
  },
});

/** @throws ManagementError 404 */
async function versionsOf({ deployment }: ManagedServer, file: string): Promise<readonly ArtifactVersion[]> {
  await deployment.versions.settled();
  const versions = deployment.versions.of(file);
  if (versions.length === 0)
    throw notFound(`There are no versions of a file '${file}'`, file, deployment.versions.files());
  return versions;
}

function viewOf({ number, time, deployment, result, chars, text }: ArtifactVersion) {
  return {
    version: number,
    time: new Date(time).toISOString(),
    deployment,
    result,
    chars,
    kept: text !== undefined,
  };
}

/** @throws ManagementError 409 for a version whose text is not kept */
function textOf({ number, result, text }: ArtifactVersion): string {
  if (text === undefined && result !== 'removed')
    throw new ManagementError(
      409,
      `The text of version ${number} is not kept: it was too large, or it is too long ago`,
    );
  return text ?? '';
}

function noVersion(file: string, version: number | undefined): ManagementError {
  return new ManagementError(404, `There is no version ${version} of '${file}'`);
}

function versionText(version: number | undefined): string {
  return version === undefined ? 'the last good version' : `version ${version}`;
}

function labelOf(version: ArtifactVersion | undefined): string {
  return version ? `version ${version.number}, ${new Date(version.time).toISOString()}` : 'not there';
}

/** Texts are kept decoded and written as UTF-8: so the declaration has to say. */
function asUtf8(text: string): string {
  return text.replace(/^(<\?xml\s[^>]*?\sencoding\s*=\s*)(?:"[^"]*"|'[^']*')/, '$1"UTF-8"');
}
