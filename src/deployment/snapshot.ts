import type { Endpoint } from '../endpoints/endpoint.ts';
import type { Sequence } from '../mediation/sequence.ts';
import type { ArtifactKinds, Configuration, Services } from '../message/configuration.ts';
import { registryText } from '../message/entry.ts';
import { type Artifact, type ArtifactKind, eipTemplate } from '../synapse/index.ts';
import type { RegistryArtifactKind, RegistryArtifacts } from './registry-artifacts.ts';

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
  readonly #fromRegistry: RegistryArtifacts | undefined;

  /**
   * @param builtIn sequences that every configuration has unless an artifact has the name
   * @param fromRegistry reads what no artifact has the name of and a registry has under the key
   */
  constructor(
    version: number,
    services: Services,
    artifacts: readonly RunningArtifact[],
    builtIn: readonly Sequence[],
    fromRegistry?: RegistryArtifacts,
  ) {
    this.#fromRegistry = fromRegistry;
    this.version = version;
    this.services = services;
    this.artifacts = artifacts;
    this.#byKind = indexed(artifacts, builtIn);
  }

  find<K extends keyof ArtifactKinds>(kind: K, name: string): ArtifactKinds[K] | undefined {
    const found = this.#byKind.get(kind)?.get(name) ?? (kind === 'template' ? eipTemplate(name) : undefined);
    if (found === undefined && (kind === 'sequence' || kind === 'endpoint'))
      return this.#inRegistry(kind, name) as ArtifactKinds[K] | undefined;
    return found as ArtifactKinds[K] | undefined;
  }

  #inRegistry(kind: RegistryArtifactKind, key: string): Sequence | Endpoint | undefined {
    const text = this.#fromRegistry && registryText(this, key);
    return text === undefined ? undefined : this.#fromRegistry?.find(kind, key, text);
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
  const put = (kind: ArtifactKind | 'operation', name: string, running: unknown) => {
    if (running === undefined) return;
    const byName = index.get(kind);
    if (byName) byName.set(name, running);
    else index.set(kind, new Map([[name, running]]));
  };
  for (const sequence of builtIn) put('sequence', sequence.name ?? '', sequence);
  for (const { artifact, running } of artifacts) {
    put(artifact.kind, artifact.name, running);
    if (artifact.operation !== undefined) put('operation', artifact.operation, running);
    if (artifact.kind !== 'localEntry') continue;
    put('sequence', artifact.name, artifact.content.sequence);
    put('endpoint', artifact.name, artifact.content.endpoint);
  }
  return index;
}
