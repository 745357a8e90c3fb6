import type { ArtifactKinds } from '../message/configuration.ts';
import type { ArtifactContents, ArtifactKind } from '../synapse/index.ts';

/** What {@link ArtifactRuntime.open} is given. */
export interface ArtifactOpening<K extends ArtifactKind> {
  readonly definition: ArtifactContents[K];
  /** The running artifact of the same name and kind that this one replaces. */
  readonly previous: ArtifactKinds[K] | undefined;
  /** Part of the first deployment, before the server accepts work. */
  readonly boot: boolean;
}

/**
 * - `replaced`: another definition of the same name has taken its place.
 * - `undeployed`: its artifact is gone.
 * - `shutdown`: the server ends.
 */
export type CloseReason = 'replaced' | 'undeployed' | 'shutdown';

/**
 * The life of one kind of artifact: opened before the snapshot that contains it is published, started after that, closed after a
 * later snapshot without it was published. An artifact whose definition did not change is carried over untouched (OP-34).
 */
export interface ArtifactRuntime<K extends ArtifactKind> {
  /**
   * Makes the running artifact, at rest. Must not wait for anything outside. Undefined: not on this server.
   * @throws when it cannot be had; the previous one stays, and the problem is reported with the artifact's file
   */
  open(opening: ArtifactOpening<K>): ArtifactKinds[K] | undefined;
  /** Lets it work. Of a replaced artifact, the new one is started before the old one is closed. */
  start?(running: ArtifactKinds[K]): Promise<void>;
  /** Ends it within a bounded time. */
  close?(running: ArtifactKinds[K], reason: CloseReason): Promise<void>;
}

export type ArtifactRuntimes = { readonly [K in ArtifactKind]: ArtifactRuntime<K> };
