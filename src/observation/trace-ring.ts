import { randomUUID } from 'node:crypto';
import type { MessageContext } from '../message/message-context.ts';
import { type TraceOutcome, TraceRecord } from './trace-record.ts';
import { type TraceOwner, TraceThread } from './trace-thread.ts';
import type { TracedArtifact } from './tracing-modes.ts';

/** OP-46. */
const MAX_TRACES = 1_000;
/** Characters that all traces together may hold on to; the oldest go first. */
const MAX_WEIGHT = 24 * 1024 * 1024;
/** Ids in stores by which one trace is found; also those of messages that no store took. */
const MAX_IDS = 500;
/** Characters that an id counts for, with its places in maps. */
const ID_WEIGHT = 100;

export interface TraceFilter {
  /** The name of an artifact where messages come in, or of a store or processor that they meet. */
  readonly artifact?: string | undefined;
  /** Of a trace, or of a message in any place of its way. */
  readonly id?: string | undefined;
  /** Only those that failed. */
  readonly errors?: boolean | undefined;
  readonly limit: number;
}

/** The last traces, found by their own id, by that of the message, and by the ids that it had in stores. */
export class TraceRing implements TraceOwner {
  /** The oldest first. */
  readonly #traces = new Map<string, TraceRecord>();
  readonly #byMessage = new Map<string, TraceRecord>();
  #weight = 0;

  get size(): number {
    return this.#traces.size;
  }

  /** Begins to follow a message. */
  begin(message: MessageContext, artifact: TracedArtifact, bodies: boolean): TraceRecord {
    const client = message.axis2.get('REMOTE_ADDR');
    const record = this.#add({
      messageId: message.messageId,
      artifact,
      client: client === undefined ? undefined : String(client),
      bodies,
    });
    message.trace = new TraceThread(record, this);
    return record;
  }

  /** Begins to follow a message that comes out of a store. */
  beginStored(messageId: string, artifact: TracedArtifact, bodies: boolean): TraceRecord {
    return this.#add({ messageId, artifact, client: undefined, bodies });
  }

  /** Lets a message that belongs to a trace write into it. */
  continue(record: TraceRecord, message: MessageContext): void {
    message.trace = new TraceThread(record, this);
  }

  joined(record: TraceRecord, id: string): void {
    if (!this.#traces.has(record.id) || record.ids.has(id) || record.ids.size >= MAX_IDS) return;
    record.ids.add(id);
    this.#byMessage.set(id, record);
    record.weight += ID_WEIGHT;
    this.grew(record, ID_WEIGHT);
  }

  grew(record: TraceRecord, characters: number): void {
    if (!this.#traces.has(record.id)) return;
    this.#weight += characters;
    this.#makeRoom();
  }

  /** Of the trace itself, or of a message on its way. */
  find(id: string): TraceRecord | undefined {
    return this.#traces.get(id) ?? this.#byMessage.get(id);
  }

  /** The newest first. */
  list({ artifact, id, errors, limit }: TraceFilter): TraceRecord[] {
    const found: TraceRecord[] = [];
    const one = id === undefined ? undefined : this.find(id);
    const candidates = id === undefined ? [...this.#traces.values()].reverse() : one ? [one] : [];
    for (const record of candidates) {
      if (found.length >= limit) break;
      if (errors && !failed(record)) continue;
      if (artifact === undefined || concerns(record, artifact)) found.push(record);
    }
    return found;
  }

  clear(): void {
    this.#traces.clear();
    this.#byMessage.clear();
    this.#weight = 0;
  }

  #add(options: Omit<ConstructorParameters<typeof TraceRecord>[0], 'id'>): TraceRecord {
    const record = new TraceRecord({ id: randomUUID(), ...options });
    this.#traces.set(record.id, record);
    this.#byMessage.set(record.messageId, record);
    this.#weight += record.weight;
    this.#makeRoom();
    return record;
  }

  #makeRoom(): void {
    if (this.#traces.size <= MAX_TRACES && this.#weight <= MAX_WEIGHT) return;
    for (const oldest of this.#traces.values()) {
      if (this.#traces.size <= MAX_TRACES && (this.#weight <= MAX_WEIGHT || this.#traces.size === 1)) return;
      this.#forget(oldest);
    }
  }

  #forget(record: TraceRecord): void {
    this.#traces.delete(record.id);
    this.#weight -= record.weight;
    for (const id of [record.messageId, ...record.ids])
      if (this.#byMessage.get(id) === record) this.#byMessage.delete(id);
  }
}

function failed({ outcome, deliveries }: TraceRecord): boolean {
  const bad: TraceOutcome = 'fault';
  return (
    outcome === bad || deliveries.some((delivery) => delivery.outcome !== 'delivered' && delivery.outcome !== 'settled')
  );
}

function concerns({ artifact, hops, deliveries }: TraceRecord, name: string): boolean {
  return (
    artifact.name === name ||
    hops.some(({ store }) => store === name) ||
    deliveries.some(({ processor, store }) => processor === name || store === name)
  );
}
