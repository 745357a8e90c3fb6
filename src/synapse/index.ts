export { readApplication } from './application-reading.ts';
export {
  ARTIFACT_KINDS,
  type Artifact,
  type ArtifactContents,
  type ArtifactKind,
  type ArtifactOf,
  artifactKey,
  claimedKeys,
  describeArtifact,
} from './artifact.ts';
export { type ArtifactFileReading, failedReading, readArtifactFile } from './artifact-file.ts';
export { EIP_TEMPLATE_NAMES, eipTemplate } from './eip-library.ts';
export { type LocalEntryDefinition, readEntryText } from './local-entry.ts';
export { type ArtifactLookup, ENVIRONMENT_ONLY, type ResourceAnswer } from './lookup.ts';
export type { MessageProcessorDefinition } from './message-processor.ts';
export type { MessageStoreDefinition } from './message-store.ts';
export { strictly } from './strict.ts';
