import type { RunningArtifact, Snapshot } from '../deployment/snapshot.ts';
import type { Endpoint } from '../endpoints/endpoint.ts';
import type { Position } from '../grammar/diagnostic.ts';
import type { Reference } from '../grammar/reader.ts';
import type { EndpointReference } from '../mediation/proxy-service.ts';
import type { Sequence } from '../mediation/sequence.ts';
import type { SequenceReference } from '../mediation/sequence-reference.ts';
import type { EntryKind } from '../message/flow-observer.ts';
import type { ResourceDefinition } from '../rest/resource.ts';
import { displayName } from '../rest/rest-api.ts';
import type { EntryCounts } from './counts.ts';
import type { Graph } from './graph.ts';
import { GraphDraft, nodeOf } from './graph-draft.ts';
import { drawList } from './graph-steps.ts';

/** Whose counts the edges from clients and tasks show. */
export interface EntryCountsSource {
  entry(kind: EntryKind, name: string): EntryCounts | undefined;
}

/** Draws a configuration; dynamic references, which only messages know, are not in it. */
export function buildGraph(snapshot: Snapshot, entries: EntryCountsSource): Graph {
  const draft = new GraphDraft();
  const builder = new GraphBuilder(snapshot, entries, draft);
  for (const artifact of snapshot.artifacts) builder.add(artifact);
  for (const name of ['main', 'fault']) builder.addBuiltIn(name);
  return draft.finish(snapshot.version);
}

class GraphBuilder {
  readonly #snapshot: Snapshot;
  readonly #entries: EntryCountsSource;
  readonly #draft: GraphDraft;

  constructor(snapshot: Snapshot, entries: EntryCountsSource, draft: GraphDraft) {
    this.#snapshot = snapshot;
    this.#entries = entries;
    this.#draft = draft;
  }

  add({ artifact, running }: RunningArtifact): void {
    const { name, position } = artifact;
    switch (artifact.kind) {
      case 'proxy':
        if (running) this.#addProxy(name, position);
        break;
      case 'api':
        this.#addApi(name, position);
        break;
      case 'sequence':
        this.#addSequence(`sequence:${name}`, name, artifact.content, position);
        break;
      case 'template':
        if (artifact.content.kind === 'sequence')
          this.#addSequence(`template:${name}`, name, artifact.content.body, position);
        break;
      case 'endpoint':
        this.#draft.endpoint(`endpoint:${name}`, artifact.content, position);
        break;
      case 'messageStore':
        this.#addStore(name, position);
        break;
      case 'messageProcessor':
        this.#addProcessor(name, position, artifact.references);
        break;
      case 'inboundEndpoint':
        this.#addInbound(name, position, artifact.references);
        break;
      case 'task':
        this.#addTask(name, position, artifact.references, artifact.content.injection.target);
        break;
      default:
        break;
    }
  }

  /** The sequences `main` and `fault` that nobody has written, if something leads there. */
  addBuiltIn(name: string): void {
    const id = `sequence:${name}`;
    const sequence = this.#snapshot.find('sequence', name);
    if (sequence && !this.#draft.has(id) && this.#draft.isTarget(id)) this.#addSequence(id, name, sequence, undefined);
  }

  #addProxy(name: string, position: Position): void {
    const proxy = this.#snapshot.find('proxy', name);
    if (!proxy) return;
    const id = `proxy:${name}`;
    const state = () => (this.#snapshot.find('proxy', name)?.active === false ? 'STOPPED' : 'ACTIVE');
    this.#draft.node({ id, kind: 'proxy', name, label: name, position, parent: undefined, state });
    this.#fromClient(id, 'proxy', name);
    const { inSequence, outSequence, faultSequence, endpoint } = proxy.definition;
    const entered = () => this.#entries.entry('proxy', name)?.requests ?? 0;
    const reached = this.#part(id, inSequence, undefined, entered);
    if (endpoint) this.#target(id, endpoint, reached, entered);
    this.#part(id, outSequence, 'answer');
    this.#part(id, faultSequence, 'fault');
  }

  /** The endpoint of a proxy takes what comes to the end of its in-sequence. */
  #target(id: string, endpoint: EndpointReference, reached: Sequence | undefined, entered: () => number): void {
    const count = reached ? () => reached.list.counts.completed : entered;
    if (endpoint.kind === 'key')
      this.#draft.edge({ from: id, to: `endpoint:${endpoint.key}`, label: 'endpoint', count });
    else this.#inlineEndpoint(id, endpoint.endpoint, count);
  }

  #inlineEndpoint(id: string, endpoint: Endpoint, count: () => number): void {
    const node = `endpoint:${id}/endpoint`;
    this.#draft.endpoint(node, endpoint, endpoint.position, id);
    this.#draft.edge({ from: id, to: node, label: 'endpoint', count, errors: () => endpoint.counts?.errors ?? 0 });
  }

  #addApi(name: string, position: Position): void {
    const api = this.#snapshot.find('api', name);
    if (!api) return;
    const id = `api:${name}`;
    this.#draft.node({ id, kind: 'api', name, label: name, position, parent: undefined });
    this.#fromClient(id, 'api', displayName(api.definition));
    for (const resource of api.definition.resources) {
      const label = labelOf(resource);
      this.#part(id, resource.inSequence, label);
      this.#part(id, resource.outSequence, `answer ${label}`);
      this.#part(id, resource.faultSequence, `fault ${label}`);
    }
  }

  #addSequence(id: string, name: string, sequence: Sequence, position: Position | undefined): void {
    this.#draft.node({ id, kind: 'sequence', name, label: name, position, parent: undefined });
    drawList(
      this.#draft,
      sequence.list,
      [{ from: id, label: undefined, count: () => sequence.list.counts.entered }],
      id,
    );
    if (sequence.onError !== undefined)
      this.#draft.edge({ from: id, to: `sequence:${sequence.onError}`, label: 'on error', count: () => 0 });
  }

  #addStore(name: string, position: Position): void {
    const store = () => this.#snapshot.find('messageStore', name);
    const state = () => store()?.status().state;
    const id = `store:${name}`;
    this.#draft.node({ id, kind: 'store', name, label: name, position, parent: undefined, state });
    const failover = store()?.parameters.get('store.failover.message.store.name')?.trim();
    if (failover) this.#draft.edge({ from: id, to: `store:${failover}`, label: 'failover', count: () => 0 });
  }

  #addProcessor(name: string, position: Position, references: readonly Reference[]): void {
    const processor = this.#snapshot.find('messageProcessor', name);
    if (!processor) return;
    const id = `processor:${name}`;
    const status = () => this.#snapshot.find('messageProcessor', name)?.status();
    const counters = () => status()?.counters;
    const state = () => status()?.state;
    const attempts = () => (counters()?.delivered ?? 0) + (counters()?.failed ?? 0);
    const errors = () => counters()?.failed ?? 0;
    this.#draft.node({ id, kind: 'processor', name, label: name, position, parent: undefined, state });
    this.#draft.edge({ from: `store:${processor.storeName}`, to: id, label: undefined, count: attempts, errors });
    for (const reference of references) {
      const to = nodeOf(reference);
      if (to === undefined || to === `store:${processor.storeName}`) continue;
      const label = roleOf(reference, processor.parameters);
      const moved = () => counters()?.moved ?? 0;
      const count = label === undefined ? attempts : label === 'fail store' ? moved : () => 0;
      this.#draft.edge({ from: id, to, label, count, ...(label === undefined && { errors }) });
    }
  }

  #addInbound(name: string, position: Position, references: readonly Reference[]): void {
    const id = `inbound:${name}`;
    this.#draft.node({ id, kind: 'inbound', name, label: name, position, parent: undefined });
    const entered = () => this.#entries.entry('inboundEndpoint', name)?.requests ?? 0;
    for (const reference of references) {
      const to = nodeOf(reference);
      if (to === undefined) continue;
      const onError = reference.attribute === 'onError';
      this.#draft.edge({ from: id, to, label: onError ? 'on error' : undefined, count: onError ? () => 0 : entered });
    }
  }

  #addTask(
    name: string,
    position: Position,
    references: readonly Reference[],
    target: { readonly kind: string; readonly name?: string },
  ): void {
    const id = `task:${name}`;
    this.#draft.node({ id, kind: 'task', name, label: name, position, parent: undefined });
    for (const reference of references) {
      const to = nodeOf(reference);
      if (to !== undefined) this.#draft.edge({ from: id, to, label: undefined, count: () => 0 });
    }
    if (target.kind === 'proxy')
      this.#draft.edge({ from: id, to: `proxy:${target.name ?? ''}`, label: undefined, count: () => 0 });
    if (target.kind === 'main') this.#draft.edge({ from: id, to: 'sequence:main', label: undefined, count: () => 0 });
  }

  #fromClient(id: string, kind: EntryKind, name: string): void {
    this.#draft.client();
    const counts = () => this.#entries.entry(kind, name);
    const count = () => counts()?.requests ?? 0;
    this.#draft.edge({ from: 'client', to: id, label: undefined, count, errors: () => counts()?.errors ?? 0 });
  }

  /** Draws an in, out or fault sequence; gives it when it is known. */
  #part(
    id: string,
    reference: SequenceReference | undefined,
    label: string | undefined,
    entered?: () => number,
  ): Sequence | undefined {
    if (!reference) return undefined;
    if (reference.kind === 'inline') {
      const { list } = reference.sequence;
      drawList(this.#draft, list, [{ from: id, label, count: () => list.counts.entered }], id);
      return reference.sequence;
    }
    const sequence = this.#snapshot.find('sequence', reference.key);
    const count = entered ?? (() => sequence?.list.counts.entered ?? 0);
    this.#draft.edge({ from: id, to: `sequence:${reference.key}`, label, count });
    return sequence;
  }
}

const ROLES: ReadonlyArray<readonly [parameter: RegExp, role: string | undefined]> = [
  [/reply/i, 'reply'],
  [/fault/i, 'fault'],
  [/deactivate/i, 'deactivated'],
  [/fail/i, 'fail store'],
];

/** What a processor needs an artifact for; undefined: it is what it delivers to. */
function roleOf({ name }: Reference, parameters: ReadonlyMap<string, string>): string | undefined {
  for (const [parameter, value] of parameters) {
    if (value !== name) continue;
    const role = ROLES.find(([pattern]) => pattern.test(parameter));
    if (role) return role[1];
  }
  return undefined;
}

function labelOf({ mapping, methods }: ResourceDefinition): string {
  const path =
    mapping.kind === 'uri-template' ? mapping.template.text : mapping.kind === 'url-mapping' ? mapping.text : '/*';
  return `${methods.join(' ') || '*'} ${path}`;
}
