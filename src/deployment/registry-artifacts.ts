import type { Endpoint } from '../endpoints/endpoint.ts';
import { formatDiagnostic } from '../grammar/diagnostic.ts';
import { ArtifactReader } from '../grammar/reader.ts';
import { logger } from '../logging/index.ts';
import type { Sequence } from '../mediation/sequence.ts';
import { type ArtifactLookup, type LocalEntryDefinition, readEntryText } from '../synapse/index.ts';

const log = logger('RegistryResources');
const MAX_KNOWN = 1_000;

/** A sequence or an endpoint, by its element name. */
export type RegistryArtifactKind = 'sequence' | 'endpoint';

interface Known {
  readonly text: string;
  readonly definition: LocalEntryDefinition;
}

/**
 * Sequences and endpoints that are resources of a registry, referred to by their keys (samples 9 and 10): read when a message first asks
 * for them, and again when their text has changed. What is in use keeps its state over deployments.
 */
export class RegistryArtifacts {
  readonly #lookup: ArtifactLookup;
  readonly #known = new Map<string, Known>();

  constructor(lookup: ArtifactLookup) {
    this.#lookup = lookup;
  }

  /** @param text what the registry holds under the key */
  find(kind: 'sequence', key: string, text: string): Sequence | undefined;
  find(kind: 'endpoint', key: string, text: string): Endpoint | undefined;
  find(kind: RegistryArtifactKind, key: string, text: string): Sequence | Endpoint | undefined;
  find(kind: RegistryArtifactKind, key: string, text: string): Sequence | Endpoint | undefined {
    const known = this.#known.get(key);
    if (known?.text === text) return known.definition[kind];
    const definition = this.#read(key, text);
    this.#known.delete(key);
    this.#known.set(key, { text, definition });
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    return definition[kind];
  }

  /** What is wrong with it is told once; such a resource is none. */
  #read(key: string, text: string): LocalEntryDefinition {
    const reader = new ArtifactReader(this.#lookup);
    const source = { file: key, text };
    const definition = readEntryText(key, source, reader);
    for (const diagnostic of reader.diagnostics) {
      const line = formatDiagnostic(diagnostic, source);
      if (diagnostic.severity === 'error') log.error(line);
      else log.warn(line);
    }
    return reader.failed ? { ...definition, sequence: undefined, endpoint: undefined } : definition;
  }
}
