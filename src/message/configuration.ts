/**
 * The artifacts that messages meet, by kind. Each folder that owns a kind adds it here by declaration merging:
 * `declare module '../message/configuration.ts' { interface ArtifactKinds { sequence: Sequence } }`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: filled by declaration merging
export interface ArtifactKinds {}

/** What the running parts of the server offer to mediators and endpoints (the HTTP sender, …); added to like {@link ArtifactKinds}. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by declaration merging
export interface Services {}

/**
 * One immutable configuration snapshot: what was deployed at one moment. A message keeps the snapshot that it started with
 * (OP-34), so a redeployment never changes the rules for a message in flight.
 */
export interface Configuration {
  /** Counts up with every deployment. */
  readonly version: number;
  readonly services: Services;
  find<K extends keyof ArtifactKinds>(kind: K, name: string): ArtifactKinds[K] | undefined;
  names(kind: keyof ArtifactKinds): readonly string[];
}
