import type { RunningArtifact } from '../deployment/index.ts';
import { ConfigElement } from '../grammar/element.ts';
import { maskedSource } from '../grammar/masked-source.ts';
import type { Artifact, ArtifactKind } from '../synapse/index.ts';
import { parseXml, serializeXml } from '../xml/index.ts';
import type { ManagedServer } from './managed-server.ts';

/** Where an artifact comes from, as lists say it. */
export interface ArtifactPlace {
  /** Relative to the artifact folder; of a composite application `App.car!/path`. */
  readonly file: string;
  readonly line: number;
}

/** The artifact with its running object; undefined for what no file brings, as the built-in `main`. */
export function deployedArtifact(
  { deployment }: Pick<ManagedServer, 'deployment'>,
  kind: ArtifactKind,
  name: string,
): RunningArtifact | undefined {
  return indexOf(deployment.snapshot).get(`${kind} ${name}`);
}

type Snapshot = ManagedServer['deployment']['snapshot'];

/** Lists of thousands ask for the place of each row. */
const indexes = new WeakMap<Snapshot, ReadonlyMap<string, RunningArtifact>>();

function indexOf(snapshot: Snapshot): ReadonlyMap<string, RunningArtifact> {
  let index = indexes.get(snapshot);
  if (!index) {
    index = new Map(
      snapshot.artifacts.map((running) => [`${running.artifact.kind} ${running.artifact.name}`, running]),
    );
    indexes.set(snapshot, index);
  }
  return index;
}

export function placeOf({ path, artifact }: Pick<RunningArtifact, 'path' | 'artifact'>): ArtifactPlace {
  const { file, line } = artifact.position;
  const inside = file.indexOf('!/');
  return { file: inside < 0 ? path : path + file.slice(inside), line };
}

/** File and line of an artifact by kind and name, where it has any. */
export function placeNamed(
  server: Pick<ManagedServer, 'deployment'>,
  kind: ArtifactKind,
  name: string,
): Partial<ArtifactPlace> {
  const found = deployedArtifact(server, kind, name);
  return found ? placeOf(found) : {};
}

/** `[ Deployed From Artifact Container: App ] `, as the reference says it (spec proxies 9.1). */
export function containerOf(
  { deployment }: Pick<ManagedServer, 'deployment'>,
  { path }: Pick<RunningArtifact, 'path'>,
): string | undefined {
  const application = deployment.applications().get(path);
  return application && `[ Deployed From Artifact Container: ${application.name} ] `;
}

/** The XML of one artifact, also where others stand in its file; secrets are masked. */
export function configurationOf(artifact: Artifact): string {
  const { source, position } = artifact;
  // What is deployed has been parsed before.
  const root = parseXml(source.text).documentElement;
  if (!root) return '';
  const element = new ConfigElement(root, source);
  const isIt = ({ position: { line, column } }: ConfigElement) => line === position.line && column === position.column;
  const found = isIt(element) ? element : element.children.find(isIt);
  return maskedSource(serializeXml((found ?? element).node));
}

/** `configuration` of an artifact's detail; nothing for what no file brings. */
export function configurationNamed(
  server: Pick<ManagedServer, 'deployment'>,
  kind: ArtifactKind,
  name: string,
): { readonly configuration?: string } {
  const found = deployedArtifact(server, kind, name);
  return found ? { configuration: configurationOf(found.artifact) } : {};
}
