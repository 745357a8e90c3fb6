import { type Diagnostic, nearestName } from '../grammar/diagnostic.ts';
import type { Reference, ReferenceKind } from '../grammar/reader.ts';
import { type Artifact, type ArtifactKind, describeArtifact } from '../synapse/index.ts';
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
 */
export function danglingReferences(
  served: ReadonlyMap<string, ServedArtifact>,
  builtIn: readonly string[],
): DanglingReference[] {
  const names = namesByKind(served, builtIn);
  const dangling: DanglingReference[] = [];
  for (const { path, artifact } of served.values()) {
    for (const reference of artifact.references) {
      const known = names.get(reference.kind);
      if (!known?.has(reference.name))
        dangling.push({ path, diagnostic: toDiagnostic(reference, artifact, known ?? []) });
    }
  }
  return dangling;
}

function toDiagnostic(reference: Reference, artifact: Artifact, known: Iterable<string>): Diagnostic {
  const nearest = nearestName(reference.name, known);
  return {
    severity: 'warning',
    position: reference.position,
    message: `${describeArtifact(artifact)} refers to ${describeArtifact(reference)}, which is not deployed`,
    ...(nearest && { nearest }),
  };
}

/** Entry points are found by clients and clocks, not by names in other artifacts. */
function isReferable(kind: ArtifactKind): kind is ArtifactKind & ReferenceKind {
  return kind !== 'proxy' && kind !== 'api' && kind !== 'task' && kind !== 'inboundEndpoint';
}

function namesByKind(
  served: ReadonlyMap<string, ServedArtifact>,
  builtIn: readonly string[],
): ReadonlyMap<ReferenceKind, Set<string>> {
  const names = new Map<ReferenceKind, Set<string>>([['sequence', new Set(builtIn)]]);
  const add = (kind: ReferenceKind, name: string) => {
    const known = names.get(kind);
    if (known) known.add(name);
    else names.set(kind, new Set([name]));
  };
  for (const { artifact } of served.values()) {
    if (isReferable(artifact.kind)) add(artifact.kind, artifact.name);
    if (artifact.kind !== 'localEntry') continue;
    if (artifact.content.sequence) add('sequence', artifact.name);
    if (artifact.content.endpoint) add('endpoint', artifact.name);
  }
  return names;
}
