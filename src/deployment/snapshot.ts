import type { Sequence } from '../mediation/sequence.ts';
import type { ArtifactKinds, Configuration, Services } from '../message/configuration.ts';
import type { Artifact, ArtifactKind } from '../synapse/index.ts';

/** An artifact with the object that runs it; undefined when it is not run on this server. */
export interface RunningArtifact {
  readonly key: string;
  /** The file that it comes from, relative to the artifact directory. */
  readonly path: string;
  readonly artifact: Artifact;
  readonly running: ArtifactKinds[ArtifactKind] | undefined;
}

/** One immutable configuration: what is served from one moment to the next deployment. */
export class Snapshot implements Configuration {
  readonly version: number;
  readonly services: Services;
  /** All that is deployed, in the order in which it comes up. */
  readonly artifacts: readonly RunningArtifact[];
  readonly #byKind: ReadonlyMap<string, ReadonlyMap<string, unknown>>;

  /** @param builtIn sequences that every configuration has unless an artifact has the name */
  constructor(
    version: number,
    services: Services,
    artifacts: readonly RunningArtifact[],
    builtIn: readonly Sequence[],
  ) {
    this.version = version;
    this.services = services;
    this.artifacts = artifacts;
    this.#byKind = indexed(artifacts, builtIn);
  }

  find<K extends keyof ArtifactKinds>(kind: K, name: string): ArtifactKinds[K] | undefined {
    return this.#byKind.get(kind)?.get(name) as ArtifactKinds[K] | undefined;
  }

  /** The names of one kind, sorted; a sequence or endpoint inside a local entry counts under the entry's key. */
  names(kind: keyof ArtifactKinds): readonly string[] {
    return [...(this.#byKind.get(kind)?.keys() ?? [])].sort();
  }
}

function indexed(
  artifacts: readonly RunningArtifact[],
  builtIn: readonly Sequence[],
): ReadonlyMap<string, ReadonlyMap<string, unknown>> {
  const index = new Map<string, Map<string, unknown>>();
  const put = (kind: ArtifactKind, name: string, running: unknown) => {
    if (running === undefined) return;
    const byName = index.get(kind);
    if (byName) byName.set(name, running);
    else index.set(kind, new Map([[name, running]]));
  };
  for (const sequence of builtIn) put('sequence', sequence.name ?? '', sequence);
  for (const { artifact, running } of artifacts) {
    put(artifact.kind, artifact.name, running);
    if (artifact.kind !== 'localEntry') continue;
    put('sequence', artifact.name, artifact.content.sequence);
    put('endpoint', artifact.name, artifact.content.endpoint);
  }
  return index;
}
