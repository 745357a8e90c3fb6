import type { ConfigElement } from '../grammar/element.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import { readSequence } from '../mediation/read-sequence.ts';
import { readApi } from './api.ts';
import type { ArtifactContents, ArtifactKind } from './artifact.ts';
import { readNamedEndpoint } from './endpoint.ts';
import { readEventSource } from './event-source.ts';
import { readImport } from './import.ts';
import { readInboundEndpoint } from './inbound-endpoint.ts';
import { readLocalEntry } from './local-entry.ts';
import type { ArtifactLookup } from './lookup.ts';
import { readMessageProcessor } from './message-processor.ts';
import { readMessageStore } from './message-store.ts';
import { readPriorityExecutor } from './priority-executor.ts';
import { readProxy } from './proxy.ts';
import { readRegistry } from './registry.ts';
import { readTask } from './task.ts';
import { readTaskManager } from './task-manager.ts';
import { readTemplate } from './template.ts';

/** An artifact's name and what it was read into. */
export interface ReadArtifact<K extends ArtifactKind> {
  readonly name: string;
  readonly content: ArtifactContents[K];
}

type KindReader<K extends ArtifactKind> = (
  element: ConfigElement,
  reader: ArtifactReader,
  lookup: ArtifactLookup,
) => ReadArtifact<K> | undefined;

/** Element name → how it is read. A new kind of artifact is one file beside this one and one line here. */
const READERS: { readonly [K in ArtifactKind]: KindReader<K> } = {
  registry: (element, reader) => named(readRegistry(element, reader)),
  import: (element, reader) => named(readImport(element, reader)),
  eventSource: (element, reader) => named(readEventSource(element, reader)),
  localEntry: (element, reader, lookup) => {
    const content = readLocalEntry(element, reader, lookup);
    return content && { name: content.entry.key, content };
  },
  template: (element, reader) => named(readTemplate(element, reader)),
  endpoint: (element, reader) => {
    const content = readNamedEndpoint(element, reader);
    return content && { name: content.name ?? '', content };
  },
  sequence: (element, reader) => {
    const content = readSequence(element, reader);
    return content && { name: content.name ?? '', content };
  },
  priorityExecutor: (element, reader) => named(readPriorityExecutor(element, reader)),
  messageStore: (element, reader, lookup) => named(readMessageStore(element, reader, lookup)),
  messageProcessor: (element, reader) => named(readMessageProcessor(element, reader)),
  proxy: (element, reader) => named(readProxy(element, reader)),
  api: (element, reader) => named(readApi(element, reader)),
  task: (element, reader) => named(readTask(element, reader)),
  inboundEndpoint: (element, reader, lookup) => named(readInboundEndpoint(element, reader, lookup)),
};

function named<C extends { readonly name: string }>(content: C | undefined): { name: string; content: C } | undefined {
  return content && { name: content.name, content };
}

/** Reads an artifact by its element name; undefined after an error. */
export function readArtifact(
  kind: ArtifactKind,
  element: ConfigElement,
  reader: ArtifactReader,
  lookup: ArtifactLookup,
): ReadArtifact<ArtifactKind> | undefined {
  return READERS[kind](element, reader, lookup);
}

/** Elements that say something about the server and are no artifacts: how they are checked. */
export const SERVER_SETTINGS: ReadonlyMap<string, (element: ConfigElement, reader: ArtifactReader) => void> = new Map([
  ['taskManager', readTaskManager],
]);
