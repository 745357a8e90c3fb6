import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import type { Endpoint, EndpointStatus, SendOptions } from '../../src/endpoints/endpoint.ts';
import { ConfigElement } from '../../src/grammar/element.ts';
import { readParameters, writtenParameters } from '../../src/grammar/parameters.ts';
import { ArtifactReader } from '../../src/grammar/reader.ts';
import { closeLogging, type LogRecord, onLogRecord } from '../../src/logging/index.ts';
import { FlowTracker } from '../../src/mediation/flow.ts';
import { Sequence } from '../../src/mediation/sequence.ts';
import type { Step } from '../../src/mediation/step.ts';
import type { ArtifactKinds, Configuration, Services } from '../../src/message/configuration.ts';
import { ERROR_CODES, MediationError } from '../../src/message/errors.ts';
import type { MessageContext } from '../../src/message/message-context.ts';
import { Payload } from '../../src/message/payload.ts';
import { type PropertyValue, TypedNumber } from '../../src/message/property-value.ts';
import type { ProcessorKind, ProcessorServices } from '../../src/processors/component.ts';
import { DeliveryLedger, type MessageProcessor } from '../../src/processors/index.ts';
import type {
  Delivery,
  MessageStore,
  PoisonMessage,
  StoreConsumer,
  StoreStatus,
} from '../../src/stores/message-store.ts';
import { StoreError } from '../../src/stores/message-store.ts';
import type { StoredMessage } from '../../src/stores/stored-message.ts';
import { parseXml } from '../../src/xml/index.ts';

const POSITION = { file: 'test.xml', line: 1, column: 1 };
const realImmediate = setImmediate;
const realNow = performance.now.bind(performance);

/** Fake timers for everything that waits; file access stays real. */
export function fakeTime(): void {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  });
}

/** Lets everything run that does not wait for time, file access included. */
export async function settled(turns = 5): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) {
    await vi.advanceTimersByTimeAsync(0);
    await new Promise((resolve) => realImmediate(resolve));
  }
}

/** Moves the clock on, in steps, and lets things run in between. */
export async function advance(ms: number, step = 10): Promise<void> {
  await settled();
  for (let rest = ms; rest > 0; rest -= step) {
    await vi.advanceTimersByTimeAsync(Math.min(step, rest));
    await settled(2);
  }
}

/** Waits for real work, such as file access, without moving the clock. */
export async function until(condition: () => boolean, what = 'the condition'): Promise<void> {
  const deadline = realNow() + 10_000;
  while (!condition()) {
    if (realNow() > deadline) throw new Error(`${what} did not become true`);
    await settled(1);
  }
}

/** Moves the clock on until something is true. */
export async function advanceUntil(condition: () => boolean, what = 'the condition', limitMs = 600_000): Promise<void> {
  await settled();
  for (let passed = 0; !condition(); passed += 50) {
    if (passed > limitMs) throw new Error(`${what} did not become true within ${limitMs} ms`);
    await vi.advanceTimersByTimeAsync(50);
    await settled(2);
  }
}

/** A configuration that can be changed, with everything that listens to changes. */
export class TestConfiguration implements Configuration {
  version = 1;
  services: Services = { flows: new FlowTracker() } as unknown as Services;
  readonly #artifacts = new Map<string, Map<string, unknown>>();
  readonly #listeners = new Set<() => void>();

  get listeners(): number {
    return this.#listeners.size;
  }

  find<K extends keyof ArtifactKinds>(kind: K, name: string): ArtifactKinds[K] | undefined {
    return this.#artifacts.get(kind)?.get(name) as ArtifactKinds[K] | undefined;
  }

  names(kind: keyof ArtifactKinds): readonly string[] {
    return [...(this.#artifacts.get(kind)?.keys() ?? [])];
  }

  set<K extends keyof ArtifactKinds>(kind: K, name: string, artifact: ArtifactKinds[K] | undefined): void {
    const named = this.#artifacts.get(kind) ?? new Map<string, unknown>();
    if (artifact === undefined) named.delete(name);
    else named.set(name, artifact);
    this.#artifacts.set(kind, named);
    this.version += 1;
    for (const listener of [...this.#listeners]) listener();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

interface Entry {
  readonly message: StoredMessage | undefined;
  readonly poison: PoisonMessage | undefined;
  redelivered: boolean;
  /** Where it belongs in the queue. */
  place?: number;
}

/** An in-memory store by the delivery contract, whose failures are scripted. */
export class FakeStore implements MessageStore {
  readonly name: string;
  readonly type = 'in-memory-message-store';
  readonly parameters = new Map<string, string>();
  readonly durable = false;
  /** Asked before each settling and putting; returning an error makes it fail. */
  fault: (operation: 'done' | 'put' | 'move', id: string) => StoreError | undefined = () => undefined;
  #state: StoreStatus['state'] = 'READY';
  #since = 0;
  openConsumers = 0;
  consumersMade = 0;
  done: string[] = [];
  /** How to take back what is in hand. */
  readonly #inHand = new Set<() => void>();
  /** Shared with the store that takes over. */
  readonly #medium: { readonly entries: Entry[]; readonly waiting: Set<() => void>; unsettled: number; places: number };
  closed = false;

  /** With `previous` it goes on with that one's messages. */
  constructor(name: string, previous?: FakeStore) {
    this.name = name;
    this.#medium = previous ? previous.#medium : { entries: [], waiting: new Set(), unsettled: 0, places: 0 };
  }

  get entries(): Entry[] {
    return this.#medium.entries;
  }

  get state(): StoreStatus['state'] {
    return this.#state;
  }

  /** Who waits for messages gets them as soon as it is READY. */
  set state(state: StoreStatus['state']) {
    if (state !== this.#state) this.#since = Date.now();
    this.#state = state;
    if (state === 'READY') for (const wake of [...this.#medium.waiting]) wake();
  }

  get unsettled(): number {
    return this.#medium.unsettled;
  }

  get ids(): string[] {
    return this.entries.map(({ message, poison }) => message?.id ?? poison?.id ?? '?');
  }

  async put(message: StoredMessage): Promise<void> {
    const error = this.fault('put', message.id);
    if (error) throw error;
    this.add({ message, poison: undefined, redelivered: false });
  }

  poison(id: string, bytes: string): void {
    const poison = { id, reason: 'not readable', bytes: Buffer.from(bytes), headers: [['a', 'b']] as const };
    this.add({ message: undefined, poison, redelivered: false });
  }

  /** A message that comes back gets its old place. */
  add(entry: Entry): void {
    this.#medium.places += 1;
    const place = entry.place ?? this.#medium.places;
    const behind = this.entries.findIndex((other) => (other.place ?? 0) > place);
    this.entries.splice(behind === -1 ? this.entries.length : behind, 0, { ...entry, place });
    for (const wake of [...this.#medium.waiting]) wake();
  }

  /** The connection is lost: whatever is in hand is with the store again. */
  takeBack(): void {
    for (const lose of [...this.#inHand]) lose();
  }

  consumer(): StoreConsumer {
    this.openConsumers += 1;
    this.consumersMade += 1;
    let open = true;
    let current: { release(): Promise<void> } | undefined;
    return {
      id: `[${this.name}-C-${this.consumersMade}]`,
      receive: async ({ signal, waitMs }) => {
        for (;;) {
          if (!open || this.closed) throw new StoreError(this.name, 'closed');
          if (signal.aborted) return undefined;
          const entry = this.state === 'READY' ? this.entries.shift() : undefined;
          if (entry) {
            if (current) throw new Error('a consumer has two deliveries');
            const delivery = this.#delivery(entry, () => {
              current = undefined;
            });
            current = delivery;
            return delivery;
          }
          if (!(await this.#wait(signal, waitMs))) return undefined;
        }
      },
      close: async () => {
        if (!open) return;
        open = false;
        this.openConsumers -= 1;
        await current?.release();
        for (const wake of [...this.#medium.waiting]) wake();
      },
    };
  }

  #wait(signal: AbortSignal, waitMs: number | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (woken: boolean) => {
        if (timer) clearTimeout(timer);
        signal.removeEventListener('abort', aborted);
        this.#medium.waiting.delete(wake);
        resolve(woken);
      };
      const wake = () => end(true);
      const aborted = () => end(false);
      const timer = waitMs === undefined ? undefined : setTimeout(() => end(false), waitMs);
      signal.addEventListener('abort', aborted);
      this.#medium.waiting.add(wake);
    });
  }

  #delivery(entry: Entry, ended: () => void): Delivery {
    const id = entry.message?.id ?? entry.poison?.id ?? '?';
    let open = true;
    let lost = false;
    this.#medium.unsettled += 1;
    const end = () => {
      if (!open) throw new Error('settled twice');
      open = false;
      this.#medium.unsettled -= 1;
      this.#inHand.delete(lose);
      ended();
    };
    const lose = () => {
      lost = true;
      giveBack();
    };
    this.#inHand.add(lose);
    const giveBack = () => {
      end();
      this.add({ ...entry, redelivered: true });
    };
    const failing = (operation: 'done' | 'move') => {
      if (lost) return new StoreError(this.name, 'the connection that delivered it has ended');
      if (!open) throw new Error('settled twice');
      if (this.closed) return new StoreError(this.name, 'closed');
      return this.fault(operation, id);
    };
    return {
      message: entry.message,
      poison: entry.poison,
      redelivered: entry.redelivered,
      get settled() {
        return !open;
      },
      done: async () => {
        const error = failing('done');
        if (error) throw error;
        end();
        this.done.push(id);
      },
      release: async () => {
        if (open) giveBack();
      },
      moveTo: async (store, message) => {
        const error = failing('move');
        if (error) throw error;
        await store.put(message);
        end();
        this.done.push(id);
      },
    };
  }

  status(): StoreStatus {
    return { state: this.state, since: this.#since, lastError: undefined, enqueued: 0, dequeued: 0 };
  }

  async depth() {
    return { count: this.entries.length, estimated: false };
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const wake of [...this.#medium.waiting]) wake();
  }
}

export interface Call {
  readonly id: string;
  readonly attempt: number;
  /** Fake epoch ms. */
  readonly at: number;
  readonly headers: ReadonlyArray<readonly [string, string]>;
  readonly body: string;
  readonly message: MessageContext;
  readonly options: SendOptions;
}

/** What a scripted back end does: an HTTP status, an answer, a broken connection. */
export type Reaction =
  | number
  | Error
  | { status?: number | undefined; body?: string; type?: string; headers?: [string, string][] };

/** An endpoint whose answers are scripted. */
export class FakeEndpoint implements Endpoint {
  readonly name: string;
  readonly kind = 'address';
  readonly position = POSITION;
  readonly calls: Call[] = [];
  react: (call: Call) => Reaction | Promise<Reaction> = () => 202;
  suspendedUntil = 0;
  inFlight = 0;
  mostInFlight = 0;

  constructor(name: string, react?: (call: Call) => Reaction | Promise<Reaction>) {
    this.name = name;
    if (react) this.react = react;
  }

  get ids(): string[] {
    return this.calls.map(({ id }) => id);
  }

  readyAt(): number {
    return this.suspendedUntil;
  }

  describe(): EndpointStatus {
    return { state: 'ACTIVE', nextRetryTime: undefined, address: 'http://backend' };
  }

  async send(message: MessageContext, options: SendOptions = {}): Promise<MessageContext> {
    const call: Call = {
      id: message.headers.get('X-Message-ID') ?? message.messageId,
      attempt: Number(message.headers.get('X-Delivery-Attempt')),
      at: Date.now(),
      headers: [...message.headers.pairs()],
      body: Buffer.from(message.payload.originalBytes() ?? []).toString(),
      message,
      options,
    };
    this.calls.push(call);
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    try {
      return answer(message, await cutOff(this.react(call), options.signal));
    } finally {
      this.inFlight -= 1;
    }
  }
}

function cutOff(reaction: Reaction | Promise<Reaction>, signal: AbortSignal | undefined): Promise<Reaction> {
  const aborted = new Promise<Reaction>((resolve) => {
    signal?.addEventListener('abort', () => resolve(new Error('aborted')));
  });
  return Promise.race([Promise.resolve(reaction), aborted]);
}

function answer(message: MessageContext, reaction: Reaction): MessageContext {
  if (reaction instanceof Error) throw reaction;
  const {
    status,
    body = '',
    type = 'text/xml',
    headers = [],
  } = typeof reaction === 'number' ? { status: reaction } : reaction;
  const bytes = Buffer.from(body);
  const response = message.responseContext(bytes.length > 0 ? Payload.unread(bytes, type) : Payload.empty());
  for (const [name, value] of headers) response.headers.set(name, value);
  if (status !== undefined) response.axis2.set('HTTP_SC', new TypedNumber('INTEGER', status));
  return response;
}

/** A broken connection. */
export function refused(): MediationError {
  return new MediationError('Connection refused', { code: ERROR_CODES.connectionFailed, errorCause: 'refused' });
}

/** A sequence of functions. */
export function sequenceOf(name: string, ...mediate: Array<(message: MessageContext) => unknown>): Sequence {
  const steps = mediate.map((run, index): Step => {
    return {
      id: `sequence/${name}/${index}`,
      mediator: 'test',
      position: POSITION,
      branches: [],
      label: undefined,
      references: [],
      endpoints: [],
      counts: { entered: 0, stopped: 0, faults: 0 },
      mediate: (message) => {
        const outcome = run(message);
        return outcome instanceof Promise ? outcome.then((end) => end !== false) : outcome !== false;
      },
    };
  });
  const list = { id: `sequence/${name}`, steps, counts: { entered: 0, completed: 0 } };
  return new Sequence({ name, list, position: POSITION });
}

export function storedMessage(
  id: string,
  properties: Record<string, PropertyValue> = {},
  body = `<order id="${id}"/>`,
): StoredMessage {
  return {
    v: 1,
    id,
    originalId: id,
    correlationId: undefined,
    storedAt: 0,
    service: 'P',
    body: { kind: 'soap11', bytes: Buffer.from(body), contentType: 'text/xml' },
    addressing: {},
    direction: 'request',
    doingRest: false,
    headers: [['Custom', 'kept']],
    axis2: new Map(),
    properties: new Map(Object.entries(properties)),
    variables: new Map(),
    priority: undefined,
    history: [],
  };
}

/** Everything around one processor. */
export class Bench {
  readonly configuration = new TestConfiguration();
  readonly directory = mkdtempSync(join(tmpdir(), 'processors-'));
  readonly store = new FakeStore('S');
  readonly endpoint = new FakeEndpoint('E');
  readonly logs: LogRecord[] = [];
  readonly services: ProcessorServices;
  readonly #stopLogs: () => void;
  readonly #made: MessageProcessor[] = [];

  constructor(options: Partial<ProcessorServices> = {}) {
    this.configuration.set('messageStore', 'S', this.store);
    this.configuration.set('endpoint', 'E', this.endpoint);
    this.#stopLogs = onLogRecord((record) => this.logs.push(record));
    this.services = {
      dataDirectory: this.directory,
      configuration: () => this.configuration,
      onConfigurationChange: (listener) => this.configuration.onChange(listener),
      ledger: new DeliveryLedger(),
      profile: 'wso2',
      stopDeadlineMs: 5000,
      ...options,
    };
  }

  /** OUT_ONLY messages, as most of the samples use. */
  async put(...ids: string[]): Promise<void> {
    for (const id of ids) await this.store.put(storedMessage(id, { OUT_ONLY: 'true' }));
  }

  open(
    kind: ProcessorKind,
    parameters: Record<string, string> = {},
    more: Partial<OpenOptions> = {},
  ): MessageProcessor {
    const { read, reader } = readKind(kind, parameters);
    if (!read) throw new Error(reader.diagnostics.map(({ message }) => message).join('; '));
    const name = more.name ?? 'P';
    const processor = kind.open({
      name,
      position: POSITION,
      storeName: more.storeName ?? 'S',
      targetEndpoint: 'targetEndpoint' in more ? more.targetEndpoint : 'E',
      parameters: read as never,
      written: new Map(Object.entries(parameters)),
      services: this.services,
      previous: more.previous,
    });
    this.#made.push(processor);
    return processor;
  }

  async start(
    kind: ProcessorKind,
    parameters: Record<string, string> = {},
    more: Partial<OpenOptions> = {},
  ): Promise<MessageProcessor> {
    const processor = this.open(kind, parameters, more);
    await processor.start();
    return processor;
  }

  lines(level?: string): string[] {
    return this.logs
      .filter((record) => !level || record.level === level)
      .map(({ category, message }) => `${category}: ${message}`);
  }

  async close(): Promise<void> {
    const stopping = Promise.all(this.#made.map((processor) => processor.stop({ undeploy: false })));
    let stopped = false;
    void stopping.then(() => {
      stopped = true;
    });
    await advanceUntil(() => stopped, 'stopping');
    this.#stopLogs();
    closeLogging();
    vi.useRealTimers();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export interface OpenOptions {
  readonly name: string;
  readonly storeName: string;
  readonly targetEndpoint: string | undefined;
  readonly previous: MessageProcessor;
}

/** Reads `<parameter>` elements as the deployment does. */
export function readKind(
  kind: ProcessorKind,
  parameters: Record<string, string>,
  attributes: Record<string, string> = {},
) {
  const children = Object.entries(parameters).map(
    ([name, value]) => `\n  <parameter name="${name}">${escapeXml(value)}</parameter>`,
  );
  const written = Object.entries(attributes).map(([name, value]) => ` ${name}="${escapeXml(value)}"`);
  const text = `<messageProcessor xmlns="http://ws.apache.org/ns/synapse"${written.join('')}>${children.join('')}\n</messageProcessor>`;
  const document = parseXml(text);
  const root = document.documentElement;
  const element = new ConfigElement(root as never, { file: 'test.xml', text });
  const reader = new ArtifactReader();
  const read = readParameters(element, kind.parameters, writtenParameters(element, reader), reader);
  return { read, reader };
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
