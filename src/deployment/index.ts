export { Deployer, type DeployerOptions, type DeploymentRound, type FaultyFile } from './deployer.ts';
export { ArtifactFolder } from './folder.ts';
export type { ArtifactOpening, ArtifactRuntime, ArtifactRuntimes, CloseReason } from './runtime.ts';
export { artifactRuntimes, type RuntimeServices } from './runtimes.ts';
export { type RunningArtifact, Snapshot } from './snapshot.ts';
