import type { Endpoint } from '../../src/endpoints/endpoint.ts';
import { readEndpoint } from '../../src/endpoints/index.ts';
import type { Diagnostic } from '../../src/grammar/diagnostic.ts';
import { ConfigElement } from '../../src/grammar/element.ts';
import { ArtifactReader } from '../../src/grammar/reader.ts';
import { type LogRecord, onLogRecord } from '../../src/logging/index.ts';
import { FlowTracker } from '../../src/mediation/flow.ts';
import { readSequence } from '../../src/mediation/read-sequence.ts';
import type { Sequence } from '../../src/mediation/sequence.ts';
import type { ArtifactKinds, Configuration, Services } from '../../src/message/configuration.ts';
import type { Exchange, FlowFailure } from '../../src/message/exchange.ts';
import { TransportHeaders } from '../../src/message/headers.ts';
import { MessageContext } from '../../src/message/message-context.ts';
import { Payload } from '../../src/message/payload.ts';
import type { HttpRequest, HttpResponse } from '../../src/transport/http-sender.ts';
import { parseXml, type XmlElement } from '../../src/xml/index.ts';

const SYNAPSE = 'xmlns="http://ws.apache.org/ns/synapse"';

/** An artifact's element, as the deployer hands it to its reader. */
export function element(xml: string): ConfigElement {
  const text = xml.replace(/^<([\w:]+)/, `<$1 ${SYNAPSE}`);
  const root = parseXml(text).documentElement as XmlElement;
  return new ConfigElement(root, { file: 'test.xml', text });
}

/** What is wrong with mediators, all of it. */
export function problems(mediators: string): Diagnostic[] {
  const reader = new ArtifactReader();
  readSequence(element(`<sequence name="test">${mediators}</sequence>`), reader);
  return reader.diagnostics;
}

/** `error: text` and `warning: text`. */
export function problemLines(mediators: string): string[] {
  return problems(mediators).map(({ severity, message }) => `${severity}: ${message}`);
}

/** A sequence of these mediators, which must be free of errors. */
export function sequence(mediators: string, attributes = 'name="test"'): Sequence {
  const reader = new ArtifactReader();
  const read = readSequence(element(`<sequence ${attributes}>${mediators}</sequence>`), reader);
  if (!read || reader.failed) throw new Error(reader.diagnostics.map(({ message }) => message).join('; '));
  return read;
}

/** An endpoint, which must be free of errors. */
export function endpoint(xml: string): Endpoint {
  const reader = new ArtifactReader();
  const read = readEndpoint(element(xml), reader, { named: false });
  if (!read || reader.failed) throw new Error(reader.diagnostics.map(({ message }) => message).join('; '));
  return read;
}

/** What is wrong with an endpoint. */
export function endpointProblems(xml: string, named = false): string[] {
  const reader = new ArtifactReader();
  readEndpoint(element(xml), reader, { named });
  return reader.diagnostics.map(({ severity, message }) => `${severity}: ${message}`);
}

/** Back ends that answer as a function says. */
export class FakeSender {
  readonly requests: HttpRequest[] = [];
  answer: (request: HttpRequest) => Promise<HttpResponse> | HttpResponse = () => response(200, '');

  async send(request: HttpRequest): Promise<HttpResponse> {
    this.requests.push(request);
    return this.answer(request);
  }
}

export function response(
  status: number,
  body: string | Uint8Array,
  headers: Array<[string, string]> = [],
): HttpResponse {
  return { status, reason: '', headers: TransportHeaders.from(headers), body: Buffer.from(body) };
}

type Artifacts = { [K in keyof ArtifactKinds]?: Readonly<Record<string, ArtifactKinds[K]>> };

/** A configuration of what a test says, with a sender that reaches nobody. */
export class FakeConfiguration implements Configuration {
  readonly version = 1;
  readonly sender = new FakeSender();
  readonly flows = new FlowTracker();
  readonly services: Services;
  readonly #artifacts: Artifacts;

  constructor(artifacts: Artifacts = {}, globalTimeoutMs = 60_000) {
    this.#artifacts = artifacts;
    this.services = { http: this.sender, flows: this.flows, globalTimeoutMs } as unknown as Services;
  }

  find<K extends keyof ArtifactKinds>(kind: K, name: string): ArtifactKinds[K] | undefined {
    const found = this.#artifacts[kind] as Record<string, ArtifactKinds[K]> | undefined;
    return found && Object.hasOwn(found, name) ? found[name] : undefined;
  }

  names(kind: keyof ArtifactKinds): readonly string[] {
    return Object.keys(this.#artifacts[kind] ?? {});
  }
}

/** A client that remembers what happened to it. */
export class FakeExchange implements Exchange {
  readonly responses: MessageContext[] = [];
  readonly failures: FlowFailure[] = [];
  readonly tracked: Promise<void>[] = [];
  taken = false;

  get answered(): boolean {
    return this.responses.length > 0;
  }

  take(): void {
    this.taken = true;
  }

  respond(message: MessageContext): void {
    this.responses.push(message);
  }

  track(work: Promise<void>): void {
    this.tracked.push(work);
  }

  failed(reason: FlowFailure): void {
    this.failures.push(reason);
  }

  /** Resolves when everything that may still answer has ended. */
  async settled(): Promise<void> {
    for (let count = -1; count !== this.tracked.length; ) {
      count = this.tracked.length;
      await Promise.all(this.tracked);
    }
  }
}

export interface MessageParts {
  readonly body?: string;
  readonly contentType?: string;
  readonly soapAction?: boolean;
  readonly configuration?: Configuration;
  readonly exchange?: Exchange;
  readonly to?: string;
}

/** A request as a proxy gets it. */
export function message(parts: MessageParts = {}): MessageContext {
  const { body, contentType = 'application/xml', soapAction, configuration = new FakeConfiguration() } = parts;
  const payload =
    body === undefined
      ? Payload.empty()
      : Payload.unread(Buffer.from(body), contentType, { ...(soapAction !== undefined && { soapAction }) });
  const context = new MessageContext(configuration, payload, 'urn:uuid:1');
  context.exchange = parts.exchange;
  context.to = parts.to ?? '/services/P';
  return context;
}

/** What was logged while something ran. */
export async function logged(run: () => unknown): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  const stop = onLogRecord((record) => records.push(record));
  try {
    await run();
  } finally {
    stop();
  }
  return records;
}
