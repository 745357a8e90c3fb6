import type { ArtifactFolder } from '../deployment/folder.ts';
import type { Deployer } from '../deployment/index.ts';
import type { ArtifactRuntimes } from '../deployment/runtime.ts';
import type { Observation } from '../observation/observation.ts';
import type { FileRegistry } from '../registry/file-registry.ts';

/** The parts of a server that its role among the workers is about. */
export interface WorkingServer {
  readonly deployer: Deployer;
  readonly folder: Pick<ArtifactFolder, 'look'>;
  readonly observation: Observation;
  readonly registry: FileRegistry;
}

/** The role of a server that is one of several workers; a server without one has everything to itself. */
export interface ServerPart {
  /** Does it have what can be there once only: data folder, stores, processors, tasks, inbound endpoints, management? */
  readonly owns: boolean;
  /** How artifacts are run in this role. */
  runtimes(all: ArtifactRuntimes): ArtifactRuntimes;
  /** Everything is deployed, and nothing is accepted yet. */
  begin(server: WorkingServer): Promise<void>;
  /** No request comes any more, and those that came have ended; resolves when other workers need its stores no more, in time or late. */
  drained(deadlineMs: number): Promise<void>;
  /** Ends what {@link begin} has begun. */
  close(): Promise<void>;
}
