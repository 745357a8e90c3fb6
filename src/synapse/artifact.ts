import type { Endpoint } from '../endpoints/endpoint.ts';
import type { EndpointTemplate } from '../endpoints/template-endpoint.ts';
import type { ArtifactSource, Position } from '../grammar/diagnostic.ts';
import type { Reference } from '../grammar/reader.ts';
import type { InboundEndpointDefinition } from '../inbound/component.ts';
import type { EventSource } from '../mediation/event-source.ts';
import type { PriorityExecutorDefinition } from '../mediation/priority-executor.ts';
import type { ProxyDefinition } from '../mediation/proxy-service.ts';
import type { Sequence } from '../mediation/sequence.ts';
import type { SequenceTemplate } from '../mediation/sequence-template.ts';
import type { RegistryDefinition } from '../registry/url-registry.ts';
import { type ApiDefinition, pathPrefix } from '../rest/rest-api.ts';
import type { TaskDefinition } from '../tasks/task.ts';
import type { ImportDefinition } from './import.ts';
import type { LocalEntryDefinition } from './local-entry.ts';
import type { MessageProcessorDefinition } from './message-processor.ts';
import type { MessageStoreDefinition } from './message-store.ts';

/** What each kind of artifact is read into. */
export interface ArtifactContents {
  registry: RegistryDefinition;
  import: ImportDefinition;
  eventSource: EventSource;
  localEntry: LocalEntryDefinition;
  template: EndpointTemplate | SequenceTemplate;
  endpoint: Endpoint;
  sequence: Sequence;
  priorityExecutor: PriorityExecutorDefinition;
  messageStore: MessageStoreDefinition;
  messageProcessor: MessageProcessorDefinition;
  proxy: ProxyDefinition;
  api: ApiDefinition;
  task: TaskDefinition;
  inboundEndpoint: InboundEndpointDefinition;
}

/** The kinds that are deployed, by their element names. */
export type ArtifactKind = keyof ArtifactContents;

/** All kinds, in the order in which they come up: what others use comes first (spec proxies 7.2). */
export const ARTIFACT_KINDS = [
  'import',
  'registry',
  'localEntry',
  'template',
  'endpoint',
  'sequence',
  'priorityExecutor',
  'eventSource',
  'messageStore',
  'messageProcessor',
  'proxy',
  'task',
  'api',
  'inboundEndpoint',
] as const satisfies readonly ArtifactKind[];

const SHARING: readonly ArtifactKind[] = ['localEntry', 'template', 'endpoint', 'sequence'];

/** One artifact as read from its file. */
export type Artifact = { [K in ArtifactKind]: ArtifactOf<K> }[ArtifactKind];

export interface ArtifactOf<K extends ArtifactKind> {
  readonly kind: K;
  /** Its `name`, of a local entry its `key`. */
  readonly name: string;
  readonly position: Position;
  /** The text that it was read from, other artifacts of its file included. */
  readonly source: ArtifactSource;
  /** Equal for equal definitions: namespaces in scope and everything looked up included, place and comments not. */
  readonly hash: string;
  /** The names it refers to. */
  readonly references: readonly Reference[];
  readonly content: ArtifactContents[K];
  /** Of a template of a connector: the operation that it is, as `library.operation`. */
  readonly operation?: string;
}

/**
 * Sequences, endpoints, templates and local entries share one space of names; the other kinds have one each (spec proxies 6.6, 7.4,
 * REQ-6).
 */
export function artifactKey(kind: ArtifactKind, name: string): string {
  return `${SHARING.includes(kind) ? 'entry' : kind} ${name}`;
}

/**
 * All that an artifact claims for itself: its name, and of an API its context with its version, which no other API may have (spec
 * proxies 6.1).
 */
export function claimedKeys(artifact: Artifact): readonly string[] {
  const key = artifactKey(artifact.kind, artifact.name);
  if (artifact.kind !== 'api') return [key];
  const { hostname = '', port = '', version } = artifact.content;
  const place = `${hostname}:${port}${pathPrefix(artifact.content)} ${version?.name ?? ''}`;
  return [key, `api context ${place}`];
}

/** `proxy 'StockQuoteProxy'`, for messages. */
export function describeArtifact(artifact: { readonly kind: string; readonly name: string }): string {
  return `${artifact.kind} '${artifact.name}'`;
}
