import { randomUUID } from 'node:crypto';
import { RequestDispatcher } from '../dispatcher.ts';
import { runFlow } from '../mediation/flow.ts';
import { enterSequence } from '../mediation/main-flow.ts';
import type { Configuration } from '../message/configuration.ts';
import { TransportHeaders } from '../message/headers.ts';
import type { MessageContext } from '../message/message-context.ts';
import { pathPrefix } from '../rest/rest-api.ts';
import { captureMessage } from '../stores/capture.ts';
import { ClientExchange, newExchangeCounts } from '../transport/client-exchange.ts';
import type { HttpAnswer } from '../transport/http-answer.ts';
import { inboundMessage } from '../transport/inbound-message.ts';
import { clientStyle, type IncomingRequest, splitTarget } from '../transport/incoming-request.ts';
import type { ListeningPort } from '../transport/service-metadata.ts';
import { detached } from './payload-preview.ts';
import type { TraceRecord } from './trace-record.ts';
import type { Tracing } from './tracing.ts';

/** How long a test message waits for its answer, ms. */
const ANSWER_MS = 60_000;
/** Of an answer this much is shown, in characters. */
const BODY_CHARACTERS = 256 * 1024;
const HTTP_ACCEPTED = 202;

export interface TestMessage {
  readonly target: {
    readonly kind: 'proxy' | 'api' | 'store' | 'sequence';
    readonly name: string;
    readonly path?: string;
  };
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly contentType?: string;
  readonly body?: string;
}

export interface TestSurroundings {
  readonly configuration: Configuration;
  readonly listening: ReadonlyArray<ListeningPort & { readonly host: string }>;
  readonly tracing: Tracing;
  /** Ends the waiting; the message goes on. */
  readonly signal: AbortSignal;
}

export interface TestResult {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly durationMs: number;
  readonly messageId?: string;
  readonly traceId?: string;
}

/**
 * Sends a message on the way that any other message takes: through the dispatcher to a proxy or an API, into a sequence, or into a
 * store; it is followed with its bodies (OP-47).
 * @returns `missing`: there is no such target, but these
 * @throws StoreError when the store does not take it
 */
export async function sendTestMessage(
  test: TestMessage,
  surroundings: TestSurroundings,
): Promise<TestResult | { readonly missing: readonly string[] }> {
  const { configuration } = surroundings;
  const { kind, name } = test.target;
  const artifactKind = kind === 'store' ? 'messageStore' : kind;
  const target = configuration.find(artifactKind, name);
  if (!target) return { missing: configuration.names(artifactKind) };
  const request = requestOf(test, surroundings);
  if (kind === 'store') return storeTest(name, request, surroundings);
  return exchangeTest(test, request, surroundings);
}

/** Runs the message as a client's, and waits for its answer. */
async function exchangeTest(
  { target }: TestMessage,
  request: IncomingRequest,
  { configuration, listening, tracing, signal }: TestSurroundings,
): Promise<TestResult> {
  const began = performance.now();
  const answered = Promise.withResolvers<HttpAnswer | undefined>();
  const exchange = new ClientExchange({
    request,
    deadlineMs: ANSWER_MS,
    deliver: answered.resolve,
    counts: newExchangeCounts(),
  });
  let trace: TraceRecord | undefined;
  tracing.followExchange(exchange, (record) => {
    trace = record;
  });
  const leave = () => {
    exchange.clientGone();
    answered.resolve(undefined);
  };
  signal.addEventListener('abort', leave, { once: true });
  try {
    const sequence = target.kind === 'sequence' ? configuration.find('sequence', target.name) : undefined;
    if (sequence) {
      const message = inboundMessage(request, configuration, exchange, '');
      await enterSequence(message, sequence);
      exchange.inFlowEnded(message);
    } else
      await new RequestDispatcher(
        () => configuration,
        () => listening,
      ).dispatch(request, exchange);
  } catch (error) {
    exchange.broke(error);
  }
  const answer = await answered.promise;
  signal.removeEventListener('abort', leave);
  return {
    ...shownAnswer(answer),
    durationMs: rounded(performance.now() - began),
    ...(trace && { messageId: trace.messageId, traceId: trace.id }),
  };
}

/** Puts the message into a store as the store mediator does. */
async function storeTest(
  name: string,
  request: IncomingRequest,
  { configuration, tracing }: TestSurroundings,
): Promise<TestResult> {
  const began = performance.now();
  const message: MessageContext = inboundMessage(request, configuration, undefined, '');
  const record = tracing.follow(message, { kind: 'messageStore', name });
  const stored = captureMessage(message);
  const store = configuration.find('messageStore', name);
  let failed: unknown;
  await runFlow(message, async () => {
    message.trace?.storing(stored.id);
    try {
      await store?.put(stored);
    } catch (error) {
      failed = error;
    }
  });
  if (failed !== undefined) {
    record.end(undefined, { code: undefined, message: failed instanceof Error ? failed.message : String(failed) });
    throw failed;
  }
  message.trace?.stored(name, stored.id);
  record.end(HTTP_ACCEPTED, undefined);
  const durationMs = rounded(performance.now() - began);
  return { status: HTTP_ACCEPTED, headers: {}, body: '', durationMs, messageId: stored.id, traceId: record.id };
}

function requestOf(test: TestMessage, { configuration, listening }: TestSurroundings): IncomingRequest {
  const { target, method = 'POST', contentType, body = '' } = test;
  const headers = TransportHeaders.from(Object.entries(test.headers ?? {}));
  if (contentType) headers.set('Content-Type', contentType);
  const path = pathOf(target, configuration);
  const plain = listening.find(({ scheme }) => scheme === 'http') ?? listening[0];
  return {
    scheme: plain?.scheme ?? 'http',
    method,
    target: path,
    ...splitTarget(path),
    httpVersion: '1.1',
    headers,
    body: Buffer.from(body, 'utf8'),
    client: clientStyle(headers),
    remoteAddress: '127.0.0.1',
    authority: `${plain?.host ?? '127.0.0.1'}:${plain?.port ?? 0}`,
    correlationId: randomUUID(),
  };
}

function pathOf({ kind, name, path = '' }: TestMessage['target'], configuration: Configuration): string {
  const rest = path === '' || /^[/?]/.test(path) ? path : `/${path}`;
  if (kind === 'proxy') return `/services/${name.split('/').map(encodeURIComponent).join('/')}${rest}`;
  const api = kind === 'api' ? configuration.find('api', name) : undefined;
  return api ? `${pathPrefix(api.definition)}${rest}` || '/' : rest || '/';
}

function shownAnswer(answer: HttpAnswer | undefined): Pick<TestResult, 'status' | 'headers' | 'body'> {
  if (!answer) return { status: 0, headers: {}, body: '' };
  const headers: Record<string, string> = {};
  for (const [name, value] of answer.headers.pairs())
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  const text = answer.body ? Buffer.from(answer.body).toString('utf8') : '';
  return {
    status: answer.status,
    headers,
    body: text.length > BODY_CHARACTERS ? `${detached(text.slice(0, BODY_CHARACTERS))}…` : text,
  };
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
