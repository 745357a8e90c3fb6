import { BUILT_IN_CONNECTORS } from '../connectors/index.ts';
import { type Diagnostic, nearestName } from '../grammar/diagnostic.ts';
import type { Reference, ReferenceKind } from '../grammar/reader.ts';
import { type Artifact, type ArtifactKind, describeArtifact, EIP_TEMPLATE_NAMES } from '../synapse/index.ts';
import type { ServedArtifact } from './resolve-names.ts';

/** A reference to something that is not there: deploys, and fails per message until it is (REQ-12, OP-33, MREQ-4). */
export interface DanglingReference {
  /** The file of the artifact that refers. */
  readonly path: string;
  readonly diagnostic: Diagnostic;
}

/**
 * The static references of what is served that lead nowhere.
 * @param builtIn sequences that exist without an artifact
 * @param inRegistry is there a resource of that key?
 */
export function danglingReferences(
  served: ReadonlyMap<string, ServedArtifact>,
  builtIn: readonly string[],
  inRegistry: (key: string) => boolean = () => false,
): DanglingReference[] {
  const names = namesByKind(served, builtIn);
  const dangling: DanglingReference[] = [];
  for (const { path, artifact } of served.values()) {
    for (const reference of artifact.references) {
      const known = names.get(reference.kind);
      if (!known?.has(reference.name) && !inRegistry(reference.name))
        dangling.push({ path, diagnostic: toDiagnostic(reference, artifact, known ?? []) });
    }
  }
  return dangling;
}

function toDiagnostic(reference: Reference, artifact: Artifact, known: Iterable<string>): Diagnostic {
  const nearest = nearestName(reference.name, known);
  if (reference.kind === 'operation' || reference.kind === 'library')
    return missingConnector(reference, artifact, nearest);
  return {
    severity: 'warning',
    position: reference.position,
    message: `${describeArtifact(artifact)} refers to ${describeArtifact(reference)}, which is not deployed`,
    ...(nearest && { nearest }),
  };
}

function missingConnector(
  { kind, name, position }: Reference,
  artifact: Artifact,
  nearest: string | undefined,
): Diagnostic {
  const library = kind === 'library' ? name : name.slice(0, name.indexOf('.'));
  const what = kind === 'library' ? 'imports' : `uses the operation '${name}' of`;
  const builtIn = BUILT_IN_CONNECTORS.has(library);
  return {
    severity: 'warning',
    position,
    message: builtIn
      ? `${describeArtifact(artifact)} ${what} the connector '${library}', whose built-in form does not have it: messages fail there`
      : `${describeArtifact(artifact)} ${what} the connector '${library}', which is not deployed`,
    expected: builtIn
      ? `one of: ${[...(BUILT_IN_CONNECTORS.get(library)?.operations.keys() ?? [])].join(', ')}`
      : "the connector's archive (.zip), unpacked or not, in the artifact folder, or an application (.car) that brings it; " +
        'operations made of Java code need a sequence of your own',
    ...(nearest && { nearest }),
  };
}

/** Entry points are found by clients and clocks, not by names in other artifacts. */
function isReferable(kind: ArtifactKind): kind is ArtifactKind & ReferenceKind {
  return (
    kind !== 'proxy' &&
    kind !== 'api' &&
    kind !== 'task' &&
    kind !== 'inboundEndpoint' &&
    kind !== 'import' &&
    kind !== 'registry'
  );
}

function namesByKind(
  served: ReadonlyMap<string, ServedArtifact>,
  builtIn: readonly string[],
): ReadonlyMap<ReferenceKind, Set<string>> {
  const names = new Map<ReferenceKind, Set<string>>([
    ['sequence', new Set(builtIn)],
    ['template', new Set(EIP_TEMPLATE_NAMES)],
    ['library', new Set(BUILT_IN_CONNECTORS.keys())],
  ]);
  const add = (kind: ReferenceKind, name: string) => {
    const known = names.get(kind);
    if (known) known.add(name);
    else names.set(kind, new Set([name]));
  };
  for (const { artifact } of served.values()) {
    if (isReferable(artifact.kind)) add(artifact.kind, artifact.name);
    if (artifact.operation !== undefined) {
      add('operation', artifact.operation);
      add('library', artifact.operation.slice(0, artifact.operation.indexOf('.')));
    }
    if (artifact.kind !== 'localEntry') continue;
    if (artifact.content.sequence) add('sequence', artifact.name);
    if (artifact.content.endpoint) add('endpoint', artifact.name);
  }
  return names;
}
